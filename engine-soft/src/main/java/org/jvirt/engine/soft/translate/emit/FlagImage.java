package org.jvirt.engine.soft.translate.emit;

import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RAX;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RCX;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RSP;

import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.x86.CodeWriter;

/// RFLAGS as a whole: put together of the words that hold its parts, and taken apart into them.
final class FlagImage {
    /// The bits that are in [StateLayout#SYSTEM_FLAGS] and may change there.
    static final int SYSTEM = Cpu.IOPL | Cpu.NT | Cpu.AC | Cpu.VIF | Cpu.VIP | Cpu.ID;

    private static final int MOVZX_BYTE = 0x0FB6;
    private static final int OR_BYTE = 0x0A;
    private static final int OVERFLOW_BIT = 11;
    /// Bit 1 of RFLAGS.
    private static final int ALWAYS = 2;

    private final CodeWriter w;

    FlagImage(CodeWriter writer) {
        w = writer;
    }

    /// RFLAGS into RCX. The status flags must have been kept, and be live; those of the host change.
    void compose() {
        w.memory(MOVZX_BYTE, 4, RCX, RSP, -1, 0, StateLayout.SAVED_FLAGS);
        w.shift(CodeWriter.SHL, 4, RCX, OVERFLOW_BIT);
        w.memory(OR_BYTE, 1, RCX, RSP, -1, 0, StateLayout.SAVED_FLAGS + 1);
        w.arithmeticMemory(CodeWriter.OR, 4, RCX, RSP, -1, StateLayout.SYSTEM_FLAGS);
        w.arithmeticMemory(CodeWriter.OR, 4, RCX, RSP, -1, StateLayout.INTERRUPTS_ENABLED);
        w.arithmeticMemory(CodeWriter.OR, 4, RCX, RSP, -1, StateLayout.BACKWARD);
    }

    /// Sets all words but the status flags from the image at `place`. RCX is used, and flags change.
    void setSystem(int place) {
        w.load(4, RCX, RSP, place);
        w.arithmetic(CodeWriter.AND, 4, RCX, SYSTEM);
        w.arithmetic(CodeWriter.OR, 4, RCX, ALWAYS);
        w.store(4, RCX, RSP, StateLayout.SYSTEM_FLAGS);
        set(place, Cpu.IF, StateLayout.INTERRUPTS_ENABLED);
        set(place, Cpu.DF, StateLayout.BACKWARD);
    }

    /// Sets the word of one flag from the image at `place`. RCX is used, and flags change.
    void set(int place, int flag, int word) {
        w.load(4, RCX, RSP, place);
        w.arithmetic(CodeWriter.AND, 4, RCX, flag);
        w.store(4, RCX, RSP, word);
    }

    /// Gives the host the status flags of the image at `place`. RCX is used.
    void setStatus(int place) {
        w.store(8, RAX, RSP, StateLayout.TEMPORARY);
        w.load(4, RCX, RSP, place);
        w.memory(MOVZX_BYTE, 4, RAX, RSP, -1, 0, place);
        w.shift(CodeWriter.SHL, 4, RAX, 8);
        w.shift(CodeWriter.SHR, 4, RCX, OVERFLOW_BIT);
        w.arithmetic(CodeWriter.AND, 4, RCX, 1);
        w.arithmeticRegister(CodeWriter.OR, 4, RAX, RCX);
        w.flagsFromRax();
        w.load(8, RAX, RSP, StateLayout.TEMPORARY);
    }
}
