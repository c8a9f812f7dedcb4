package org.jvirt.engine.kvm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jvirt.core.VmClock;
import org.jvirt.core.interrupt.PitChannelState;
import org.jvirt.core.interrupt.PitState;
import org.jvirt.linux.DeviceFile;

/// The 8254 in the kernel, with its half of port 0x61.
///
/// KVM has no counts that wait for the end of a cycle and does not stop channel 2 at a low gate; and channel 0
/// begins its cycle anew when it is loaded.
///
/// ```
/// struct kvm_pit_state2: 3 channels of 24 bytes, flags 72
/// channel: count 0, latched_count 4, count_latched 6, status_latched 7, status 8, read_state 9, write_state 10,
///          write_latch 11, rw_mode 12, mode 13, bcd 14, gate 15, count_load_time 16 (host nanoseconds)
/// ```
///
/// Source: API, 4.77; Intel 8254 data sheet.
final class KernelPit {
    private static final int BYTES = 112;
    private static final int CONFIG_BYTES = 64;
    private static final int CHANNEL_BYTES = 24;
    private static final int CHANNELS = 3;
    private static final int FLAGS = 72;
    private static final int SPEAKER_DUMMY = 1;
    private static final int HPET_LEGACY = 1;
    private static final int SPEAKER_ON = 2;
    private static final int PORT_B_GATE = 1;
    private static final int PORT_B_SPEAKER = 2;
    private static final long HZ = 1_193_182;
    private static final long NANOS = 1_000_000_000;
    private static final int LAST_MODE = 5;
    private static final int BOTH_BYTES = 3;
    private static final int SECOND_BYTE = 4;
    private static final int NEVER_PROGRAMMED = BOTH_BYTES << 4;

    private final DeviceFile vm;
    private final VmClock clock;

    KernelPit(DeviceFile vm, VmClock clock) {
        this.vm = vm;
        this.clock = clock;
    }

