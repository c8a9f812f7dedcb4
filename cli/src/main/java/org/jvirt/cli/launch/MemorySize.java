package org.jvirt.cli.launch;

import java.util.Locale;
import org.jvirt.core.UserErrorException;

/// Sizes as people write them: `512M`, `2G`, `1048576K`; a bare number is MiB, as QEMU reads `-m`.
public final class MemorySize {
    private static final String UNITS = "bkmgtpe";

    private MemorySize() {}

    /// @param option names the option in the message
    /// @return bytes
    public static long parse(String option, String text) {
        String lower = text.strip().toLowerCase(Locale.ROOT);
        int unit = lower.isEmpty() ? -1 : UNITS.indexOf(lower.charAt(lower.length() - 1));
        String digits = unit < 0 ? lower : lower.substring(0, lower.length() - 1);
        int shift = unit < 0 ? 20 : 10 * unit;
        try {
            double number = Double.parseDouble(digits);
            double bytes = number * Math.pow(2, shift);
            if (number >= 0 && bytes < 0x1p62 && !digits.endsWith("f") && !digits.endsWith("d")) {
                return (long) bytes;
            }
        } catch (NumberFormatException e) {
            throw new UserErrorException(message(option, text), e);
        }
        throw new UserErrorException(message(option, text));
    }

    private static String message(String option, String text) {
        return "%s: '%s' is not a size. Write a number with K, M, G or T, such as 512M or 2G.".formatted(option, text);
    }
}
