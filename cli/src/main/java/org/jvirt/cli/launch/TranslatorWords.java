package org.jvirt.cli.launch;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import org.jvirt.cli.debian.DebianGuest;
import org.jvirt.core.TranslatorSettings;
import org.jvirt.core.UserErrorException;

/// What users say about the translator, in the words of either command line.
public final class TranslatorWords {
    /// How many executions of each block are verified where no number is given: by then its branches have gone both
    /// ways.
    public static final int VERIFIED = 100;

    private static final String TRANSLATION = "translation";

    private TranslatorWords() {}

    /// A number of executions, or `all`.
    public static int executions(String option, String text) {
        if (text.equals("all")) {
            return TranslatorSettings.ALWAYS;
        }
        try {
            int count = Integer.parseInt(text);
            if (count > 0) {
                return count;
            }
        } catch (NumberFormatException e) {
            throw new UserErrorException(wrongCount(option, text), e);
        }
        throw new UserErrorException(wrongCount(option, text));
    }

    private static String wrongCount(String option, String text) {
        return "%s: give a number of executions from 1 on, or all, not '%s'.".formatted(option, text);
    }

    /// `translation`, or `translation:ADDRESS` in hexadecimal.
    public static long trace(String option, String text) {
        if (text.equals(TRANSLATION)) {
            return TranslatorSettings.TRACE_ALL;
        }
        String prefix = TRANSLATION + ":";
        if (text.startsWith(prefix)) {
            String digits = text.substring(prefix.length());
            try {
                return Long.parseUnsignedLong(digits.startsWith("0x") ? digits.substring(2) : digits, 16);
            } catch (NumberFormatException e) {
                throw new UserErrorException(
                        "%s: '%s' is not an address in hexadecimal, such as 0xffffffff81000000."
                                .formatted(option, digits),
                        e);
            }
        }
        throw new UserErrorException(
                "%s: there is translation and translation:ADDRESS, not '%s'.".formatted(option, text));
    }

    /// Where translations are kept: what the option says, else the variable `JVIRT_CODE_CACHE`, else a directory
    /// in the user's cache; `off` is nowhere.
    public static Optional<Path> store(String option, Optional<String> text) {
        String wanted = text.orElseGet(() -> Objects.requireNonNullElse(System.getenv("JVIRT_CODE_CACHE"), ""));
        if (wanted.isBlank()) {
            return Optional.of(DebianGuest.cacheDirectory().resolve("code"));
        }
        if (wanted.equals("off")) {
            return Optional.empty();
        }
        Path directory = Path.of(wanted);
        if (Files.exists(directory) && !Files.isDirectory(directory)) {
            throw new UserErrorException("%s: %s is no directory.".formatted(option, directory));
        }
        return Optional.of(directory);
    }

    /// A size of a code cache.
    public static int cacheBytes(String option, String text) {
        long bytes = MemorySize.parse(option, text);
        if (bytes < TranslatorSettings.LEAST_CACHE_BYTES || bytes > TranslatorSettings.MOST_CACHE_BYTES) {
            throw new UserErrorException("%s: a code cache has %d to %d MiB, not %s."
                    .formatted(
                            option,
                            TranslatorSettings.LEAST_CACHE_BYTES >> 20,
                            TranslatorSettings.MOST_CACHE_BYTES >> 20,
                            text));
        }
        return (int) bytes;
    }
}
