package org.jvirt.images.qcow2;

import java.util.Locale;
import org.jvirt.core.UserErrorException;

/// Reads the values of options.
final class Options {
    private Options() {}

    static boolean onOff(String name, String value) {
        return switch (value) {
            case "on", "true", "yes" -> true;
            case "off", "false", "no" -> false;
            default -> throw new UserErrorException("Option %s is on or off, not '%s'".formatted(name, value));
        };
    }

    static long number(String name, String value) {
        try {
            return Long.parseLong(value);
        } catch (NumberFormatException e) {
            throw new UserErrorException("Option %s is a number, not '%s'".formatted(name, value), e);
        }
    }

    /// Bytes, with the suffixes of qemu-img.
    static long size(String name, String value) {
        String text = value.toUpperCase(Locale.ROOT);
        int shift = text.isEmpty() ? -1 : "BKMGTPE".indexOf(text.charAt(text.length() - 1));
        try {
            double count = Double.parseDouble(shift < 0 ? text : text.substring(0, text.length() - 1));
            double bytes = count * (1L << 10 * Math.max(shift, 0));
            if (bytes >= 0 && bytes < 0x1p63) {
                return (long) bytes;
            }
        } catch (NumberFormatException e) {
            throw new UserErrorException("Option %s is a size such as 64K, not '%s'".formatted(name, value), e);
        }
        throw new UserErrorException("Option %s is out of range: '%s'".formatted(name, value));
    }
}
