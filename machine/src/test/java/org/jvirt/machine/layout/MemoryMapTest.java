package org.jvirt.machine.layout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.jvirt.core.GuestMemory;
import org.jvirt.core.MemorySlot;
import org.jvirt.core.UserErrorException;
import org.jvirt.testkit.TestMemory;

final class MemoryMapTest {
    private static final long MIB = 1 << 20;
    private static final long GIB = 1L << 30;

    @ParameterizedTest
    @ValueSource(longs = {2 * MIB, 256 * MIB, 2 * GIB, 2 * GIB + 4096, 6 * GIB, 768 * GIB})
    void slotsAndE820TellOfTheSameRam(long ramBytes) {
        var map = new MemoryMap(ramBytes, 0);
        long vgaHole = MemoryMap.OPTION_ROMS - MemoryMap.VGA;
        assertThat(map.slots().stream().mapToLong(MemorySlot::sizeBytes).sum()).isEqualTo(ramBytes - vgaHole);
        assertThat(map.e820())
                .filteredOn(entry -> entry.type() == E820Entry.Type.RAM)
                .allSatisfy(entry -> assertThat(map.slots())
                        .anyMatch(slot -> slot.gpa() <= entry.gpa() && entry.end() <= slot.end()));
    }

    @Test
    void ramAboveTwoGibMovesAboveFourGib() {
        var map = new MemoryMap(6 * GIB, 0);
        assertThat(map.lowRamEnd()).isEqualTo(2 * GIB);
        assertThat(map.highRamEnd()).isEqualTo(8 * GIB);
        assertThat(map.pciWindow64()).isEqualTo(8 * GIB);
        assertThat(map.e820()).contains(new E820Entry(4 * GIB, 4 * GIB, E820Entry.Type.RAM));
    }

    @Test
    void everyWindowFitsIntoThePhysicalAddress() {
        var map = new MemoryMap(MemoryMap.MAXIMUM_RAM_BYTES, 0);
        assertThat(map.pciWindow64() + MemoryMap.PCI_WINDOW64_BYTES)
                .isLessThanOrEqualTo(1L << MemoryMap.PHYSICAL_ADDRESS_BITS);
    }

    @Test
    void firmwareEndsAtFourGibAndIsReadOnly() {
        var map = new MemoryMap(16 * MIB, 256 << 10);
        MemorySlot bios = map.slots().getLast();
        assertThat(bios.readOnly()).isTrue();
        assertThat(bios.end()).isEqualTo(4 * GIB);
        try (GuestMemory memory = TestMemory.of(map.backingBytes(), map.slots())) {
            assertThat(memory.ramBytes()).isEqualTo(16 * MIB - (MemoryMap.OPTION_ROMS - MemoryMap.VGA));
            assertThat(memory.offsetOf(0xffff_fff0L)).isEqualTo(map.backingBytes() - 16);
        }
    }

    @Test
    void e820NamesTheConfigurationWindowReserved() {
        List<E820Entry> entries = new MemoryMap(256 * MIB, 0).e820();
        assertThat(entries).contains(new E820Entry(MemoryMap.ECAM, MemoryMap.ECAM_BYTES, E820Entry.Type.RESERVED));
        for (int i = 1; i < entries.size(); i++) {
            assertThat(entries.get(i).gpa())
                    .isGreaterThanOrEqualTo(entries.get(i - 1).end());
        }
    }

    @Test
    void impossibleSizesAreRefusedWithTheRemedy() {
        assertThatThrownBy(() -> new MemoryMap(0, 0))
                .isInstanceOf(UserErrorException.class)
                .hasMessage("Memory of 0 bytes is too small for a PC: give at least 2 MiB");
        assertThatThrownBy(() -> new MemoryMap(1024, 0))
                .isInstanceOf(UserErrorException.class)
                .hasMessageStartingWith("Memory of 1 KiB is too small");
        assertThatThrownBy(() -> new MemoryMap(1L << 50, 0))
                .isInstanceOf(UserErrorException.class)
                .hasMessage("Memory of 1 PiB is more than the 768 GiB that fit into 40 address bits: give less");
        assertThatThrownBy(() -> new MemoryMap(16 * MIB + 1, 0))
                .isInstanceOf(UserErrorException.class)
                .hasMessageContaining("whole 4 KiB pages");
    }
}
