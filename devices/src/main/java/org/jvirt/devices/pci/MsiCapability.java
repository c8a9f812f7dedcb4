package org.jvirt.devices.pci;

/// Message-signalled interrupts with 64-bit address and a mask bit for each vector (PCI 3.0 §6.8.1).
///
/// ```
/// +0  id 05h, next   message control
/// +4  address, low
/// +8  address, high
/// +c  data (16 bits)
/// +10 mask bits
/// +14 pending bits
/// ```
///
/// [#raise] may be called by any thread; the owner calls [#written] from [PciFunction#configWritten].
public final class MsiCapability {
    private static final int ID = 0x05;
    private static final int LENGTH = 0x18;
    private static final int CONTROL = 2;
    private static final int CONTROL_ENABLE = 1;
    private static final int CONTROL_64_BIT = 0x80;
    private static final int CONTROL_MASKING = 0x100;
    private static final int ADDRESS = 4;
    private static final int DATA = 0xc;
    private static final int MASK = 0x10;
    private static final int PENDING = 0x14;

    private final PciFunction function;
    private final ConfigSpace config;
    private final int vectors;
    private final int at;
    private boolean enabled; // guarded by this, as all below
    private long address;
    private int data;
    private int granted;
    private int mask;
    private int pending;

    /// Adds the capability to a function that is being built.
    ///
    /// @param vectors 1, 2, 4, 8, 16 or 32
    public MsiCapability(PciFunction function, int vectors) {
        if (Integer.bitCount(vectors) != 1 || vectors > 32) {
            throw new IllegalArgumentException("MSI with %d vectors".formatted(vectors));
        }
        this.function = function;
        this.vectors = vectors;
        config = function.config();
        at = function.addCapability(ID, LENGTH);
        int log = Integer.numberOfTrailingZeros(vectors);
        config.set(at + CONTROL, 2, CONTROL_64_BIT | CONTROL_MASKING | log << 1);
        config.allow(at + CONTROL, 2, CONTROL_ENABLE | 0x70);
        config.allow(at + ADDRESS, 8, -4L);
        config.allow(at + DATA, 2, 0xffff);
        config.allow(at + MASK, 4, vectors == 32 ? -1L : (1L << vectors) - 1);
    }

    public synchronized boolean enabled() {
        return enabled;
    }

    /// Follows a guest's write to configuration space.
    public synchronized void written() {
        int control = (int) config.read(at + CONTROL, 2);
        enabled = (control & CONTROL_ENABLE) != 0;
        granted = Math.min(vectors, 1 << (control >> 4 & 7));
        address = config.read(at + ADDRESS, 8);
        data = (int) config.read(at + DATA, 2);
        mask = (int) config.read(at + MASK, 4);
        int due = enabled ? pending & ~mask : 0;
        pending &= ~due;
        config.set(at + PENDING, 4, pending);
        for (int vector = 0; vector < vectors; vector++) {
            if ((due >> vector & 1) != 0) {
                send(vector);
            }
        }
    }

    /// Brings the pending bits up to date before the guest reads them; from [PciFunction#configReading].
    public synchronized void reading() {
        config.set(at + PENDING, 4, pending);
    }

    /// Sends the vector's message, or leaves it pending while masked. Does nothing while MSI is off.
    public synchronized void raise(int vector) {
        if (!enabled || vector < 0 || vector >= vectors) {
            return;
        }
        if ((mask >> vector & 1) != 0) {
            pending |= 1 << vector;
        } else {
            send(vector);
        }
    }

    private void send(int vector) {
        // A guest that grants fewer vectors than asked for gets the low ones shared.
        function.sendMessage(address, data & -granted | vector & granted - 1);
    }
}
