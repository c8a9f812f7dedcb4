package org.jvirt.cli;

import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.jvirt.cli.launch.TranslatorWords;
import org.jvirt.core.TranslatorSettings;
import picocli.CommandLine.Option;

/// The options of `jvirt run` about the translator.
final class TranslatorOptions {
    @Option(
            names = "--verify-translation",
            description =
                    "Compare the first executions of each translated block with the interpreter; end at a difference.")
    private boolean verify;

    @Option(
            names = "--verify-executions",
            paramLabel = "N|all",
            description = "How many executions of each block that are (100).")
    private @Nullable String executions;

    @Option(
            names = "--trace",
            paramLabel = "translation[:ADDRESS]",
            description = "Write what guest code becomes to standard error: every block, or those that hold ADDRESS.")
    private @Nullable String trace;

    @Option(
            names = "--code-cache",
            paramLabel = "DIR|off",
            description =
                    "Where translations are kept for the next time (jvirt/code in the user's cache, or what JVIRT_CODE_CACHE"
                            + " says).")
    private @Nullable String cache;

    @Option(
            names = "--code-cache-size",
            paramLabel = "SIZE",
            description = "Room for a processor's translations (64M).")
    private @Nullable String cacheSize;

    /// @throws org.jvirt.core.UserErrorException for what makes no sense
    TranslatorSettings settings() {
        TranslatorSettings settings =
                TranslatorSettings.DEFAULT.withStore(TranslatorWords.store("--code-cache", Optional.ofNullable(cache)));
        if (executions != null) {
            settings = settings.withVerification(TranslatorWords.executions("--verify-executions", executions));
        } else if (verify) {
            settings = settings.withVerification(TranslatorWords.VERIFIED);
        }
        if (trace != null) {
            settings = settings.withTrace(TranslatorWords.trace("--trace", trace), System.err::print);
        }
        return cacheSize == null
                ? settings
                : settings.withCacheBytes(TranslatorWords.cacheBytes("--code-cache-size", cacheSize));
    }
}
