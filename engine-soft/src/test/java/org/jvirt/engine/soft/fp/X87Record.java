package org.jvirt.engine.soft.fp;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/// One x87 instruction as a processor executed it: state before and after. Layout: README.md beside the corpus.
record X87Record(int opcode, int modrm, State before, State after) {
    static final int BYTES = 198;

    private static final int[] FCMOV_FLAG = {0x01, 0x40, 0x41, 0x04};

    /// Tag, control and status words, the physical registers, ten bytes of memory and EFLAGS.
    record State(int control, int status, int tags, long[] sig, int[] se, long memory, int memoryHigh, int eflags) {
        static State read(ByteBuffer in) {
            int control = in.getShort() & 0xFFFF;
            int status = in.getShort() & 0xFFFF;
            int tags = in.getShort() & 0xFFFF;
            long[] sig = new long[8];
            int[] se = new int[8];
            for (int i = 0; i < 8; i++) {
                sig[i] = in.getLong();
                se[i] = in.getShort() & 0xFFFF;
            }
            return new State(
                    control, status, tags, sig, se, in.getLong(), in.getShort() & 0xFFFF, in.getShort() & 0xFFFF);
        }
    }

    static X87Record read(ByteBuffer in) {
        int opcode = in.get() & 0xFF;
        int modrm = in.get() & 0xFF;
        return new X87Record(opcode, modrm, State.read(in), State.read(in));
    }

    String name() {
        return String.format("%02X %02X", opcode, modrm);
    }

    /// F2XM1, FYL2X, FPTAN, FPATAN, FYL2XP1, FSINCOS, FSIN, FCOS: 1 ulp is allowed, and C1 says nothing.
    boolean transcendental() {
        return opcode == 0xD9
                && switch (modrm) {
                    case 0xF0, 0xF1, 0xF2, 0xF3, 0xF9, 0xFB, 0xFE, 0xFF -> true;
                    default -> false;
                };
    }

    /// Executes the instruction in Java.
    ///
    /// @return the differences from the processor's result, none when equal
    List<String> differences() {
        X87 x = new X87();
        x.control(before.control);
        x.status(before.status);
        x.tags(before.tags);
        for (int i = 0; i < 8; i++) {
            x.register(i, before.sig[i], before.se[i]);
        }
        Execution e = new Execution(x);
        e.memory = before.memory;
        e.memoryHigh = before.memoryHigh;
        e.eflags = before.eflags & 0x45;
        e.run();
        List<String> out = new ArrayList<>();
        int ignored = transcendental() ? 0x0200 : 0;
        compare(out, "control", x.control(), after.control);
        compare(out, "status", x.status() & ~ignored, after.status & ~ignored);
        compare(out, "tags", x.tags(), after.tags);
        for (int i = 0; i < 8; i++) {
            if ((after.tags >>> 2 * i & 3) == 3 && (before.tags >>> 2 * i & 3) == 3) {
                continue;
            }
            long slack = transcendental() ? 1 : 0;
            if (x.significand(i) != after.sig[i] || x.signExponent(i) != after.se[i]) {
                long distance = ulps(x.significand(i), x.signExponent(i), after.sig[i], after.se[i]);
                if (distance > slack) {
                    out.add(String.format(
                            "R%d %04x:%016x, processor %04x:%016x",
                            i, x.signExponent(i), x.significand(i), after.se[i], after.sig[i]));
                }
            }
        }
        compare(out, "memory", e.memory, after.memory);
        compare(out, "memory+8", e.memoryHigh, after.memoryHigh);
        compare(out, "eflags", e.eflags, after.eflags & 0x45);
        return out;
    }

    private static long ulps(long as, int ae, long bs, int be) {
        if (ae == be) {
            return Math.abs(as - bs);
        }
        if (((ae ^ be) & 0x8000) == 0 && Math.abs(ae - be) == 1 && (as == Long.MIN_VALUE || bs == Long.MIN_VALUE)) {
            return Math.abs(as - bs) == Long.MAX_VALUE ? 1 : Long.MAX_VALUE;
        }
        return Long.MAX_VALUE;
    }

    private static void compare(List<String> out, String what, long mine, long processor) {
        if (mine != processor) {
            out.add(String.format("%s %x, processor %x", what, mine, processor));
        }
    }

    /// The case, for failure messages.
    String describe() {
        StringBuilder s = new StringBuilder(String.format(
                "%s cw %04x sw %04x tw %04x mem %04x:%016x",
                name(), before.control, before.status, before.tags, before.memoryHigh, before.memory));
        int top = before.status >>> 11 & 7;
        for (int i : new int[] {0, 1, modrm & 7}) {
            int r = top + i & 7;
            s.append(String.format(" ST%d %04x:%016x", i, before.se[r], before.sig[r]));
        }
        return s.toString();
    }

    /// Dispatches the record's opcode to the unit's methods, as an interpreter does.
    private final class Execution {
        private final X87 x;
        private long memory;
        private int memoryHigh;
        private int eflags;

        Execution(X87 x) {
            this.x = x;
        }

        void run() {
            if (modrm < 0xC0) {
                memoryForm(modrm >>> 3 & 7);
            } else {
                registerForm(modrm >>> 3 & 7, modrm & 7);
            }
        }

