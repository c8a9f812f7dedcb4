package org.jvirt.devices.virtio.console;

/// @param guestOpen whether a program in the guest has the port open
/// @param input     bytes from the backend that the guest has not taken yet
public record PortState(boolean guestOpen, byte[] input) {
    public PortState {
        input = input.clone();
    }

    @Override
    public byte[] input() {
        return input.clone();
    }
}
