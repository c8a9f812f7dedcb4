package org.jvirt.engine.kvm;

import java.util.OptionalLong;

/// How a VM uses KVM.
///
/// @param haltPollNanos     how long a halted vCPU polls before its thread sleeps; empty for the host's setting
///                          (`kvm.halt_poll_ns`)
/// @param dirtyRingEntries  0 for a bitmap of dirty pages, else the entries of each vCPU's ring, a power of two
public record KvmOptions(OptionalLong haltPollNanos, int dirtyRingEntries) {
    public static final KvmOptions DEFAULT = new KvmOptions(OptionalLong.empty(), 0);

    public KvmOptions {
        if (haltPollNanos.isPresent()
                && (haltPollNanos.getAsLong() < 0 || haltPollNanos.getAsLong() > 1_000_000_000L)) {
            throw new IllegalArgumentException(
                    "haltPollNanos: %d is not within 0–1 s".formatted(haltPollNanos.getAsLong()));
        }
        if (dirtyRingEntries < 0 || Integer.bitCount(dirtyRingEntries) > 1) {
            throw new IllegalArgumentException("dirtyRingEntries: %d is no power of two".formatted(dirtyRingEntries));
        }
    }

    public KvmOptions withHaltPollNanos(long nanos) {
        return new KvmOptions(OptionalLong.of(nanos), dirtyRingEntries);
    }

    public KvmOptions withDirtyRing(int entries) {
        return new KvmOptions(haltPollNanos, entries);
    }
}
