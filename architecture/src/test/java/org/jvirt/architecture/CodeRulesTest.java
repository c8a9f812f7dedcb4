package org.jvirt.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class CodeRulesTest {
    @ParameterizedTest
    @EnumSource
    void everyModuleKeepsTheRule(CodeRules each) {
        each.rule().check(JvirtClasses.main());
    }

    @ParameterizedTest
    @EnumSource
    void theRuleBites(CodeRules each) {
        assertThat(each.rule()
                        .evaluate(JvirtClasses.samples())
                        .getFailureReport()
                        .getDetails())
                .anySatisfy(detail -> assertThat(detail).contains("RuleBreaker"));
    }
}
