package org.jvirt.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class GuestMemoryTest {
    private static final long FOUR_GIB = 1L << 32;

    /// 64 KiB at 0, 64 KiB of firmware below 4 GiB, 128 KiB at 4 GiB.
    private static GuestMemory memory() {
        MemorySegment backing = Arena.ofAuto().allocate(0x40000, GuestMemory.PAGE_BYTES);
        return new GuestMemory(
                backing,
                List.of(
                        new MemorySlot(2, FOUR_GIB, 0x20000, 0x20000, false),
                        new MemorySlot(0, 0, 0x10000, 0, false),
                        new MemorySlot(1, FOUR_GIB - 0x10000, 0x10000, 0x10000, true)),
                () -> {});
    }

    @Test
    void everySlotShowsItsOwnPartOfTheBacking() {
        GuestMemory memory = memory();
        memory.writeLong(8, 0x1122_3344_5566_7788L);
        memory.writeInt(FOUR_GIB + 4, 0x0102_0304);
        assertThat(memory.readLong(8)).isEqualTo(0x1122_3344_5566_7788L);
        assertThat(memory.readByte(8)).isEqualTo(0x88);
        assertThat(memory.readShort(FOUR_GIB + 5)).isEqualTo(0x0203);
        assertThat(memory.offsetOf(FOUR_GIB + 4)).isEqualTo(0x20004);
        assertThat(memory.ramBytes()).isEqualTo(0x30000);
    }

    @Test
    void anAccessThatLeavesItsSlotTouchesNothing() {
        GuestMemory memory = memory();
        assertThatThrownBy(() -> memory.writeLong(0xfffc, -1L)).isInstanceOf(GuestAddressException.class);
        assertThat(memory.readInt(0xfffc)).isZero();
        assertThatThrownBy(() -> memory.readByte(0x10000)).isInstanceOf(GuestAddressException.class);
        assertThatThrownBy(() -> memory.readByte(-1)).isInstanceOf(GuestAddressException.class);
        assertThatThrownBy(() -> memory.readSlice(0, Long.MAX_VALUE)).isInstanceOf(GuestAddressException.class);
        assertThatThrownBy(() -> memory.writeSlice(0x8000, -1)).isInstanceOf(GuestAddressException.class);
    }

    @Test
    void firmwareCanBeReadAndLoadedButNotWritten() {
        GuestMemory memory = memory();
        memory.load(FOUR_GIB - 16, new byte[] {(byte) 0xea});
        assertThat(memory.readByte(FOUR_GIB - 16)).isEqualTo(0xea);
        assertThatThrownBy(() -> memory.writeByte(FOUR_GIB - 16, 0)).isInstanceOf(GuestAddressException.class);
        assertThat(memory.writableOffsetOf(FOUR_GIB - 16)).isEqualTo(-1);
    }

    @Test
    void dirtyPagesAreAllFirstAndThenThoseWritten() {
        GuestMemory memory = memory();
        MemorySlot high = memory.slots().get(2);
        assertThat(memory.takeDirtyPages(high).count()).isEqualTo(32);
        memory.writeShort(FOUR_GIB + 0x1fff, 1);
        memory.wasFilled(FOUR_GIB + 0x8000, 1);
        memory.writeByte(0, 1);
        assertThat(memory.takeDirtyPages(high).pages().stream()).containsExactly(1, 2, 8);
        assertThat(memory.takeDirtyPages(high).count()).isZero();
    }

    @Test
    void writesToCodePagesAreReportedUntilTheMarkIsCleared() {
        GuestMemory memory = memory();
        var reported = new ArrayList<Long>();
        memory.addCodeListener((first, count) -> reported.add(first));
        memory.markCode(3);
        memory.writeByte(0x2fff, 1);
        memory.writeByte(0x3000, 1);
        memory.clearCode(3);
        memory.writeByte(0x3000, 1);
        assertThat(reported).containsExactly(3L);
    }

    @Test
    void overlappingSlotsAreRefusedByName() {
        assertThatThrownBy(() -> new GuestMemory(
                        Arena.ofAuto().allocate(0x4000),
                        List.of(new MemorySlot(0, 0, 0x2000, 0, false), new MemorySlot(1, 0x1000, 0x1000, 0, false)),
                        () -> {}))
                .hasMessageContaining("Cannot map 4 KiB at 0x1000: overlaps slot 0 (0x0–0x1fff)");
    }
}
