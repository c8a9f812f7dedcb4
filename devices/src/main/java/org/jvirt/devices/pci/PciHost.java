package org.jvirt.devices.pci;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.Bus;
import org.jvirt.core.IoDevice;
import org.jvirt.core.MsiSink;

/// The root of PCI: finds the function a configuration access is meant for.
///
/// ```
/// port 0xCF8  ─ address latch ─┐
/// port 0xCFC  ─ data ──────────┼─► function (bus, device, function) ─► ConfigSpace, BARs
/// ECAM window ─ bus·2^20 + … ──┘
/// ```
///
/// Thread-safe: one lock serialises all configuration accesses, as the one address latch does on real machines.
/// Port 0xCF9 lies inside this range; byte accesses to it go to the reset-control register given.
public final class PciHost {
    private static final int ADDRESS_PORT = 0xcf8;
    private static final int DATA = 4;
    private static final int RESET_CONTROL = 1;
    private static final int ENABLE = 1 << 31;
    private static final int SLOTS_PER_BUS = 256;

    private final Bus ports;
    private final Bus mmio;
    private final MsiSink msi;
    private final IntxRouter router;
    private final Optional<IoDevice> resetControl;
    private final Object lock = new Object();
    private final PciFunction[][] functions = new PciFunction[256][]; // by bus, then device and function
    private int addressLatch; // guarded by lock
    private Bus.@Nullable Mapping ecam; // guarded by lock

    /// @param resetControl the register at port 0xCF9
    public PciHost(Bus ports, Bus mmio, MsiSink msi, IntxRouter router, Optional<IoDevice> resetControl) {
        this.ports = ports;
        this.mmio = mmio;
        this.msi = msi;
        this.router = router;
        this.resetControl = resetControl;
        ports.map("pci-config", ADDRESS_PORT, 8, new ConfigPorts());
    }

    /// Puts a function on a bus. When the machine is built, before the guest runs.
    public void add(PciAddress at, PciFunction function) {
        synchronized (lock) {
            PciFunction[] bus = functions[at.bus()];
            if (bus == null) {
                bus = new PciFunction[SLOTS_PER_BUS];
                functions[at.bus()] = bus;
            }
            if (bus[at.devfn()] != null) {
                throw new IllegalArgumentException(
                        "Cannot put %s at %s: %s is there".formatted(function.name(), at, bus[at.devfn()].name()));
            }
            function.attach(this, at);
            bus[at.devfn()] = function;
        }
    }

    /// Puts a function on the first free device number of bus 0, from `firstDevice` on.
    public PciAddress addAtFreeDevice(int firstDevice, PciFunction function) {
        synchronized (lock) {
            for (int device = firstDevice; device < 32; device++) {
                PciAddress at = PciAddress.of(device, 0);
                if (functionAt(0, at.devfn()) == null) {
                    add(at, function);
                    return at;
                }
            }
        }
        throw new IllegalArgumentException("No free PCI device number for " + function.name());
    }

    /// All functions, by address.
    public List<PciFunction> functions() {
        var all = new ArrayList<PciFunction>();
        synchronized (lock) {
            for (PciFunction[] bus : functions) {
                if (bus != null) {
                    for (PciFunction function : bus) {
                        if (function != null) {
                            all.add(function);
                        }
                    }
                }
            }
        }
        return all;
    }

    /// Resets every function, in order of address. BARs lose their addresses: firmware, or [PciAllocator], must run
    /// again. Waits for devices; not for vCPU threads.
    public void reset() {
        synchronized (lock) {
            addressLatch = 0;
        }
        for (PciFunction function : functions()) {
            function.reset();
        }
    }

    /// A configuration read, 1, 2 or 4 bytes; all ones where there is nothing.
    public long readConfig(PciAddress at, int offset, int size) {
        return read(at.bus(), at.devfn(), offset, size);
    }

    public void writeConfig(PciAddress at, int offset, int size, long value) {
        write(at.bus(), at.devfn(), offset, size, value);
    }

    Object lock() {
        return lock;
    }

    MsiSink msi() {
        return msi;
    }

    IntxRouter router() {
        return router;
    }

    Bus ports() {
        return ports;
    }

    Bus mmio() {
        return mmio;
    }

    Bus busOf(BarKind kind) {
        return kind == BarKind.IO ? ports : mmio;
    }

