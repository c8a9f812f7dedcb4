package org.jvirt.core.interrupt;

import java.util.List;

/// What all interrupt controllers remember.
///
/// @param apics by vCPU
public record PcInterruptsState(
        ApicConfig config, PicState master, PicState slave, IoApicState ioApic, List<LocalApicState> apics) {
    public PcInterruptsState {
        apics = List.copyOf(apics);
        if (apics.size() != config.vcpus()) {
            throw new IllegalArgumentException(
                    "%d local APICs saved for %d vCPUs".formatted(apics.size(), config.vcpus()));
        }
    }
}
