package org.jvirt.devices.fwcfg;

import java.util.Arrays;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// One item: a size fixed for good, content made when it is selected, and perhaps a listener that makes it
/// writable.
///
/// @param writes called with the new content; never for read-only items
record FwCfgItem(int size, Supplier<byte[]> content, boolean writable, Consumer<byte[]> writes) {
    static FwCfgItem of(byte[] bytes) {
        byte[] copy = bytes.clone();
        return new FwCfgItem(copy.length, () -> copy, false, written -> {});
    }

    /// Exactly `size` bytes, whatever the supplier gives.
    byte[] bytes() {
        byte[] bytes = content.get();
        return bytes.length == size ? bytes : Arrays.copyOf(bytes, size);
    }
}
