package org.jvirt.cli.img;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Locale;
import org.jvirt.core.UserErrorException;

/// Sizes as qemu-img reads and prints them.
final class SizeText {
    private static final String SUFFIXES = "bkMGTPE";
    private static final String[] UNITS = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

    private SizeText() {}

    /// Bytes, or with a suffix: `512`, `64k`, `1.5G`.
    ///
    /// @param what names it in the message
    static long parse(String what, String text) {
        String number = text.strip();
        int shift = 0;
        if (!number.isEmpty() && !Character.isDigit(number.charAt(number.length() - 1))) {
            char suffix = number.charAt(number.length() - 1);
            int unit = SUFFIXES.indexOf(suffix == 'K' ? 'k' : suffix == 'B' ? 'b' : suffix);
            int lower = unit >= 0 ? unit : SUFFIXES.toLowerCase(Locale.ROOT).indexOf(suffix);
            if (lower < 0) {
                throw wrong(what, text);
            }
            shift = 10 * lower;
            number = number.substring(0, number.length() - 1);
        }
        try {
            BigDecimal bytes = number.startsWith("0x")
                    ? new BigDecimal(new BigInteger(number.substring(2), 16))
                    : new BigDecimal(number);
            long exact = bytes.multiply(BigDecimal.valueOf(1L << shift))
                    .setScale(0, RoundingMode.HALF_UP)
                    .longValueExact();
            if (exact < 0) {
                throw wrong(what, text);
            }
            return exact;
        } catch (ArithmeticException | NumberFormatException e) {
            throw new UserErrorException(message(what, text), e);
        }
    }

    private static UserErrorException wrong(String what, String text) {
        return new UserErrorException(message(what, text));
    }

    private static String message(String what, String text) {
        return "%s: '%s' is not a size; write bytes, or a number with k, M, G, T, P or E, up to 8 EiB less one"
                .formatted(what, text);
    }

    /// Three digits and a unit: `1.25 MiB`.
    static String human(long bytes) {
        int unit = 0;
        double scaled = bytes;
        while (scaled >= 1000 && unit < UNITS.length - 1) {
            scaled /= 1024;
            unit++;
        }
        String digits = BigDecimal.valueOf(scaled)
                .round(new MathContext(3, RoundingMode.HALF_EVEN))
                .stripTrailingZeros()
                .toPlainString();
        return digits + " " + UNITS[unit];
    }
}
