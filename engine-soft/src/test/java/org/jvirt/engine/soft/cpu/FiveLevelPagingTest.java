package org.jvirt.engine.soft.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.jvirt.core.cpu.ControlRegisters;

/// The walk through five levels of page tables.
class FiveLevelPagingTest {
    private static final long TOP = 0x20_0000;
    private static final long CR0 = Control.PE | Control.PG | Control.ET;
    private static final long FIVE = Control.PAE | Control.LA57;
    private static final long LONG_MODE = Control.EFER_LME | Control.EFER_LMA;
    /// Entries 5, 3, 1 and 2 of the upper levels, then a page of 2 MiB.
    private static final long ADDRESS = 5L << 48 | 3L << 39 | 1L << 30 | 2L << 21;

    private final TestProcessor test = TestProcessor.long64();
    private final Cpu cpu = test.cpu;

    @BeforeEach
    void enter() {
        long four = cpu.control.cr3();
        test.memory.writeLong(TOP, four | 7);
        test.memory.writeLong(TOP + 5 * 8, TOP + 0x1000 | 7);
        test.memory.writeLong(TOP + 511 * 8, TOP + 0x1000 | 7);
        test.memory.writeLong(TOP + 0x1000 + 3 * 8, TOP + 0x2000 | 7);
        test.memory.writeLong(TOP + 0x2000 + 8, TOP + 0x3000 | 7);
        test.memory.writeLong(TOP + 0x3000 + 2 * 8, TOP | 0x87);
        cpu.control.load(new ControlRegisters(CR0, 0, TOP, FIVE, 0, LONG_MODE, 1));
        cpu.updateMode();
    }

    @AfterEach
    void close() {
        test.close();
    }

    private static GuestFault fault(Runnable access) {
        return catchThrowableOfType(GuestFault.class, access::run);
    }

    @Test
    void translatesThroughEveryLevel() {
        test.memory.writeInt(TOP + 0x4_0123, 0x1234_5678);
        test.memory.writeInt(0x5000, 77);
        assertThat(cpu.mmu.load32(ADDRESS + 0x4_0123)).isEqualTo(0x1234_5678);
        assertThat(cpu.mmu.load32(0x5000)).as("the lower half as before").isEqualTo(77);
        assertThat(test.memory.readLong(TOP + 5 * 8) & 0x20).as("accessed").isEqualTo(0x20);
        assertThat(test.memory.readLong(TOP + 6 * 8) & 0x20).isZero();
    }

    @Test
    void translatesTheUpperHalf() {
        test.memory.writeInt(TOP + 0x4_0123, 0x1234_5678);
        long la = -1L << 57 | 511L << 48 | ADDRESS & (1L << 48) - 1;
        assertThat(cpu.mmu.load32(la + 0x4_0123)).isEqualTo(0x1234_5678);
    }

    @Test
    void storesSetTheDirtyBitOfThePage() {
        cpu.mmu.store32(ADDRESS + 0x4_0000, 5);
        assertThat(test.memory.readInt(TOP + 0x4_0000)).isEqualTo(5);
        assertThat(test.memory.readLong(TOP + 0x3000 + 2 * 8) & 0x40).isEqualTo(0x40);
        assertThat(test.memory.readLong(TOP + 5 * 8) & 0x40).isZero();
    }

    @Test
    void absentAndReservedEntriesOfTheTopLevelFault() {
        var absent = fault(() -> cpu.mmu.load32(6L << 48));
        assertThat(absent.vector()).isEqualTo(14);
        assertThat(absent.errorCode()).isZero();
        assertThat(absent.payload()).isEqualTo(6L << 48);
        test.memory.writeLong(TOP + 7 * 8, TOP + 0x1000 | 0x87);
        var large = fault(() -> cpu.mmu.load32(7L << 48));
        assertThat(large.vector()).isEqualTo(14);
        assertThat(large.errorCode()).as("present, reserved bit").isEqualTo(9);
    }

    @Test
    void rightsOfTheTopLevelCount() {
        test.memory.writeLong(TOP + 5 * 8, TOP + 0x1000 | 1);
        cpu.cpl = 3;
        cpu.updateMode();
        var user = fault(() -> cpu.mmu.load32(ADDRESS));
        assertThat(user.vector()).isEqualTo(14);
        assertThat(user.errorCode()).as("user, present").isEqualTo(5);
    }

    @Test
    void addressesHave57Bits() {
        assertThat(cpu.isCanonical(1L << 55)).isTrue();
        assertThat(cpu.isCanonical(1L << 56)).isFalse();
        assertThat(cpu.isCanonical(-1L << 56)).isTrue();
        assertThat(fault(() -> cpu.mmu.load32(1L << 56)).vector()).isEqualTo(13);
    }

    @Test
    void theNumberOfLevelsIsFixedInLongMode() {
        assertThatThrownBy(() -> cpu.control.setCr4(Control.PAE)).isInstanceOf(GuestFault.class);
        assertThat(cpu.control.cr4()).isEqualTo(FIVE);
    }
}