    /// Makes it, after the other controllers. Port 0x61 comes with it.
    static void create(DeviceFile vm) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment config = arena.allocate(CONFIG_BYTES, 8);
            config.set(JAVA_INT, 0, SPEAKER_DUMMY);
            vm.ioctl("KVM_CREATE_PIT2", Ioctls.KVM_CREATE_PIT2, config);
        }
    }

    /// The HPET has taken interrupt 0, or gives it back.
    void hold(boolean held) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment image = read(arena);
            int flags = image.get(JAVA_INT, FLAGS);
            image.set(JAVA_INT, FLAGS, held ? flags | HPET_LEGACY : flags & ~HPET_LEGACY);
            vm.ioctl("KVM_SET_PIT2", Ioctls.KVM_SET_PIT2, image);
        }
    }

    private MemorySegment read(Arena arena) {
        MemorySegment image = arena.allocate(BYTES, 8);
        vm.ioctl("KVM_GET_PIT2", Ioctls.KVM_GET_PIT2, image);
        return image;
    }

    // ---------------------------------------------------------------- out

    PitState save() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment image = read(arena);
            long now = clock.nanos();
            long host = System.nanoTime();
            List<PitChannelState> channels = new ArrayList<>();
            for (int i = 0; i < CHANNELS; i++) {
                channels.add(channel(image.asSlice((long) CHANNEL_BYTES * i, CHANNEL_BYTES), now, host));
            }
            int portB = channels.getLast().gate() ? PORT_B_GATE : 0;
            portB |= (image.get(JAVA_INT, FLAGS) & SPEAKER_ON) != 0 ? PORT_B_SPEAKER : 0;
            return new PitState(channels, portB, nextRise(channels.getFirst(), ticks(now)));
        }
    }

    private static PitChannelState channel(MemorySegment c, long now, long host) {
        int mode = c.get(JAVA_BYTE, 13) & 0xFF;
        boolean gate = c.get(JAVA_BYTE, 15) != 0;
        if (mode > LAST_MODE) {
            return new PitChannelState(NEVER_PROGRAMMED, gate, false, 65536, 0, false, 0, -1, -1, false, -1, -1);
        }
        int access = c.get(JAVA_BYTE, 12) & 3;
        int raw = c.get(JAVA_INT, 0);
        long age = Math.max(0, host - c.get(JAVA_LONG, 16));
        return new PitChannelState(
                access << 4 | mode << 1 | c.get(JAVA_BYTE, 14) & 1,
                gate,
                true,
                raw < 1 || raw > 65536 ? 65536 : raw,
                0,
                true,
                ticks(now) - ticks(age),
                gate ? -1 : ticks(age),
                c.get(JAVA_BYTE, 10) == SECOND_BYTE ? c.get(JAVA_BYTE, 11) & 0xFF : -1,
                c.get(JAVA_BYTE, 9) == SECOND_BYTE,
                c.get(JAVA_BYTE, 6) != 0 ? c.get(JAVA_SHORT, 4) & 0xFFFF : -1,
                c.get(JAVA_BYTE, 7) != 0 ? c.get(JAVA_BYTE, 8) & 0xFF : -1);
    }

    private static long nextRise(PitChannelState c, long now) {
        if (!c.started() || !c.gate()) {
            return -1;
        }
        long passed = now - c.startTick();
        return switch (c.control() >> 1 & 7) {
            case 2, 3 -> now + c.count() - passed % c.count();
            default -> passed < c.count() ? c.startTick() + c.count() : -1;
        };
    }

    private static long ticks(long nanos) {
        return nanos / NANOS * HZ + nanos % NANOS * HZ / NANOS;
    }

    private static long nanos(long ticks) {
        return ticks / HZ * NANOS + ticks % HZ * NANOS / HZ;
    }

    // ---------------------------------------------------------------- in

    void load(PitState state) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment image = read(arena);
            long now = clock.nanos();
            long host = System.nanoTime();
            for (int i = 0; i < CHANNELS; i++) {
                fill(
                        image.asSlice((long) CHANNEL_BYTES * i, CHANNEL_BYTES),
                        state.channels().get(i),
                        now,
                        host);
            }
            int held = image.get(JAVA_INT, FLAGS) & HPET_LEGACY;
            image.set(JAVA_INT, FLAGS, held | ((state.portB() & PORT_B_SPEAKER) != 0 ? SPEAKER_ON : 0));
            vm.ioctl("KVM_SET_PIT2", Ioctls.KVM_SET_PIT2, image);
        }
    }

    private static void fill(MemorySegment c, PitChannelState state, long now, long host) {
        c.fill((byte) 0);
        int access = state.control() >> 4 & 3;
        boolean both = access == BOTH_BYTES;
        int mode = state.control() >> 1 & 7;
        c.set(JAVA_INT, 0, state.nextCount() != 0 ? state.nextCount() : state.count());
        c.set(JAVA_BYTE, 9, (byte) (both && state.readHigh() ? SECOND_BYTE : access));
        c.set(JAVA_BYTE, 10, (byte) (both && state.writeLow() >= 0 ? SECOND_BYTE : access));
        c.set(JAVA_BYTE, 11, (byte) Math.max(0, state.writeLow()));
        c.set(JAVA_BYTE, 12, (byte) access);
        c.set(JAVA_BYTE, 13, (byte) (!state.loaded() ? 0xFF : mode > LAST_MODE ? mode - 4 : mode));
        c.set(JAVA_BYTE, 14, (byte) (state.control() & 1));
        c.set(JAVA_BYTE, 15, (byte) (state.gate() ? 1 : 0));
        if (state.latchedCount() >= 0) {
            c.set(JAVA_SHORT, 4, (short) state.latchedCount());
            c.set(JAVA_BYTE, 6, (byte) (both && state.readHigh() ? SECOND_BYTE : access));
        }
        if (state.latchedStatus() >= 0) {
            c.set(JAVA_BYTE, 7, (byte) 1);
            c.set(JAVA_BYTE, 8, (byte) state.latchedStatus());
        }
        long passed = state.pausedTicks() >= 0 ? state.pausedTicks() : Math.max(0, ticks(now) - state.startTick());
        c.set(JAVA_LONG, 16, host - (state.started() ? nanos(passed) : 0));
    }
}
