package org.jvirt.devices.interrupt;

import org.jvirt.core.IoDevice;
import org.jvirt.core.interrupt.PicState;
import org.jvirt.devices.ByteDevice;

/// The two cascaded 8259As of a PC, and their ELCR. Thread-safe: one lock, never held while INTR is announced.
final class PicPair {
    static final int CASCADE = 2;

    private final Runnable intrChanged;
    private final Pic master;
    private final Pic slave;
    private volatile boolean intr;

    /// @param intrChanged called after [#intr] changed, without lock
    PicPair(PicState master, PicState slave, Runnable intrChanged) {
        this.master = new Pic(true, master);
        this.slave = new Pic(false, slave);
        this.intrChanged = intrChanged;
        intr = this.master.output();
    }

    /// The level of the INTR wire.
    boolean intr() {
        return intr;
    }

    synchronized PicState saveMaster() {
        return master.save();
    }

    synchronized PicState saveSlave() {
        return slave.save();
    }

    void reset() {
        boolean changed;
        synchronized (this) {
            master.reset();
            slave.reset();
            changed = settleLocked();
        }
        announce(changed);
    }

    /// @param irq 0–15, not 2
    void set(int irq, boolean high) {
        boolean changed;
        synchronized (this) {
            if (irq < 8) {
                master.setLine(irq, high);
            } else {
                slave.setLine(irq - 8, high);
            }
            changed = settleLocked();
        }
        announce(changed);
    }

    /// The processor's INTA cycles: a vector always, that of input 7 when the request is gone.
    int acknowledge() {
        int vector;
        boolean changed;
        synchronized (this) {
            int input = master.acknowledge();
            vector = input == CASCADE ? slave.vector(slave.acknowledge()) : master.vector(input);
            changed = settleLocked();
        }
        announce(changed);
        return vector;
    }

    /// Ports 0x20–0x21.
    IoDevice masterPorts() {
        return new Ports(master);
    }

    /// Ports 0xA0–0xA1.
    IoDevice slavePorts() {
        return new Ports(slave);
    }

    /// Ports 0x4D0–0x4D1, the edge/level control registers.
    IoDevice elcrPorts() {
        return new ElcrPorts();
    }

    /// Brings the cascade and INTR up to date; answers whether INTR changed.
    private boolean settleLocked() {
        master.setLine(CASCADE, slave.output());
        boolean level = master.output();
        boolean changed = level != intr;
        intr = level;
        return changed;
    }

    private void announce(boolean changed) {
        if (changed) {
            intrChanged.run();
        }
    }

    private final class Ports implements ByteDevice {
        private final Pic pic;

        Ports(Pic pic) {
            this.pic = pic;
        }

        @Override
        public int readByte(int offset) {
            int value;
            boolean changed;
            synchronized (PicPair.this) {
                value = pic.read(offset);
                changed = settleLocked();
            }
            announce(changed);
            return value;
        }

        @Override
        public void writeByte(int offset, int value) {
            boolean changed;
            synchronized (PicPair.this) {
                pic.write(offset, value);
                changed = settleLocked();
            }
            announce(changed);
        }
    }

    private final class ElcrPorts implements ByteDevice {
        @Override
        public int readByte(int offset) {
            synchronized (PicPair.this) {
                return (offset == 0 ? master : slave).elcr();
            }
        }

        @Override
        public void writeByte(int offset, int value) {
            boolean changed;
            synchronized (PicPair.this) {
                (offset == 0 ? master : slave).writeElcr(value);
                changed = settleLocked();
            }
            announce(changed);
        }
    }
}
