package org.jvirt.devices.fwcfg;

import java.util.List;
import java.util.Map;

/// What the firmware configuration device remembers.
///
/// @param key        selected item
/// @param offset     next byte of it
/// @param dmaAddress the DMA address register
/// @param written    content of the writable files the guest has written, by name
public record FwCfgState(int key, int offset, long dmaAddress, Map<String, List<Byte>> written) {
    public FwCfgState {
        written = Map.copyOf(written);
    }
}
