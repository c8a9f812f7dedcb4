package org.jvirt.core;

/// A range of guest-physical addresses that is memory.
///
/// @param gpa           first address, a multiple of the page size
/// @param sizeBytes     a multiple of the page size
/// @param offsetBytes   where it lies in [GuestMemory#backing]
/// @param readOnly      firmware: guest writes are lost
public record MemorySlot(int id, long gpa, long sizeBytes, long offsetBytes, boolean readOnly) {
    public MemorySlot {
        if (((gpa | sizeBytes | offsetBytes) & (GuestMemory.PAGE_BYTES - 1)) != 0 || sizeBytes <= 0 || gpa < 0) {
            throw new IllegalArgumentException("Slot %d: 0x%x+0x%x at offset 0x%x is not made of whole 4 KiB pages"
                    .formatted(id, gpa, sizeBytes, offsetBytes));
        }
    }

    public boolean contains(long address) {
        return address - gpa >= 0 && address - gpa < sizeBytes;
    }

    public long end() {
        return gpa + sizeBytes;
    }
}
