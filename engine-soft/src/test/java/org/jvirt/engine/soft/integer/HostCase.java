package org.jvirt.engine.soft.integer;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.StringJoiner;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Flags;
import org.jvirt.engine.soft.cpu.GuestFault;
import org.jvirt.engine.soft.cpu.TestProcessor;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.Mnemonic;

/// One instruction and the state it starts in, both small enough for a line of text: registers and memory follow
/// from a seed.
///
/// All memory is one page at [#AREA]; pointers lead into its middle: R15 with R14 as index for memory operands,
/// RSI, RDI, RSP, and RBX and RBP where the instruction uses them.
///
/// @param code  the instruction's bytes
/// @param seed  what registers and memory follow from
/// @param flags RFLAGS: arithmetic flags and DF
record HostCase(byte[] code, long seed, int flags) {
    static final long AREA = 0x2_0000;
    static final int AREA_BYTES = 0x1000;
    static final int BASE = 15;
    static final int INDEX = 14;
    /// The flags that are compared at all.
    static final int COMPARED = Flags.MASK | Cpu.DF;
    private static final long MIDDLE = AREA + 0x800;

    /// What came out.
    ///
    /// @param vector of the exception, or -1
    /// @param hash   of the memory
    record Outcome(int vector, int flags, long[] registers, long hash) {}

    /// A sequence of 64-bit numbers (Steele, Lea, Flood: Fast splittable pseudorandom number generators, figure
    /// 16).
    private static final class Numbers {
        private long state;

        Numbers(long seed) {
            state = seed;
        }

        long next() {
            state += 0x9E37_79B9_7F4A_7C15L;
            long z = state;
            z = (z ^ z >>> 30) * 0xBF58_476D_1CE4_E5B9L;
            z = (z ^ z >>> 27) * 0x94D0_49BB_1331_11EBL;
            return z ^ z >>> 31;
        }

        int below(int bound) {
            return (int) Long.remainderUnsigned(next(), bound);
        }

        /// Of any magnitude, near powers of two, small, or of all 64 bits.
        long value() {
            return switch (below(5)) {
                case 0 -> next();
                case 1 -> below(9) - 4;
                case 2 -> next() >> below(64);
                case 3 -> (1L << below(64)) + below(3) - 1;
                default -> below(256);
            };
        }
    }

    /// The registers before, for the decoded instruction.
    long[] registers(Instruction insn) {
        var numbers = new Numbers(seed);
        Mnemonic mnemonic = insn.mnemonic();
        boolean memory = insn.memoryOperand() >= 0;
        boolean far = memory && insn.row().bitBase();
        boolean narrow = insn.addressSize() == 4;
        long[] r = new long[16];
        for (int i = 0; i < 16; i++) {
            r[i] = numbers.value();
        }
        if (far) {
            long index = numbers.below(8000) - 4000L;
            int bits = 8 * insn.size(1);
            r[insn.register(1)] = bits == 64 ? index : numbers.next() << bits | index & (1L << bits) - 1;
        }
        if (memory) {
            r[BASE] = pointer(MIDDLE, narrow, numbers);
            if (insn.index() == INDEX) {
                r[INDEX] = pointer(numbers.below(16), narrow, numbers);
            }
        }
        r[Cpu.RSP] = MIDDLE + 0x200 + numbers.below(16);
        switch (mnemonic) {
            case MOVS, CMPS, STOS, LODS, SCAS -> {
                r[Cpu.RSI] = pointer(MIDDLE + numbers.below(64), narrow, numbers);
                r[Cpu.RDI] = pointer(MIDDLE + numbers.below(200), narrow, numbers);
                r[Cpu.RCX] = pointer(numbers.below(50), narrow, numbers);
            }
            case XLAT -> r[Cpu.RBX] = pointer(MIDDLE, narrow, numbers);
            case LEAVE -> r[Cpu.RBP] = MIDDLE + numbers.below(32);
            case DIV, IDIV -> r[Cpu.RDX] = numbers.below(2) == 0 ? r[Cpu.RAX] >> 63 : numbers.below(3) - 1;
            default -> {
                // nothing more
            }
        }
        return r;
    }

    /// With anything in the upper half where the address size ignores it.
    private static long pointer(long value, boolean narrow, Numbers numbers) {
        return narrow ? numbers.next() << 32 | value : value;
    }

    /// The memory before.
    byte[] memory() {
        var numbers = new Numbers(~seed);
        var content = ByteBuffer.allocate(AREA_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        while (content.hasRemaining()) {
            content.putLong(numbers.next());
        }
        return content.array();
    }

    static long hash(byte[] memory) {
        var content = ByteBuffer.wrap(memory).order(ByteOrder.LITTLE_ENDIAN);
        long hash = 0;
        while (content.hasRemaining()) {
            hash = hash * 31 + content.getLong();
        }
        return hash;
    }

    /// Runs it here.
    Outcome execute(TestProcessor machine, Instruction insn) {
        Cpu cpu = machine.cpu;
        machine.memory.write(AREA, memory());
        System.arraycopy(registers(insn), 0, cpu.r, 0, 16);
        cpu.setRflags(flags);
        int vector = -1;
        try {
            new Program(machine).run(code);
        } catch (GuestFault fault) {
            vector = fault.vector();
        }
        byte[] after = new byte[AREA_BYTES];
        machine.memory.read(AREA, after);
        return new Outcome(vector, (int) cpu.rflags() & COMPARED, Arrays.copyOf(cpu.r, 16), hash(after));
    }

    /// A line: code, seed, flags before, vector, flags after, memory hash, and the registers that changed.
    String line(long[] before, Outcome outcome) {
        var text = new StringJoiner(" ");
        text.add(HexFormat.of().formatHex(code))
                .add(Long.toHexString(seed))
                .add(Integer.toHexString(flags))
                .add(Integer.toString(outcome.vector))
                .add(Integer.toHexString(outcome.flags))
                .add(Long.toHexString(outcome.hash));
        for (int i = 0; i < 16; i++) {
            if (before[i] != outcome.registers[i]) {
                text.add(i + "=" + Long.toHexString(outcome.registers[i]));
            }
        }
        return text.toString();
    }

    static HostCase parse(String line) {
        String[] words = line.split(" ", -1);
        return new HostCase(
                HexFormat.of().parseHex(words[0]),
                Long.parseUnsignedLong(words[1], 16),
                Integer.parseInt(words[2], 16));
    }

    static Outcome parseOutcome(String line, long[] before) {
        String[] words = line.split(" ", -1);
        long[] registers = before.clone();
        for (int i = 6; i < words.length; i++) {
            int equals = words[i].indexOf('=');
            registers[Integer.parseInt(words[i].substring(0, equals))] =
                    Long.parseUnsignedLong(words[i].substring(equals + 1), 16);
        }
        return new Outcome(
                Integer.parseInt(words[3]),
                Integer.parseInt(words[4], 16),
                registers,
                Long.parseUnsignedLong(words[5], 16));
    }
}
