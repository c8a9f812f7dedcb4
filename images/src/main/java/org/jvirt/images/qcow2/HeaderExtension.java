package org.jvirt.images.qcow2;

import java.util.Arrays;

/// One section behind the header. Unknown ones are kept as they are.
record HeaderExtension(int type, byte[] data) {
    static final int END = 0;
    static final int BACKING_FORMAT = 0xe279_2aca;
    static final int FEATURE_NAMES = 0x6803_f857;
    static final int BITMAPS = 0x2385_2875;
    static final int ENCRYPTION = 0x0537_be77;
    static final int DATA_FILE = 0x4441_5441;

    /// What it takes in the file.
    int storedBytes() {
        return 8 + (data.length + 7 & ~7);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof HeaderExtension that && type == that.type && Arrays.equals(data, that.data);
    }

    @Override
    public int hashCode() {
        return 31 * type + Arrays.hashCode(data);
    }

    @Override
    public String toString() {
        return "HeaderExtension[0x%08x, %d bytes]".formatted(type, data.length);
    }
}
