package org.jvirt.devices.ahci;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.GuestMemory;
import org.jvirt.core.IoDevice;
import org.jvirt.devices.pci.BarKind;
import org.jvirt.devices.pci.MsiCapability;
import org.jvirt.devices.pci.PciFunction;
import org.jvirt.devices.pci.PciIdentity;
import org.jvirt.devices.work.QueueRunner;
import org.jvirt.devices.work.WorkerGroup;
import org.jvirt.devices.work.WorkingFunction;

/// The SATA controller of ICH9 in AHCI mode, function 2 of device 31, with six ports (AHCI §3; ICH9 §15).
///
/// ```
/// BAR 4   32 ports  index and data pair for the registers
/// BAR 5   4 KiB     0x000 host: capabilities, control, interrupts
///                   0x100 + 0x80·n  port n
/// ```
///
/// Registers are 32 bits wide; narrower accesses see parts of them. Thread-safe; [#pause], [#resume], [#reset] and
/// [#close] are for the machine's own thread.
public final class AhciController extends PciFunction implements WorkingFunction {
    /// How many devices there is room for.
    public static final int PORTS = 6;

    private static final int REGISTER_BAR = 5;
    private static final int REGISTER_BYTES = 0x1000;
    private static final int INDEX_BAR = 4;
    private static final int INDEX_BYTES = 32;
    private static final int INDEX = 0x10;
    private static final int DATA = 0x14;
    private static final int FIRST_PORT = 0x100;
    private static final int FIRST_CAPABILITY = 0x80;
    private static final int SATA_CAPABILITY = 0x12;
    private static final int SATA_CAPABILITY_BYTES = 8;

    private static final int CAP = 0x00;
    private static final int GHC = 0x04;
    private static final int IS = 0x08;
    private static final int PI = 0x0c;
    private static final int VS = 0x10;

    /// 64-bit addresses, native command queuing, command list override, 3 Gbit/s, AHCI only, 32 slots.
    private static final int CAPABILITIES = 1 << 31 | 1 << 30 | 1 << 24 | 2 << 20 | 1 << 18 | 31 << 8 | PORTS - 1;

    private static final int VERSION_1_3_1 = 0x0001_0301;
    private static final int GHC_RESET = 1;
    private static final int GHC_INTERRUPTS = 1 << 1;
    private static final int GHC_AHCI = 1 << 31;

    private final Object lock = new Object();
    private final MsiCapability msi;
    private final List<AhciPort> ports = new ArrayList<>();
    private final WorkerGroup workers;
    private int control = GHC_AHCI; // guarded by lock, as all below
    private int interruptStatus;
    private int index;
    private boolean resetting;
    private boolean paused;

    /// @param name    of the device within its machine: `ahci0`
    /// @param devices by port; null where nothing is connected
    /// @param runners makes the ports' threads
    public AhciController(String name, @Nullable AtaDevice[] devices, GuestMemory memory, QueueRunner.Factory runners) {
        super(name, new PciIdentity(0x8086, 0x2922, 2, 0x010601, 0x1af4, 0x1100));
        if (devices.length > PORTS) {
            throw new IllegalArgumentException("%d devices on %d ports".formatted(devices.length, PORTS));
        }
        usePin(1);
        startCapabilitiesAt(FIRST_CAPABILITY);
        msi = new MsiCapability(this, 1);
        int at = addCapability(SATA_CAPABILITY, SATA_CAPABILITY_BYTES);
        config().set(at + 2, 2, 0x0010);
        config().set(at + 4, 4, INDEX_BAR + 4 | INDEX / 4 << 4);
        addBar(INDEX_BAR, BarKind.IO, INDEX_BYTES, new IndexPorts());
        addBar(REGISTER_BAR, BarKind.MEMORY_32, REGISTER_BYTES, new Registers());
        for (int i = 0; i < PORTS; i++) {
            int port = i;
            AtaDevice device = i < devices.length ? devices[i] : null;
            ports.add(new AhciPort(
                    name + "-p" + i, lock, device, memory, runners, () -> portChangedLocked(port), errors()));
        }
        workers = new WorkerGroup(ports.stream().map(AhciPort::worker).toList());
    }

    // ---- interrupts

    private void portChangedLocked(int port) {
        int before = interruptStatus;
        if (ports.get(port).interruptingLocked()) {
            interruptStatus |= 1 << port;
        }
        driveLocked(interruptStatus != before);
    }

    /// The pin follows the status; a message is sent for what is new in it.
    private void driveLocked(boolean news) {
        boolean wanted = (control & GHC_INTERRUPTS) != 0 && interruptStatus != 0;
        boolean messages = msi.enabled();
        interrupt(wanted && !messages);
        if (wanted && messages && news) {
            msi.raise(0);
        }
    }

    // ---- registers

