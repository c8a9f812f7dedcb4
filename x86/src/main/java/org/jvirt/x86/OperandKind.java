package org.jvirt.x86;

/// What an operand of a decoded instruction is.
public enum OperandKind {
    /// A general register; [Instruction#register(int)] is 0 to 15 and [Instruction#size(int)] says how much of it.
    GPR,
    /// AH, CH, DH or BH; [Instruction#register(int)] is 0 to 3: the number of the register whose second byte it is.
    GPR8_HIGH,
    /// ES, CS, SS, DS, FS, GS: 0 to 5.
    SEGMENT,
    CONTROL,
    DEBUG,
    /// ST(i).
    X87,
    MMX,
    XMM,
    YMM,
    MEMORY,
    IMMEDIATE,
    /// A branch target, as a displacement from the next instruction.
    RELATIVE,
    /// A far pointer in the instruction: offset in [Instruction#immediate()], selector in
    /// [Instruction#immediate2()].
    FAR;

    /// Whether it names a register of any file.
    public boolean isRegister() {
        return ordinal() < MEMORY.ordinal();
    }
}