        private void memoryForm(int reg) {
            switch (opcode) {
                case 0xD8, 0xDC -> {
                    boolean wide = opcode == 0xDC;
                    if (reg == 2 || reg == 3) {
                        if (wide) {
                            x.compareF64(memory, reg == 3);
                        } else {
                            x.compareF32((int) memory, reg == 3);
                        }
                    } else if (wide) {
                        x.arithmeticF64(reg, memory);
                    } else {
                        x.arithmeticF32(reg, (int) memory);
                    }
                }
                case 0xDA, 0xDE -> {
                    long v = opcode == 0xDA ? (int) memory : (short) memory;
                    if (reg == 2 || reg == 3) {
                        x.compareInteger(v, reg == 3);
                    } else {
                        x.arithmeticInteger(reg, v);
                    }
                }
                case 0xD9 -> {
                    switch (reg) {
                        case 0 -> x.loadF32((int) memory);
                        default -> store(x.storeF32(), 4, reg == 3);
                    }
                }
                case 0xDD -> {
                    switch (reg) {
                        case 0 -> x.loadF64(memory);
                        case 1 -> store(x.storeInteger(64, true), 8, true);
                        default -> store(x.storeF64(), 8, reg == 3);
                    }
                }
                case 0xDB -> {
                    switch (reg) {
                        case 0 -> x.loadInteger((int) memory);
                        case 5 -> x.loadF80(memory, memoryHigh);
                        case 7 -> store(x.storeF80(), 10, true);
                        default -> store(x.storeInteger(32, reg == 1), 4, reg != 2);
                    }
                }
                default -> {
                    switch (reg) {
                        case 0 -> x.loadInteger((short) memory);
                        case 4 -> x.loadBcd(memory, memoryHigh);
                        case 5 -> x.loadInteger(memory);
                        case 6 -> store(x.storeBcd(), 10, true);
                        case 7 -> store(x.storeInteger(64, false), 8, true);
                        default -> store(x.storeInteger(16, reg == 1), 2, reg != 2);
                    }
                }
            }
        }

        private void store(boolean ready, int size, boolean pop) {
            if (ready) {
                long mask = size >= 8 ? -1L : (1L << 8 * size) - 1;
                memory = memory & ~mask | x.stored() & mask;
                if (size == 10) {
                    memoryHigh = x.storedHigh();
                }
            }
            x.storeDone(pop);
        }

        private void registerForm(int group, int i) {
            switch (opcode) {
                case 0xD8 -> {
                    if (group == 2 || group == 3) {
                        x.compare(i, false, group - 2);
                    } else {
                        x.arithmetic(group, 0, i, false);
                    }
                }
                case 0xDC -> x.arithmetic(reversed(group), i, 0, false);
                case 0xDE -> {
                    if (group == 3) {
                        x.compare(1, false, 2);
                    } else {
                        x.arithmetic(reversed(group), i, 0, true);
                    }
                }
                case 0xD9 -> d9(group, i);
                case 0xDA, 0xDB -> {
                    if (group < 4) {
                        x.fcmov(i, (eflags & FCMOV_FLAG[group]) != 0 == (opcode == 0xDA));
                    } else if (opcode == 0xDA) {
                        x.compare(1, true, 2);
                    } else if (modrm == 0xE2) {
                        x.fnclex();
                    } else if (modrm == 0xE3) {
                        x.fninit();
                    } else {
                        toFlags(x.compareToFlags(i, group == 5, false));
                    }
                }
                case 0xDD -> {
                    switch (group) {
                        case 0 -> x.ffree(i, false);
                        case 2, 3 -> x.storeSt(i, group == 3);
                        default -> x.compare(i, true, group - 4);
                    }
                }
                default -> {
                    if (group == 0) {
                        x.ffree(i, true);
                    } else {
                        toFlags(x.compareToFlags(i, group == 5, true));
                    }
                }
            }
        }

        private void toFlags(int flags) {
            if (flags >= 0) {
                eflags = flags;
            }
        }

        /// In DC and DE the roles of ST(0) and ST(i) change, and with them SUB and SUBR, DIV and DIVR.
        private static int reversed(int group) {
            return group >= 4 ? group ^ 1 : group;
        }

        private void d9(int group, int i) {
            switch (group) {
                case 0 -> x.loadSt(i);
                case 1 -> x.fxch(i);
                case 2 -> {}
                case 5 -> x.loadConstant(i);
                default -> {
                    switch (modrm) {
                        case 0xE0 -> x.fchs();
                        case 0xE1 -> x.fabs();
                        case 0xE4 -> x.ftst();
                        case 0xE5 -> x.fxam();
                        case 0xF0 -> x.f2xm1();
                        case 0xF1 -> x.fyl2x();
                        case 0xF2 -> x.fptan();
                        case 0xF3 -> x.fpatan();
                        case 0xF4 -> x.fxtract();
                        case 0xF5 -> x.fprem1();
                        case 0xF6 -> x.fdecstp();
                        case 0xF7 -> x.fincstp();
                        case 0xF8 -> x.fprem();
                        case 0xF9 -> x.fyl2xp1();
                        case 0xFA -> x.fsqrt();
                        case 0xFB -> x.fsincos();
                        case 0xFC -> x.frndint();
                        case 0xFD -> x.fscale();
                        case 0xFE -> x.fsin();
                        case 0xFF -> x.fcos();
                        default -> throw new IllegalStateException("Record of an unknown instruction " + name());
                    }
                }
            }
        }
    }
}