    /// Moves the memory-mapped window; an empty base switches it off. Answers whether it is visible as asked.
    boolean placeEcam(long base, int buses) {
        synchronized (lock) {
            Bus.Mapping old = ecam;
            if (old != null && buses > 0 && old.start() == base && old.length() == (long) buses << 20) {
                return true;
            }
            if (old != null) {
                mmio.unmap(old);
                ecam = null;
            }
            boolean visible = true;
            if (buses > 0) {
                try {
                    ecam = mmio.map("pci-ecam", base, (long) buses << 20, new EcamWindow());
                } catch (IllegalArgumentException taken) {
                    visible = false;
                }
            }
            showHiddenLocked();
            return visible;
        }
    }

    private @Nullable PciFunction functionAt(int bus, int devfn) {
        PciFunction[] all = functions[bus];
        return all == null ? null : all[devfn];
    }

    private long read(int bus, int devfn, int offset, int size) {
        synchronized (lock) {
            PciFunction function = functionAt(bus, devfn);
            if (function == null || offset + size > ConfigSpace.BYTES) {
                return -1;
            }
            return function.readConfig(offset, size);
        }
    }

    private void write(int bus, int devfn, int offset, int size, long value) {
        synchronized (lock) {
            PciFunction function = functionAt(bus, devfn);
            if (function != null && offset + size <= ConfigSpace.BYTES && function.writeConfig(offset, size, value)) {
                showHiddenLocked();
            }
        }
    }

    private void showHiddenLocked() {
        for (PciFunction[] bus : functions) {
            if (bus != null) {
                for (PciFunction function : bus) {
                    if (function != null) {
                        for (Bar bar : function.bars()) {
                            bar.tryMap(busOf(bar.kind()));
                        }
                    }
                }
            }
        }
    }

    /// What the address latch holds, for saving.
    public PciHostState save() {
        synchronized (lock) {
            return new PciHostState(addressLatch);
        }
    }

    /// Takes over a saved latch; before the guest runs.
    public void restore(PciHostState state) {
        synchronized (lock) {
            addressLatch = state.addressLatch();
        }
    }

    /// All BARs of all functions, largest first.
    List<PlacedBar> bars() {
        var all = new ArrayList<PlacedBar>();
        for (PciFunction function : functions()) {
            for (Bar bar : function.bars()) {
                function.address().ifPresent(at -> all.add(new PlacedBar(at, bar)));
            }
        }
        all.sort(Comparator.comparingLong((PlacedBar placed) -> placed.bar().sizeBytes())
                .reversed());
        return all;
    }

    record PlacedBar(PciAddress at, Bar bar) {}

    private final class ConfigPorts implements IoDevice {
        @Override
        public long read(long offset, int size) {
            int at = (int) offset;
            if (at == 0 && size == 4) {
                synchronized (lock) {
                    return addressLatch & 0xffff_ffffL;
                }
            }
            if (at == RESET_CONTROL && size == 1 && resetControl.isPresent()) {
                return resetControl.get().read(0, 1);
            }
            if (at < DATA) {
                return -1;
            }
            synchronized (lock) {
                int latch = addressLatch;
                return (latch & ENABLE) == 0
                        ? -1
                        : PciHost.this.read(latch >>> 16 & 0xff, latch >>> 8 & 0xff, (latch & 0xfc) + at - DATA, size);
            }
        }

        @Override
        public void write(long offset, int size, long value) {
            int at = (int) offset;
            if (at == 0 && size == 4) {
                synchronized (lock) {
                    addressLatch = (int) value & 0x80ff_fffc;
                }
            } else if (at == RESET_CONTROL && size == 1 && resetControl.isPresent()) {
                resetControl.get().write(0, 1, value);
            } else if (at >= DATA) {
                synchronized (lock) {
                    int latch = addressLatch;
                    if ((latch & ENABLE) != 0) {
                        int register = (latch & 0xfc) + at - DATA;
                        PciHost.this.write(latch >>> 16 & 0xff, latch >>> 8 & 0xff, register, size, value);
                    }
                }
            }
        }
    }

    private final class EcamWindow implements IoDevice {
        @Override
        public long read(long offset, int size) {
            if (size == 8) {
                return read(offset, 4) & 0xffff_ffffL | read(offset + 4, 4) << 32;
            }
            return PciHost.this.read((int) (offset >>> 20), (int) (offset >>> 12) & 0xff, (int) offset & 0xfff, size);
        }

        @Override
        public void write(long offset, int size, long value) {
            if (size == 8) {
                write(offset, 4, value & 0xffff_ffffL);
                write(offset + 4, 4, value >>> 32);
                return;
            }
            int devfn = (int) (offset >>> 12) & 0xff;
            PciHost.this.write((int) (offset >>> 20), devfn, (int) offset & 0xfff, size, value);
        }
    }
}
