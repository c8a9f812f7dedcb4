package org.jvirt.devices.virtio.console;

import java.util.List;

/// @param control control messages that the guest has not taken yet
public record ConsoleState(int columns, int rows, List<PortState> ports, List<byte[]> control) {
    public ConsoleState {
        ports = List.copyOf(ports);
        control = control.stream().map(byte[]::clone).toList();
    }

    @Override
    public List<byte[]> control() {
        return control.stream().map(byte[]::clone).toList();
    }
}
