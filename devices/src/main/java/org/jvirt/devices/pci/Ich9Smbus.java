package org.jvirt.devices.pci;

import java.util.Arrays;
import org.jvirt.core.IoDevice;
import org.jvirt.core.Snapshottable;

/// The SMBus controller of ICH9, function 3 of device 31, with nobody on its bus: every transfer ends at once with
/// "device error", as when no slave acknowledges (ICH9 §18).
public final class Ich9Smbus extends PciFunction implements Snapshottable<Ich9Smbus.State> {
    private static final int HOST_CONFIG = 0x40;
    private static final int PORTS = 32;
    private static final int HOST_STATUS = 0;
    private static final int HOST_CONTROL = 2;
    private static final int STATUS_DEVICE_ERROR = 0x04;
    private static final int STATUS_CLEARED_BY_ONE = 0xfe;
    private static final int CONTROL_INTERRUPT = 0x01;
    private static final int CONTROL_START = 0x40;

    private final byte[] registers = new byte[PORTS]; // guarded by itself

    /// @param registers the 32 ports
    public record State(PciFunctionState function, byte[] registers) {
        public State {
            registers = registers.clone();
        }

        @Override
        public byte[] registers() {
            return registers.clone();
        }
    }

    public Ich9Smbus() {
        super("ich9-smbus", new PciIdentity(0x8086, 0x2930, 2, 0x0c0500, 0x1af4, 0x1100));
        usePin(1);
        config().allow(HOST_CONFIG, 1, 0x07);
        addBar(4, BarKind.IO, PORTS, new Ports());
    }

    @Override
    protected void deviceReset() {
        synchronized (registers) {
            Arrays.fill(registers, (byte) 0);
        }
    }

    @Override
    public String id() {
        return name();
    }

    @Override
    public State save() {
        PciFunctionState function = saveFunction();
        synchronized (registers) {
            return new State(function, registers);
        }
    }

    /// Takes over saved state; right after this fresh controller was added to its host.
    public void restore(State state) {
        byte[] saved = state.registers();
        synchronized (registers) {
            System.arraycopy(saved, 0, registers, 0, PORTS);
        }
        restoreFunction(state.function());
    }

    private final class Ports implements IoDevice {
        @Override
        public long read(long offset, int size) {
            long value = 0;
            synchronized (registers) {
                for (int i = 0; i < size; i++) {
                    value |= (registers[(int) offset + i] & 0xffL) << 8 * i;
                }
            }
            return value;
        }

        @Override
        public void write(long offset, int size, long value) {
            boolean pin;
            synchronized (registers) {
                for (int i = 0; i < size; i++) {
                    writeByte((int) offset + i, (int) (value >>> 8 * i) & 0xff);
                }
                pin = registers[HOST_STATUS] != 0 && (registers[HOST_CONTROL] & CONTROL_INTERRUPT) != 0;
            }
            interrupt(pin);
        }

        private void writeByte(int at, int value) {
            if (at == HOST_STATUS) {
                registers[at] = (byte) (registers[at] & ~(value & STATUS_CLEARED_BY_ONE));
            } else if (at == HOST_CONTROL) {
                registers[at] = (byte) (value & ~CONTROL_START);
                if ((value & CONTROL_START) != 0) {
                    registers[HOST_STATUS] |= STATUS_DEVICE_ERROR;
                }
            } else {
                registers[at] = (byte) value;
            }
        }
    }
}
