package org.jvirt.engine.kvm;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// What stands behind this host's `/dev/kvm`.
enum KvmHost {
    INTEL,
    AMD,
    /// QEMU without acceleration, which shows its guests AMD's virtualization.
    QEMU_EMULATION,
    /// The kernel's own emulation of processors.
    NO_HARDWARE;

    static KvmHost current() {
        if (!KvmProbe.probe().hardware()) {
            return NO_HARDWARE;
        }
        try {
            String processors = Files.readString(Path.of("/proc/cpuinfo"));
            if (processors.contains("QEMU TCG CPU")) {
                return QEMU_EMULATION;
            }
            return processors.contains("GenuineIntel") ? INTEL : AMD;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
