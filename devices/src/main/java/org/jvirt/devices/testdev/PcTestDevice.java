package org.jvirt.devices.testdev;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import org.jvirt.core.Bus;
import org.jvirt.core.InterruptLine;
import org.jvirt.core.IoDevice;
import org.jvirt.core.Snapshottable;
import org.jvirt.devices.pci.DeviceName;

/// `pc-testdev`: a few registers that do what a test wants to observe.
///
/// ```
/// port 0xE0–0xE3      a 32-bit register, reachable in any width
/// port 0xE4–0xE7      "flush": the page whose address is written is to be looked up anew
/// port 0xE8–0xEB      the same 32-bit register, byte by byte
/// port 0x2000–0x2017  the level of interrupt line 0–23
/// 0xFF00_0000         64 KiB of memory, reached as device registers
/// ```
///
/// Guest memory never moves, so "flush" has nothing to do. Thread-safe.
public final class PcTestDevice implements Snapshottable<PcTestDevice.State> {
    public static final DeviceName NAME =
            new DeviceName("pc-testdev", List.of(), "ports and interrupt lines for test kernels");

    private static final int IO_PORT = 0xe0;
    private static final int FLUSH_PORT = 0xe4;
    private static final int BYTE_PORT = 0xe8;
    private static final int IRQ_PORT = 0x2000;
    private static final int IRQ_LINES = 24;
    private static final long MEMORY_BASE = 0xff00_0000L;
    private static final int MEMORY_BYTES = 0x10000;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final byte[] register = new byte[4]; // guarded by this, as all below
    private final byte[] memory = new byte[MEMORY_BYTES + Long.BYTES];

    /// @param register the 32-bit register
    /// @param memory   the 64 KiB
    public record State(byte[] register, byte[] memory) {
        public State {
            register = register.clone();
            memory = memory.clone();
        }

        @Override
        public byte[] register() {
            return register.clone();
        }

        @Override
        public byte[] memory() {
            return memory.clone();
        }
    }

    /// @param lines the machine's interrupt lines by GSI
    public PcTestDevice(Bus ports, Bus mmio, IntFunction<InterruptLine> lines) {
        ports.map("pc-testdev", IO_PORT, 4, new Register());
        ports.map("pc-testdev-flush", FLUSH_PORT, 4, new Flush());
        ports.map("pc-testdev-byte", BYTE_PORT, 4, new Register());
        ports.map("pc-testdev-irq", IRQ_PORT, IRQ_LINES, new Lines(lines));
        mmio.map("pc-testdev-memory", MEMORY_BASE, MEMORY_BYTES, new Memory());
    }

    /// A device as it was saved. Interrupt lines are not saved: their levels are the interrupt controllers' state.
    public PcTestDevice(Bus ports, Bus mmio, IntFunction<InterruptLine> lines, State saved) {
        this(ports, mmio, lines);
        System.arraycopy(saved.register(), 0, register, 0, register.length);
        System.arraycopy(saved.memory(), 0, memory, 0, MEMORY_BYTES);
    }

    @Override
    public String id() {
        return "pc-testdev";
    }

    @Override
    public synchronized State save() {
        return new State(register, Arrays.copyOf(memory, MEMORY_BYTES));
    }

    private final class Register implements IoDevice {
        @Override
        public long read(long offset, int size) {
            long value = 0;
            synchronized (PcTestDevice.this) {
                for (int i = 0; i < size; i++) {
                    value |= (register[(int) offset + i] & 0xffL) << 8 * i;
                }
            }
            return value;
        }

        @Override
        public void write(long offset, int size, long value) {
            synchronized (PcTestDevice.this) {
                for (int i = 0; i < size; i++) {
                    register[(int) offset + i] = (byte) (value >>> 8 * i);
                }
            }
        }
    }

    private final class Memory implements IoDevice {
        @Override
        public long read(long offset, int size) {
            synchronized (PcTestDevice.this) {
                long value = MemorySegment.ofArray(memory).get(LONG, offset);
                return size == 8 ? value : value & (1L << 8 * size) - 1;
            }
        }

        @Override
        public void write(long offset, int size, long value) {
            synchronized (PcTestDevice.this) {
                for (int i = 0; i < size; i++) {
                    memory[(int) offset + i] = (byte) (value >>> 8 * i);
                }
            }
        }
    }

    private static final class Flush implements IoDevice {
        @Override
        public long read(long offset, int size) {
            return 0;
        }

        @Override
        public void write(long offset, int size, long value) {}
    }

    private static final class Lines implements IoDevice {
        private final InterruptLine[] lines = new InterruptLine[IRQ_LINES];

        Lines(IntFunction<InterruptLine> lines) {
            for (int gsi = 0; gsi < IRQ_LINES; gsi++) {
                this.lines[gsi] = lines.apply(gsi);
            }
        }

        @Override
        public long read(long offset, int size) {
            return 0;
        }

        @Override
        public void write(long offset, int size, long value) {
            lines[(int) offset].set(value != 0);
        }
    }
}
