package org.jvirt.images.blocks;

import java.util.Locale;
import java.util.Map;
import org.jvirt.core.UserErrorException;

/// Reads sizes and switches as qemu-img's options spell them.
public final class Sizes {
    private static final String UNITS = "BKMGTPE";

    private Sizes() {}

    /// A number of bytes with an optional unit: `64k`, `1M`.
    ///
    /// @throws UserErrorException if it is none
    public static long option(Map<String, String> options, String name, long otherwise) {
        String text = options.get(name);
        if (text == null) {
            return otherwise;
        }
        String upper = text.toUpperCase(Locale.ROOT);
        int unit = upper.isEmpty() ? -1 : UNITS.indexOf(upper.charAt(upper.length() - 1));
        try {
            long number = Long.parseLong(unit < 0 ? upper : upper.substring(0, upper.length() - 1));
            long bytes = Math.multiplyExact(number, 1L << 10 * Math.max(0, unit));
            if (bytes >= 0) {
                return bytes;
            }
        } catch (NumberFormatException | ArithmeticException e) {
            throw new UserErrorException("%s must be a size like 64k or 1M, not '%s'".formatted(name, text), e);
        }
        throw new UserErrorException("%s must not be negative: '%s'".formatted(name, text));
    }

    /// `on` or `off`.
    ///
    /// @throws UserErrorException if it is neither
    public static boolean onOff(Map<String, String> options, String name, boolean otherwise) {
        String text = options.get(name);
        if (text == null) {
            return otherwise;
        }
        return switch (text) {
            case "on" -> true;
            case "off" -> false;
            default -> throw new UserErrorException("%s must be on or off, not '%s'".formatted(name, text));
        };
    }
}
