package org.jvirt.engine.soft.integer;

import java.util.Objects;
import java.util.function.Consumer;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.engine.soft.cpu.TestProcessor;
import org.jvirt.x86.Assembler;
import org.jvirt.x86.DecodeResult;
import org.jvirt.x86.Decoder;
import org.jvirt.x86.Instruction;

/// Runs assembled integer instructions on a [TestProcessor], each as a block of its own, until control leaves the
/// code.
final class Program {
    private static final int MAX_STEPS = 1_000_000;

    private final Cpu cpu;
    private final Decoder decoder = new Decoder();
    private final Instruction insn = new Instruction();

    Program(TestProcessor machine) {
        this(machine.cpu);
    }

    Program(Cpu cpu) {
        this.cpu = cpu;
    }

    void run(Consumer<Assembler> source) {
        var assembler = new Assembler(cpu.codeSize(), TestProcessor.CODE);
        source.accept(assembler);
        run(assembler.assemble());
    }

    /// Runs from the first byte until RIP is outside of the bytes. What a fault throws passes through, with RIP at
    /// the instruction.
    void run(byte[] code) {
        cpu.rip = TestProcessor.CODE;
        for (int steps = 0; steps < MAX_STEPS; steps++) {
            long offset = cpu.rip - TestProcessor.CODE;
            if (offset < 0 || offset >= code.length) {
                return;
            }
            step(code, (int) offset);
        }
        throw new IllegalStateException("The program does not end");
    }

    /// Runs the instruction at `offset` and stops.
    void step(byte[] code, int offset) {
        DecodeResult result = decoder.decode(code, offset, code.length, cpu.codeSize(), insn);
        if (result != DecodeResult.OK) {
            throw new IllegalStateException("Offset %d does not decode: %s".formatted(offset, result));
        }
        Op op = Objects.requireNonNull(IntegerOps.of(insn, insn.length(), cpu.opContext()), insn::toString);
        long start = TestProcessor.CODE + offset;
        cpu.blockRip = start;
        cpu.r[Cpu.BLOCK_RIP] = start;
        cpu.rip = start + insn.length();
        cpu.leave = false;
        boolean done = false;
        try {
            op.execute(cpu);
            done = true;
        } finally {
            if (!done) {
                cpu.rip = start;
            }
        }
    }
}
