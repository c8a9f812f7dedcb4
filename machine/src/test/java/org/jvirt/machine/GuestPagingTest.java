package org.jvirt.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.OptionalLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.jvirt.core.GuestMemory;
import org.jvirt.core.cpu.Activity;
import org.jvirt.core.cpu.ControlRegisters;
import org.jvirt.core.cpu.CpuState;
import org.jvirt.testkit.TestMemory;

final class GuestPagingTest {
    private static final long PAGING = 0x8000_0001L;
    private static final long CR3 = 0x1000;

    private final GuestMemory memory = TestMemory.ofBytes(1 << 20);

    @AfterEach
    void close() {
        memory.close();
    }

    @Test
    void withoutPagingAddressesAreTheirOwn() {
        assertThat(translate(1, 0, 0, 0x1234_5678L)).hasValue(0x1234_5678L);
    }

    @Test
    void fourLevelsWithSmallLargeAndHugePages() {
        memory.writeLong(CR3, 0x2003);
        memory.writeLong(0x2000, 0x3003);
        memory.writeLong(0x2008, 0x4000_0083L);
        memory.writeLong(0x3000, 0x4003);
        memory.writeLong(0x3008, 0x60_0083);
        memory.writeLong(0x4000 + 8 * 5, 0x8000_0000_0001_2003L);
        assertThat(translate(PAGING, 0x20, 0x500, 0x5abc)).hasValue(0x12abc);
        assertThat(translate(PAGING, 0x20, 0x500, 0x20_0123)).hasValue(0x60_0123);
        assertThat(translate(PAGING, 0x20, 0x500, 0x4000_0123L)).hasValue(0x4000_0123L);
        assertThat(translate(PAGING, 0x20, 0x500, 0x6000)).isEmpty();
        assertThat(translate(PAGING, 0x20, 0x500, 0xffff_8000_0000_0000L)).isEmpty();
    }

    @Test
    void fiveLevels() {
        memory.writeLong(CR3, 0x2003);
        memory.writeLong(0x2000, 0x3003);
        memory.writeLong(0x3000, 0x4003);
        memory.writeLong(0x4000, 0x5003);
        memory.writeLong(0x5000 + 8 * 5, 0x9003);
        assertThat(translate(PAGING, 0x1020, 0x500, 0x5abc)).hasValue(0x9abc);
    }

    @Test
    void paeHasFourPointers() {
        memory.writeLong(CR3 + 8 * 3, 0x2001);
        memory.writeLong(0x2000, 0x3003);
        memory.writeLong(0x3000, 0x7003);
        assertThat(translate(PAGING, 0x20, 0, 0xc000_0010L)).hasValue(0x7010);
        assertThat(translate(PAGING, 0x20, 0, 0x4000_0010L)).isEmpty();
    }

    @Test
    void thirtyTwoBitWithFourMebibytePagesAbove4Gib() {
        memory.writeInt((int) CR3, 0x2003);
        memory.writeInt(0x2000 + 4 * 3, 0xa003);
        memory.writeInt((int) CR3 + 4, 0x0040_2083);
        assertThat(translate(PAGING, 0x10, 0, 0x3456)).hasValue(0xa456);
        assertThat(translate(PAGING, 0x10, 0, 0x40_0042)).hasValue(0x1_0040_0042L);
        assertThat(translate(PAGING, 0x10, 0, 0x80_0000)).isEmpty();
    }

    @Test
    void tablesOutsideRamAreNotThere() {
        memory.writeLong(CR3, 0xffff_f003L);
        assertThat(translate(PAGING, 0x20, 0x500, 0)).isEmpty();
    }

    private OptionalLong translate(long cr0, long cr4, long efer, long gva) {
        CpuState cpu = CpuState.reset(Activity.RUNNING, 0).with(new ControlRegisters(cr0, 0, CR3, cr4, 0, efer, 1));
        return GuestPaging.translate(memory, cpu, gva);
    }
}
