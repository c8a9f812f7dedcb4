package org.jvirt.engine.soft.translate.verify;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.SplittableRandom;
import org.jvirt.engine.soft.oracle.RandomNumbers;

/// Makes data and entry states in which random instructions have something to do: pointers into the data and near
/// the ends of its pages, numbers that arithmetic and floating point find interesting, unusual control registers
/// now and
/// then.
final class StateGenerator {
    private static final int RCX = 1;
    private static final int RSP = 4;
    private static final long STATUS = 0x8D5;
    private static final long ALWAYS_SET = 0x2;
    private static final long TF = 1 << 8;
    private static final long DF = 1 << 10;
    private static final long NT = 1 << 14;
    private static final long AC = 1 << 18;
    private static final long ID = 1 << 21;

    private final SplittableRandom random;
    private final CodeKind kind;
    private final Roles roles;
    /// Whether this program's floating-point exceptions are unmasked now and then.
    private final boolean unmasks;
    private final boolean special;
    /// Whether pointers are mostly good ones.
    private final boolean calm;

    StateGenerator(long seed, CodeKind kind, Roles roles, boolean calm) {
        random = new SplittableRandom(seed);
        this.kind = kind;
        this.roles = roles;
        this.calm = calm;
        unmasks = !calm && random.nextInt(6) == 0;
        special = !calm && random.nextInt(12) == 0;
    }

    byte[][] data() {
        var data = new byte[DataPage.values().length][];
        for (DataPage page : DataPage.values()) {
            boolean content = page.isRam() || page.kind == DataPage.Kind.ROM;
            data[page.ordinal()] = new byte[content ? Layout.PAGE : 0];
            random.nextBytes(data[page.ordinal()]);
            var buffer = ByteBuffer.wrap(data[page.ordinal()]).order(ByteOrder.LITTLE_ENDIAN);
            for (int i = 0; i < data[page.ordinal()].length; i += 32) {
                vector(buffer, i);
            }
        }
        return data;
    }

