package org.jvirt.engine.kvm;

import java.util.List;
import org.jvirt.core.ExitHandler;
import org.jvirt.core.MemorySlot;

/// Answers a vCPU's port and register accesses from the machine. The vCPU's thread; allocates nothing.
final class DeviceExits {
    private final RunPage page;
    private final ExitHandler io;
    private final MemorySlot[] readOnly;

    /// @param readOnly memory whose stores come as register accesses; they are lost
    DeviceExits(RunPage page, ExitHandler io, List<MemorySlot> readOnly) {
        this.page = page;
        this.io = io;
        this.readOnly = readOnly.toArray(MemorySlot[]::new);
    }

    /// `KVM_EXIT_IO`: one access, or the elements of a string instruction.
    void port() {
        int port = page.ioPort();
        int size = page.ioSize();
        int count = page.ioCount();
        long at = page.ioDataOffset();
        if (page.ioOut()) {
            for (int i = 0; i < count; i++, at += size) {
                io.writePort(port, size, page.data(at, size));
            }
        } else {
            for (int i = 0; i < count; i++, at += size) {
                page.setData(at, size, io.readPort(port, size));
            }
        }
    }

    /// `KVM_EXIT_MMIO`: up to 8 bytes. A part of an access that crosses a page can have an odd length; it goes to
    /// the device in pieces of 4, 2 and 1 bytes.
    void mmio() {
        long gpa = page.mmioGpa();
        int left = page.mmioLength();
        boolean write = page.mmioWrite();
        if (write && isReadOnly(gpa)) {
            return;
        }
        long at = RunPage.MMIO_DATA;
        while (left > 0) {
            int size = Integer.highestOneBit(Math.min(left, Long.BYTES));
            if (write) {
                io.writeMmio(gpa, size, page.data(at, size));
            } else {
                page.setData(at, size, io.readMmio(gpa, size));
            }
            gpa += size;
            at += size;
            left -= size;
        }
    }

    private boolean isReadOnly(long gpa) {
        for (MemorySlot slot : readOnly) {
            if (slot.contains(gpa)) {
                return true;
            }
        }
        return false;
    }
}
