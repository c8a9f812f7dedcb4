package org.jvirt.engine.soft.simd;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Control;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.GuestFault;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.engine.soft.cpu.TestProcessor;
import org.jvirt.x86.Assembler;
import org.jvirt.x86.DecodeResult;
import org.jvirt.x86.Decoder;
import org.jvirt.x86.Instruction;

/// A processor on which the vector and x87 instructions are enabled, and which runs them one after the other.
final class VectorMachine implements AutoCloseable {
    static final int NO_FAULT = -1;
    static final long DATA = 0x8000;

    final TestProcessor machine;
    final Cpu cpu;
    private final Decoder decoder = new Decoder();
    private final Instruction insn = new Instruction();

    private VectorMachine(TestProcessor machine) {
        this.machine = machine;
        cpu = machine.cpu;
    }

    /// In 64-bit mode.
    static VectorMachine long64() {
        var machine = new VectorMachine(TestProcessor.long64());
        machine.cpu.control.setCr4(Control.PAE | Control.OSFXSR | Control.OSXMMEXCPT | Control.OSXSAVE);
        machine.cpu.control.setXcr0(7);
        return machine;
    }

    /// In 16-bit real mode.
    static VectorMachine real16() {
        return new VectorMachine(TestProcessor.real16());
    }

    /// The operation of an instruction in either of the package's factories.
    static @Nullable Op operation(Instruction insn, Cpu cpu) {
        Op op = SimdOps.of(insn, insn.length(), cpu.opContext());
        return op != null ? op : X87Ops.of(insn, insn.length(), cpu.opContext());
    }

    /// Runs the instructions up to the first that faults; answers its vector, or [#NO_FAULT].
    int run(Consumer<Assembler> source) {
        var assembler = new Assembler(cpu.codeSize(), TestProcessor.CODE);
        source.accept(assembler);
        return run(assembler.assemble());
    }

    int run(byte[] code) {
        for (int at = 0; at < code.length; at += insn.length()) {
            DecodeResult result = decoder.decode(code, at, code.length, cpu.codeSize(), insn);
            assertThat(result).isEqualTo(DecodeResult.OK);
            Op op = Objects.requireNonNull(operation(insn, cpu), insn::toString);
            cpu.blockRip = TestProcessor.CODE + at;
            cpu.r[Cpu.BLOCK_RIP] = cpu.blockRip;
            try {
                op.execute(cpu);
            } catch (GuestFault fault) {
                return fault.vector();
            }
        }
        return NO_FAULT;
    }

    long word(long address) {
        return machine.memory.readLong(address);
    }

    void word(long address, long value) {
        machine.memory.writeLong(address, value);
    }

    @Override
    public void close() {
        machine.close();
    }
}
