package org.jvirt.devices.pci;

/// A function's configuration space and MSI-X table.
///
/// @param config       4096 bytes
/// @param msixTable    four words a vector, or empty
/// @param msixPending  one bit a vector, or empty
public record PciFunctionState(byte[] config, int[] msixTable, long[] msixPending) {
    public PciFunctionState {
        if (config.length != ConfigSpace.BYTES) {
            throw new IllegalArgumentException("Configuration space of %d bytes".formatted(config.length));
        }
        config = config.clone();
        msixTable = msixTable.clone();
        msixPending = msixPending.clone();
    }

    @Override
    public byte[] config() {
        return config.clone();
    }

    @Override
    public int[] msixTable() {
        return msixTable.clone();
    }

    @Override
    public long[] msixPending() {
        return msixPending.clone();
    }
}
