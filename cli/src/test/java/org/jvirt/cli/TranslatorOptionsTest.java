package org.jvirt.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.jvirt.cli.launch.TranslatorWords;
import org.jvirt.core.TranslatorSettings;
import org.jvirt.core.UserErrorException;
import picocli.CommandLine;

final class TranslatorOptionsTest {
    private static TranslatorSettings settings(String... words) {
        var options = new TranslatorOptions();
        new CommandLine(CommandLine.Model.CommandSpec.create()
                        .addMixin("translator", CommandLine.Model.CommandSpec.forAnnotatedObject(options)))
                .parseArgs(words);
        return options.settings();
    }

    @Test
    void eachOptionSetsItsPart() {
        assertThat(settings("--verify-translation").verification()).isEqualTo(TranslatorWords.VERIFIED);
        assertThat(settings("--verify-executions", "7").verification()).isEqualTo(7);
        assertThat(settings("--verify-executions", "all").verification()).isEqualTo(TranslatorSettings.ALWAYS);
        assertThat(settings("--trace", "translation").trace()).hasValue(TranslatorSettings.TRACE_ALL);
        assertThat(settings("--trace", "translation:0xffffffff81000000").trace())
                .hasValue(0xffffffff81000000L);
        assertThat(settings("--code-cache-size", "16M").cacheBytes()).isEqualTo(16 << 20);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--verify-executions 0",
                "--verify-executions some",
                "--trace blocks",
                "--trace translation:here",
                "--code-cache-size 1K",
                "--code-cache-size 2G",
            })
    void whatMakesNoSenseIsRefused(String words) {
        assertThatThrownBy(() -> settings(words.split(" "))).isInstanceOf(UserErrorException.class);
    }
}
