package org.jvirt.architecture;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class ModuleRulesTest {
    @ParameterizedTest
    @EnumSource
    void eachModuleKnowsOnlyTheModulesOfItsLine(JvirtModule module) {
        noClasses()
                .that(module.classes())
                .should()
                .dependOnClassesThat(module.forbidden())
                .check(JvirtClasses.main());
    }

    @Test
    void everyClassBelongsToAModuleOfTheTable() {
        assertThat(JvirtClasses.main().stream()
                        .filter(type -> JvirtModule.of(type).isEmpty())
                        .map(JavaClass::getName))
                .isEmpty();
    }

    @Test
    void everyModuleOfTheTableHasClasses() {
        for (JvirtModule module : JvirtModule.values()) {
            assertThat(JvirtClasses.main().stream().filter(module.classes()))
                    .as(module.mainPackage())
                    .isNotEmpty();
        }
    }

    @Test
    void packagesHaveNoCycles() {
        slices().matching("org.jvirt.(**)").should().beFreeOfCycles().check(JvirtClasses.main());
    }

    @Test
    void everyPackageIsNullMarkedInItsPackageInfo() {
        assertThat(JvirtClasses.main().stream()
                        .map(JavaClass::getPackage)
                        .distinct()
                        .filter(each -> !each.isAnnotatedWith(NullMarked.class)))
                .isEmpty();
    }
}
