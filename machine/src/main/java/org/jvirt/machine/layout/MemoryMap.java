package org.jvirt.machine.layout;

import java.util.ArrayList;
import java.util.List;
import org.jvirt.core.GuestMemory;
import org.jvirt.core.MemorySlot;
import org.jvirt.core.UserErrorException;

/// The guest-physical address space of a q35-like PC with a given amount of RAM.
///
/// ```
///            0 ── RAM ── 0xA_0000 ── VGA ── 0xC_0000 ── RAM (option ROMs, BIOS shadow) ── 0x10_0000
///    0x10_0000 ── RAM, at most to 0x8000_0000
///  0x8000_0000 ── PCI ── 0xB000_0000 ── ECAM, 256 buses ── 0xC000_0000 ── PCI ── 0xFEC0_0000
///  0xFEC0_0000    IO-APIC      0xFED0_0000 HPET      0xFEE0_0000 local APICs
///  4 GiB − n   ── BIOS ROM (where there is one)
///        4 GiB ── RAM that did not fit below ── PCI, 64-bit window
/// ```
///
/// In [GuestMemory#backing] RAM below 4 GiB lies at its own address, the rest follows, the BIOS comes last.
///
/// @param ramBytes  RAM of the guest, a multiple of 4 KiB
/// @param biosBytes size of the firmware image below 4 GiB, a multiple of 4 KiB, or 0
public record MemoryMap(long ramBytes, int biosBytes) {
    public static final long VGA = 0xa_0000;
    public static final long OPTION_ROMS = 0xc_0000;
    /// Where tables for directly booted kernels lie: RSDP and SMBIOS anchors are looked for from here to 1 MiB.
    public static final long BIOS_AREA = 0xe_0000;

    public static final long ONE_MIB = 1L << 20;
    /// The extended BIOS data area: the last KiB below 640 KiB.
    public static final long EBDA = 0x9_fc00;

    public static final long LOW_RAM_END = 0x8000_0000L;
    public static final long ECAM = 0xb000_0000L;
    public static final long ECAM_BYTES = 0x1000_0000L;
    public static final long PCI_WINDOW = 0xc000_0000L;
    public static final long PCI_WINDOW_END = 0xfec0_0000L;
    public static final long IO_APIC = 0xfec0_0000L;
    public static final long IO_APIC_BYTES = 0x1000;
    public static final long HPET = 0xfed0_0000L;
    public static final long HPET_BYTES = 0x400;
    public static final long LOCAL_APIC = 0xfee0_0000L;
    public static final long LOCAL_APIC_BYTES = 0x1000;
    public static final long FOUR_GIB = 1L << 32;
    /// How many bits a guest-physical address has.
    public static final int PHYSICAL_ADDRESS_BITS = 40;

    public static final long PCI_WINDOW64_BYTES = 32L << 30;
    public static final long MINIMUM_RAM_BYTES = 2 * ONE_MIB;
    public static final long MAXIMUM_RAM_BYTES = 768L << 30;

    private static final long GIB = 1L << 30;
    private static final int MAXIMUM_BIOS_BYTES = 16 << 20;

    public MemoryMap {
        if (ramBytes < MINIMUM_RAM_BYTES) {
            throw new UserErrorException("Memory of %s is too small for a PC: give at least %d MiB"
                    .formatted(size(ramBytes), MINIMUM_RAM_BYTES >> 20));
        }
        if (ramBytes > MAXIMUM_RAM_BYTES) {
            throw new UserErrorException("Memory of %s is more than the %d GiB that fit into %d address bits: give less"
                    .formatted(size(ramBytes), MAXIMUM_RAM_BYTES >> 30, PHYSICAL_ADDRESS_BITS));
        }
        if ((ramBytes & GuestMemory.PAGE_BYTES - 1) != 0) {
            throw new UserErrorException(
                    "Memory of %d bytes is not made of whole 4 KiB pages: give MiB or GiB".formatted(ramBytes));
        }
        if (biosBytes < 0 || biosBytes > MAXIMUM_BIOS_BYTES || biosBytes % GuestMemory.PAGE_BYTES != 0) {
            throw new UserErrorException("A firmware image has whole 4 KiB pages and at most %d MiB, not %d bytes"
                    .formatted(MAXIMUM_BIOS_BYTES >> 20, biosBytes));
        }
    }

    /// The end of RAM below 4 GiB.
    public long lowRamEnd() {
        return Math.min(ramBytes, LOW_RAM_END);
    }

    /// RAM from 4 GiB on.
    public long highRamBytes() {
        return ramBytes - lowRamEnd();
    }

    /// The end of all RAM, or 4 GiB where there is none above.
    public long highRamEnd() {
        return FOUR_GIB + highRamBytes();
    }

    public long pciWindow64() {
        return Math.ceilDiv(highRamEnd(), GIB) * GIB;
    }

    public long biosGpa() {
        return FOUR_GIB - biosBytes;
    }

    public long backingBytes() {
        return ramBytes + biosBytes;
    }

    public List<MemorySlot> slots() {
        var slots = new ArrayList<MemorySlot>();
        slots.add(new MemorySlot(0, 0, VGA, 0, false));
        slots.add(new MemorySlot(1, OPTION_ROMS, lowRamEnd() - OPTION_ROMS, OPTION_ROMS, false));
        if (highRamBytes() > 0) {
            slots.add(new MemorySlot(2, FOUR_GIB, highRamBytes(), LOW_RAM_END, false));
        }
        if (biosBytes > 0) {
            slots.add(new MemorySlot(3, biosGpa(), biosBytes, ramBytes, true));
        }
        return List.copyOf(slots);
    }

    /// What a kernel that is booted directly is told.
    public List<E820Entry> e820() {
        var entries = new ArrayList<E820Entry>();
        entries.add(new E820Entry(0, EBDA, E820Entry.Type.RAM));
        entries.add(new E820Entry(EBDA, VGA - EBDA, E820Entry.Type.RESERVED));
        entries.add(new E820Entry(BIOS_AREA, ONE_MIB - BIOS_AREA, E820Entry.Type.RESERVED));
        entries.add(new E820Entry(ONE_MIB, lowRamEnd() - ONE_MIB, E820Entry.Type.RAM));
        entries.add(new E820Entry(ECAM, ECAM_BYTES, E820Entry.Type.RESERVED));
        if (highRamBytes() > 0) {
            entries.add(new E820Entry(FOUR_GIB, highRamBytes(), E820Entry.Type.RAM));
        }
        return List.copyOf(entries);
    }

    /// A size as people write it: `512 MiB`.
    public static String size(long bytes) {
        String[] units = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
        int unit = 0;
        long value = bytes;
        while (unit < units.length - 1 && value >= 1024 && value % 1024 == 0) {
            value >>= 10;
            unit++;
        }
        if (unit < units.length - 1 && value >= 10 * 1024) {
            return "%.1f %s".formatted(value / 1024.0, units[unit + 1]);
        }
        return value + " " + units[unit];
    }
}