    private int readRegister(int offset) {
        synchronized (lock) {
            if (offset >= FIRST_PORT) {
                int port = (offset - FIRST_PORT) / AhciPort.REGISTER_BYTES;
                return port < ports.size()
                        ? ports.get(port).readLocked((offset - FIRST_PORT) % AhciPort.REGISTER_BYTES)
                        : 0;
            }
            return switch (offset) {
                case CAP -> CAPABILITIES;
                case GHC -> control | (resetting ? GHC_RESET : 0);
                case IS -> interruptStatus;
                case PI -> (1 << PORTS) - 1;
                case VS -> VERSION_1_3_1;
                default -> 0;
            };
        }
    }

    private void writeRegister(int offset, int value) {
        if (offset >= FIRST_PORT) {
            int number = (offset - FIRST_PORT) / AhciPort.REGISTER_BYTES;
            if (number < ports.size()) {
                AhciPort port = ports.get(number);
                AhciPort.After after;
                synchronized (lock) {
                    after = resetting
                            ? AhciPort.After.NOTHING
                            : port.writeLocked((offset - FIRST_PORT) % AhciPort.REGISTER_BYTES, value);
                }
                port.finish(after);
            }
            return;
        }
        switch (offset) {
            case GHC -> writeControl(value);
            case IS -> {
                synchronized (lock) {
                    interruptStatus &= ~value;
                    for (int i = 0; i < ports.size(); i++) {
                        // What still waits in the port raises its bit again.
                        if (ports.get(i).interruptingLocked()) {
                            interruptStatus |= 1 << i;
                        }
                    }
                    driveLocked(true);
                }
            }
            default -> {
                // read-only or reserved
            }
        }
    }

    private void writeControl(int value) {
        boolean begin;
        synchronized (lock) {
            begin = (value & GHC_RESET) != 0 && !resetting;
            if (begin) {
                resetting = true;
            } else if (!resetting) {
                int before = control;
                control = GHC_AHCI | value & GHC_INTERRUPTS;
                driveLocked(control != before);
            }
        }
        if (begin) {
            ports.forEach(port -> port.hold(true));
            workers.whenIdle(this::endReset);
        }
    }

    private void endReset() {
        ports.forEach(AhciPort::reset);
        synchronized (lock) {
            control = GHC_AHCI;
            interruptStatus = 0;
            resetting = false;
            driveLocked(false);
            ports.forEach(port -> port.hold(paused));
        }
    }

    @Override
    protected void configReading(int offset, int size) {
        msi.reading();
    }

    @Override
    protected void configWritten(int offset, int size) {
        msi.written();
        synchronized (lock) {
            driveLocked(false);
        }
    }

    // ---- life

    @Override
    protected void deviceReset() {
        ports.forEach(port -> port.hold(true));
        workers.awaitIdle(() -> {
            endReset();
            ports.forEach(AhciPort::powerOn);
        });
    }

    @Override
    public void pause() {
        synchronized (lock) {
            paused = true;
        }
        ports.forEach(port -> port.hold(true));
        workers.awaitIdle(() -> {});
    }

    @Override
    public void resume() {
        synchronized (lock) {
            paused = false;
        }
        ports.forEach(port -> port.hold(false));
        workers.wakeAll();
    }

    @Override
    public void close() {
        ports.forEach(port -> port.hold(true));
        workers.awaitIdle(() -> {});
        workers.close();
    }

    /// BAR 5.
    private final class Registers implements IoDevice {
        @Override
        public long read(long offset, int size) {
            int at = (int) offset & ~3;
            long value = readRegister(at) & 0xffff_ffffL;
            if (offset - at + size > 4) {
                value |= (long) readRegister(at + 4) << 32;
            }
            return value >>> 8 * (offset - at);
        }

        /// Writes narrower than a register, or across two, are of no use to anybody and lost.
        @Override
        public void write(long offset, int size, long value) {
            if ((offset & 3) != 0 || size < 4) {
                errors().report(() -> "write of %d bytes at 0x%x".formatted(size, offset));
                return;
            }
            writeRegister((int) offset, (int) value);
            if (size == 8) {
                writeRegister((int) offset + 4, (int) (value >>> 32));
            }
        }
    }

    /// BAR 4: the registers for those who cannot reach memory above 1 MiB (AHCI §3.4).
    private final class IndexPorts implements IoDevice {
        @Override
        public long read(long offset, int size) {
            int selected;
            synchronized (lock) {
                selected = index;
            }
            if (size == 4 && offset == INDEX) {
                return selected;
            }
            return size == 4 && offset == DATA ? readRegister(selected) & 0xffff_ffffL : 0;
        }

        @Override
        public void write(long offset, int size, long value) {
            if (size != 4) {
                return;
            }
            int selected;
            synchronized (lock) {
                if (offset == INDEX) {
                    index = (int) value & REGISTER_BYTES - 4;
                }
                selected = index;
            }
            if (offset == DATA) {
                writeRegister(selected, (int) value);
            }
        }
    }
}
