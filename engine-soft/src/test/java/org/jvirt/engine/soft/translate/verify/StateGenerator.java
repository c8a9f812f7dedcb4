package org.jvirt.engine.soft.translate.verify;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.SplittableRandom;
import org.jvirt.engine.soft.oracle.RandomRegisters;

/// Makes data and entry states in which random instructions have something to do: pointers into the data and near
/// the ends of its pages, numbers that arithmetic and floating point find interesting, unusual control registers
/// now and
/// then.
final class StateGenerator {
    private static final int RCX = 1;
    private static final int RSP = 4;
    /// Where the header of an XSAVE area says what is in use.
    private static final int HEADER = 512;
    private static final long STATUS = 0x8D5;
    private static final long ALWAYS_SET = 0x2;
    private static final long TF = 1 << 8;
    private static final long DF = 1 << 10;
    private static final long NT = 1 << 14;
    private static final long AC = 1 << 18;
    private static final long ID = 1 << 21;

    private final SplittableRandom random;
    private final CodeKind kind;
    private final RandomRegisters registers;
    private final Roles roles;
    /// Whether this program's floating-point exceptions are unmasked now and then.
    private final boolean unmasks;
    private final boolean special;
    /// Whether pointers are mostly good ones.
    private final boolean calm;

    StateGenerator(long seed, CodeKind kind, Roles roles, boolean calm) {
        random = new SplittableRandom(seed);
        registers = new RandomRegisters(random);
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
            registers.data(ByteBuffer.wrap(data[page.ordinal()]).order(ByteOrder.LITTLE_ENDIAN));
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
            long value = roles.isPointer(i) ? pointer() : roles.isIndex(i) ? index() : registers.value();
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
        ByteBuffer area = slot.slice(Slot.EXTENDED, Slot.EXTENDED_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        registers.extended(area, unmasks && random.nextInt(3) == 0);
        area.putLong(HEADER, Kernel.USUAL_XCR0);
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
}