    EntryStates entries(int count, long start) {
        byte[] bytes = new byte[count * Slot.BYTES];
        var buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < count; i++) {
            entry(buffer.slice(i * Slot.BYTES, Slot.BYTES).order(ByteOrder.LITTLE_ENDIAN), start);
        }
        return new EntryStates(bytes);
    }

    private void entry(ByteBuffer slot, long start) {
        for (int i = 0; i < 16; i++) {
            long value = roles.isPointer(i) ? pointer() : roles.isIndex(i) ? index() : value();
            if (i == RCX && !roles.isPointer(i) && random.nextBoolean()) {
                value = random.nextInt(40);
            }
            slot.putLong(Slot.GENERAL + 8 * i, kind.long64() ? value : value & 0xFFFF_FFFFL);
        }
        long stack = Layout.DATA + DataPage.SECOND.offset() + random.nextInt(-64, 64) * 8L - random.nextInt(2);
        slot.putLong(Slot.RSP, stack);
        slot.putLong(Slot.GENERAL + 8 * RSP, stack);
        slot.putLong(Slot.RIP, start);
        slot.putLong(Slot.CS, kind.cs);
        slot.putLong(Slot.SS, kind.ss);
        long flags = random.nextLong() & STATUS | ALWAYS_SET;
        flags |= random.nextInt(6) == 0 ? DF : 0;
        flags |= !calm && random.nextInt(24) == 0 ? AC : 0;
        flags |= random.nextInt(24) == 0 ? ID : 0;
        flags |= random.nextInt(48) == 0 ? NT : 0;
        flags |= !calm && random.nextInt(100) == 0 ? TF : 0;
        slot.putLong(Slot.RFLAGS, flags);
        slot.putLong(Slot.FS_BASE, random.nextInt(4) == 0 ? 0 : random.nextInt(-64, 64) * 16L);
        slot.putLong(Slot.GS_BASE, Layout.DATA_HIGH - Layout.DATA + random.nextInt(-16, 16));
        slot.putLong(Slot.CR0, Kernel.USUAL_CR0);
        slot.putLong(Slot.CR4, Kernel.USUAL_CR4);
        slot.putLong(Slot.XCR0, Kernel.USUAL_XCR0);
        if (special && random.nextInt(3) != 0) {
            special(slot);
        }
        extended(slot);
    }

    private void special(ByteBuffer slot) {
        long cr0 = Kernel.USUAL_CR0;
        switch (random.nextInt(8)) {
            case 0 -> cr0 |= 1 << 3;
            case 1 -> cr0 = cr0 & ~2 | 1 << 2;
            case 2 -> cr0 &= ~(1 << 16);
            case 3 -> cr0 &= ~(1 << 18);
            case 4 -> cr0 &= ~2;
            default -> {
                // as usual
            }
        }
        long cr4 = Kernel.USUAL_CR4;
        switch (random.nextInt(12)) {
            case 0 -> cr4 &= ~(1 << 9);
            case 1 -> cr4 &= ~(1 << 10);
            case 2 -> cr4 &= ~(1 << 18);
            case 3 -> cr4 &= ~(1 << 16);
            case 4 -> cr4 |= 1 << 20;
            case 5 -> cr4 |= 1 << 21;
            case 6 -> cr4 |= 1 << 11;
            case 7 -> cr4 |= 1 << 2;
            default -> {
                // as usual
            }
        }
        slot.putLong(Slot.CR0, cr0).putLong(Slot.CR4, cr4);
        slot.putLong(Slot.XCR0, random.nextInt(4) == 0 ? random.nextBoolean() ? 1 : 3 : 7);
        slot.putLong(Slot.SPECIAL, 1);
    }

    private long index() {
        if (calm && random.nextInt(4) != 0) {
            return random.nextInt(-3, 4) * 32L;
        }
        return random.nextInt(-16, 17) * (random.nextBoolean() ? 16 : 1);
    }

    private long pointer() {
        if (calm) {
            long middle = Layout.DATA + DataPage.SECOND.offset();
            long base = kind.long64() && random.nextInt(6) == 0 ? Layout.DATA_HIGH - Layout.DATA : 0;
            return base
                    + middle
                    + switch (random.nextInt(8)) {
                        case 0 -> random.nextInt(-0x140, 0x140);
                        case 1 -> random.nextInt(-0xC00, 0xC00);
                        default -> random.nextInt(-0xC00, 0xC00) & ~31;
                    };
        }
        if (!kind.long64() && random.nextInt(24) == 0) {
            // both ends of the address space
            return random.nextInt(-0x120, 0x120) & 0xFFFF_FFFFL;
        }
        DataPage[] pages = DataPage.values();
        DataPage page = random.nextInt(3) == 0
                ? pages[1 + random.nextInt(pages.length - 2)]
                : random.nextBoolean() ? DataPage.FIRST : DataPage.SECOND;
        long offset = switch (random.nextInt(4)) {
            case 0 -> random.nextInt(-0x48, 0x48);
            case 1 -> random.nextInt(Layout.PAGE);
            default -> random.nextInt(0x100, Layout.PAGE - 0x100) & ~31;
        };
        long base = kind.long64() && random.nextInt(6) == 0 ? Layout.DATA_HIGH : Layout.DATA;
        if (kind.long64() && random.nextInt(100) == 0) {
            base = random.nextBoolean() ? 0x7FFF_FFFF_F000L - page.offset() : 0x1234_5678_9ABC_0000L;
        }
        return base + page.offset() + offset;
    }

    private long value() {
        return switch (random.nextInt(8)) {
            case 0 -> random.nextInt(-2, 3);
            case 1 -> 1L << random.nextInt(64);
            case 2 -> (1L << random.nextInt(64)) - 1;
            case 3 -> random.nextInt(0, 256);
            case 4 -> random.nextInt();
            case 5 -> -1L << random.nextInt(64);
            default -> random.nextLong();
        };
    }

    private void extended(ByteBuffer slot) {
        int area = Slot.EXTENDED;
        boolean unmasked = unmasks && random.nextInt(3) == 0;
        int control = 0x37F & ~(unmasked ? random.nextInt(64) : 0);
        if (random.nextInt(4) == 0) {
            control = control & 0xFF | random.nextInt(4) << 10 | new int[] {0, 2, 3}[random.nextInt(3)] << 8 | 0x40;
        }
        slot.putShort(area, (short) control);
        slot.putShort(area + 2, (short) (random.nextInt(8) << 11 | random.nextInt(8) << 8 | random.nextInt(2) << 14));
        slot.put(area + 4, (byte)
                switch (random.nextInt(4)) {
                    case 0 -> random.nextInt(256);
                    case 1 -> 0;
                    default -> 0xFF;
                });
        int mxcsr = 0x1F80;
        if (random.nextInt(4) == 0) {
            mxcsr = mxcsr
                    | random.nextInt(4) << 13
                    | random.nextInt(2) << 15
                    | random.nextInt(2) << 6
                    | random.nextInt(64);
        }
        if (unmasked) {
            mxcsr &= ~(random.nextInt(64) << 7);
        }
        slot.putInt(area + 24, mxcsr);
        for (int i = 0; i < 8; i++) {
            x87(slot, area + 32 + 16 * i);
        }
        for (int i = 0; i < 16; i++) {
            vector(slot, area + 160 + 16 * i);
            vector(slot, area + 576 + 16 * i);
        }
        slot.putLong(area + 512, Kernel.USUAL_XCR0);
    }

    private void x87(ByteBuffer slot, int at) {
        long significand = random.nextLong() | 1L << 63;
        int exponent = 16383 + random.nextInt(-70, 70) | random.nextInt(2) << 15;
        switch (random.nextInt(10)) {
            case 0 -> {
                significand = random.nextLong();
                exponent = random.nextInt(0x10000);
            }
            case 1 -> {
                significand = 0;
                exponent = random.nextInt(2) << 15;
            }
            case 2 -> {
                significand = 1L << 63 | (random.nextInt(3) == 0 ? random.nextLong() : 0);
                exponent = 0x7FFF | random.nextInt(2) << 15;
            }
            case 3 -> {
                significand = 1L << 63 | (long) random.nextInt(1 << 20) << 40;
                exponent = 16383 + random.nextInt(20) | random.nextInt(2) << 15;
            }
            default -> {
                // a usual number
            }
        }
        slot.putLong(at, significand).putShort(at + 8, (short) exponent);
    }

    private void vector(ByteBuffer buffer, int at) {
        switch (random.nextInt(4)) {
            case 0 -> buffer.putLong(at, random.nextLong()).putLong(at + 8, random.nextLong());
            case 1 -> buffer.putDouble(at, RandomNumbers.next(random)).putDouble(at + 8, RandomNumbers.next(random));
            case 2 -> {
                for (int i = 0; i < 4; i++) {
                    buffer.putFloat(at + 4 * i, (float) RandomNumbers.next(random));
                }
            }
            default -> buffer.putLong(at, value()).putLong(at + 8, value());
        }
    }
}
