package org.jvirt.devices.legacy;

import java.util.function.IntConsumer;
import org.jvirt.devices.ByteDevice;

/// A port to which firmware writes messages, byte by byte: 0x402 (SeaBIOS, OVMF) or 0xE9. Reading it answers 0xE9,
/// the sign that somebody listens. Thread-safe if the sink is.
public final class DebugPort implements ByteDevice {
    private static final int PRESENT = 0xe9;

    private final IntConsumer sink;

    /// @param sink takes one byte, 0–255; must not block
    public DebugPort(IntConsumer sink) {
        this.sink = sink;
    }

    @Override
    public int readByte(int offset) {
        return PRESENT;
    }

    @Override
    public void writeByte(int offset, int value) {
        sink.accept(value);
    }
}
