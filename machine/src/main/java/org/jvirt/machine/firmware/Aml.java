package org.jvirt.machine.firmware;

import java.nio.charset.StandardCharsets;

/// ACPI machine language from nested calls: each method answers the bytes of one term (ACPI 6.5, 20.2).
///
/// Paths are written as in ASL: `\_SB`, `PCI0.LPC`, `_HID`; segments shorter than four characters are padded.
final class Aml {
    private static final int EXTENDED = 0x5b;

    private Aml() {}

    static byte[] join(byte[]... terms) {
        var writer = new ByteWriter();
        for (byte[] term : terms) {
            writer.add(term);
        }
        return writer.bytes();
    }

    static byte[] scope(String path, byte[]... body) {
        return withLength(op(0x10), join(name(path), join(body)));
    }

    static byte[] device(String path, byte[]... body) {
        return withLength(op(EXTENDED, 0x82), join(name(path), join(body)));
    }

    /// A serialised method, so that it may create named fields.
    static byte[] method(String path, int arguments, byte[]... body) {
        int serialised = 1 << 3;
        return withLength(op(0x14), join(name(path), op(arguments | serialised), join(body)));
    }

    static byte[] define(String path, byte[] value) {
        return join(op(0x08), name(path), value);
    }

    static byte[] integer(long value) {
        if (value == 0) {
            return op(0x00);
        }
        if (value == 1) {
            return op(0x01);
        }
        if (value > 0 && value <= 0xff) {
            return new ByteWriter().u8(0x0a).u8((int) value).bytes();
        }
        if (value > 0 && value <= 0xffff) {
            return new ByteWriter().u8(0x0b).u16((int) value).bytes();
        }
        if (value > 0 && value <= 0xffff_ffffL) {
            return new ByteWriter().u8(0x0c).u32(value).bytes();
        }
        return new ByteWriter().u8(0x0e).u64(value).bytes();
    }

    static byte[] string(String text) {
        return new ByteWriter()
                .u8(0x0d)
                .add(text.getBytes(StandardCharsets.US_ASCII))
                .u8(0)
                .bytes();
    }

    /// A compressed EISA id: `PNP0A08`.
    static byte[] eisaId(String id) {
        int compressed = (id.charAt(0) - 0x40) << 26
                | (id.charAt(1) - 0x40) << 21
                | (id.charAt(2) - 0x40) << 16
                | Integer.parseInt(id.substring(3), 16);
        return new ByteWriter().u8(0x0c).u32(Integer.reverseBytes(compressed)).bytes();
    }

    static byte[] buffer(byte[] content) {
        return withLength(op(0x11), join(integer(content.length), content));
    }

    static byte[] pack(byte[]... elements) {
        return withLength(op(0x12), join(op(elements.length), join(elements)));
    }

    /// A UUID as `ToUUID` encodes it: the first three groups little-endian.
    static byte[] uuid(String text) {
        String digits = text.replace("-", "");
        int[] order = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
        var writer = new ByteWriter();
        for (int i : order) {
            writer.u8(Integer.parseInt(digits.substring(2 * i, 2 * i + 2), 16));
        }
        return buffer(writer.bytes());
    }

    static byte[] local(int number) {
        return op(0x60 + number);
    }

    static byte[] argument(int number) {
        return op(0x68 + number);
    }

    static byte[] store(byte[] value, byte[] target) {
        return join(op(0x70), value, target);
    }

    static byte[] and(byte[] a, byte[] b, byte[] target) {
        return join(op(0x7b), a, b, target);
    }

    static byte[] or(byte[] a, byte[] b, byte[] target) {
        return join(op(0x7d), a, b, target);
    }

    static byte[] equal(byte[] a, byte[] b) {
        return join(op(0x93), a, b);
    }

    static byte[] not(byte[] condition) {
        return join(op(0x92), condition);
    }

    static byte[] when(byte[] condition, byte[]... body) {
        return withLength(op(0xa0), join(condition, join(body)));
    }

    static byte[] otherwise(byte[]... body) {
        return withLength(op(0xa1), join(body));
    }

    static byte[] giveBack(byte[] value) {
        return join(op(0xa4), value);
    }

    static byte[] doubleWordField(byte[] source, int offsetBytes, String path) {
        return join(op(0x8a), source, integer(offsetBytes), name(path));
    }

    static byte[] name(String path) {
        var writer = new ByteWriter();
        int start = 0;
        while (start < path.length() && (path.charAt(start) == '\\' || path.charAt(start) == '^')) {
            writer.u8(path.charAt(start++));
        }
        if (start == path.length()) {
            return writer.u8(0).bytes();
        }
        String[] segments = path.substring(start).split("\\.", -1);
        if (segments.length == 2) {
            writer.u8(0x2e);
        } else if (segments.length > 2) {
            writer.u8(0x2f).u8(segments.length);
        }
        for (String segment : segments) {
            if (segment.isEmpty() || segment.length() > 4) {
                throw new IllegalArgumentException("'%s' is no ACPI path".formatted(path));
            }
            writer.text(segment, 4, '_');
        }
        return writer.bytes();
    }

    static byte[] op(int... bytes) {
        var writer = new ByteWriter();
        for (int b : bytes) {
            writer.u8(b);
        }
        return writer.bytes();
    }

    /// Puts a PkgLength between operator and body; it counts itself (ACPI 6.5, 20.2.4).
    private static byte[] withLength(byte[] operator, byte[] body) {
        var writer = new ByteWriter().add(operator);
        if (body.length + 1 < 1 << 6) {
            writer.u8(body.length + 1);
        } else {
            int following = body.length + 2 < 1 << 12 ? 1 : body.length + 3 < 1 << 20 ? 2 : 3;
            int length = body.length + 1 + following;
            writer.u8(following << 6 | length & 0xf);
            writer.number(length >>> 4, following);
        }
        return writer.add(body).bytes();
    }
}
