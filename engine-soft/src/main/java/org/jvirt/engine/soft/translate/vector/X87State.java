package org.jvirt.engine.soft.translate.vector;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.fp.X87Image;
import org.jvirt.engine.soft.translate.emit.StateLayout;
import org.jvirt.x86.CodeWriter;

/// The x87 unit on its way between the processor in Java, its state block, and the host's unit.
///
/// ```
/// Cpu.x87 ── toNative ──→ state block ── emitLoad, by the first block that uses it ──→ host
///         ←── toJava ────             ←── emitSave, at each exit if it was loaded ────
/// ```
///
/// So Java code always runs with the host's unit as the ABI wants it, and exits that follow no x87 instruction cost
/// nothing. The pointers to the last instruction and its operand are words of the state block beside the unit: what
/// generated code notes there is what the interpreter would, whatever the host's processor keeps.
public final class X87State {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final int RAX = 0;
    private static final int RDX = 2;
    private static final int RSP = 4;
    private static final int NONE = -1;
    private static final int X87_BIT = 1;
    private static final int XSTATE_BV = 512;
    private static final int POINTERS = 6;
    private static final int POINTERS_END = 24;
    private static final int REGISTERS = 32;
    private static final int CR0_EM_AND_TS = 1 << 2 | 1 << 3;
    /// The mask bits of the control word.
    private static final int MASKS = 0x3F;

    /// 0F AE: XSAVE and XRSTOR.
    private static final int XSAVE = 4;

    private static final int XRSTOR = 5;
    /// D9: FLDCW and FNSTCW.
    private static final int FLDCW = 5;

    private static final int FNSTCW = 7;

    /// The unit's image, FXSAVE's with 64-bit pointers.
    private final byte[] image = new byte[X87Image.FXSAVE_BYTES];

    /// Writes code that loads the guest's unit from the state block that RSP points to. RAX and RDX are used, flags
    /// stay.
    public static void emitLoad(CodeWriter out) {
        out.memory(0xD9, 4, FNSTCW, RSP, NONE, 0, StateLayout.HOST_X87_CONTROL);
        out.constant(RAX, X87_BIT);
        out.constant(RDX, 0);
        out.memory(0x0FAE, 8, XRSTOR, RSP, NONE, 0, StateLayout.X87);
    }

    /// Writes code that saves the guest's unit to the state block and leaves the host's behind as it was: empty,
    /// and with its own control word. RAX and RDX are used, flags stay.
    public static void emitSave(CodeWriter out) {
        out.constant(RAX, X87_BIT);
        out.constant(RDX, 0);
        out.memory(0x0FAE, 8, XSAVE, RSP, NONE, 0, StateLayout.X87);
        // FNINIT
        out.byte1(0xDB);
        out.byte1(0xE3);
        out.memory(0xD9, 4, FLDCW, RSP, NONE, 0, StateLayout.HOST_X87_CONTROL);
    }

    /// Whether translated code may use the unit now: the guest may, and none of its exceptions could become one of
    /// the host's.
    public static boolean mayLoad(Cpu cpu) {
        return (cpu.control.cr0() & CR0_EM_AND_TS) == 0 && (cpu.x87.control() & MASKS) == MASKS;
    }

    /// Copies the processor's unit to its state block.
    public void toNative(Cpu cpu, MemorySegment state) {
        X87Image.fxsave(cpu.x87, image, true);
        for (int i = POINTERS; i < POINTERS_END; i++) {
            image[i] = 0;
        }
        long area = StateLayout.X87;
        MemorySegment.copy(image, 0, state, ValueLayout.JAVA_BYTE, area, POINTERS_END);
        int bytes = X87Image.FXSAVE_BYTES - REGISTERS;
        MemorySegment.copy(image, REGISTERS, state, ValueLayout.JAVA_BYTE, area + REGISTERS, bytes);
        state.set(LONG, area + XSTATE_BV, X87_BIT);
        state.set(INT, StateLayout.X87_OPCODE, cpu.x87.opcode());
        state.set(INT, StateLayout.X87_CODE_SELECTOR, cpu.x87.codeSelector());
        state.set(LONG, StateLayout.X87_INSTRUCTION, cpu.x87.instructionPointer());
        state.set(INT, StateLayout.X87_DATA_SELECTOR, cpu.x87.dataSelector());
        state.set(LONG, StateLayout.X87_DATA, cpu.x87.dataPointer());
    }

    /// Copies the unit back, after the code of [#emitSave] has run.
    public void toJava(Cpu cpu, MemorySegment state) {
        MemorySegment.copy(state, ValueLayout.JAVA_BYTE, StateLayout.X87, image, 0, X87Image.FXSAVE_BYTES);
        X87Image.fxrstor(cpu.x87, image, true);
        cpu.x87.pointers(
                state.get(INT, StateLayout.X87_OPCODE),
                state.get(INT, StateLayout.X87_CODE_SELECTOR),
                state.get(LONG, StateLayout.X87_INSTRUCTION),
                state.get(INT, StateLayout.X87_DATA_SELECTOR),
                state.get(LONG, StateLayout.X87_DATA));
    }
}
