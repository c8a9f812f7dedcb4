package org.jvirt.engine.soft.translate.verify;

import org.jvirt.x86.Mnemonic;

/// One piece of a random program, in an order that only [FlagFlow] and [Code] know how to follow. Branches name the
/// [#id()] of the item they go to, or, when that is no longer there, the next one that is.
sealed interface Item {
    int id();

    /// An instruction that goes on to the next.
    ///
    /// @param reads     status flags it uses
    /// @param defines   status flags it always gives a defined value
    /// @param undefined status flags it leaves undefined
    /// @param replaces  status flags of which it certainly leaves nothing
    record Plain(int id, byte[] code, int reads, int defines, int undefined, int replaces) implements Item {}

    /// A branch to a later item.
    ///
    /// @param mnemonic `JMP`, a conditional jump, `JRCXZ` or a loop
    record Branch(int id, Mnemonic mnemonic, int reads, int target) implements Item {}

    /// A branch through a register or, with `register` -1, through memory.
    record Indirect(int id, int register, int target) implements Item {}

    /// Counts a word of the program's own down, and goes back while it is not zero.
    record Repeat(int id, int times, int target) implements Item {}

    /// A call of a function, which is a later [Function] item.
    ///
    /// @param register through which the call goes, or -1 for a direct one
    record Call(int id, int register, int function) implements Item {}

    /// The end of the main part: `INT 0x81`.
    record End(int id) implements Item {}

    /// The beginning of a function.
    record Function(int id) implements Item {}

    /// The end of a function.
    ///
    /// @param popped how many bytes of the caller's stack it takes with it
    record Return(int id, int popped) implements Item {}

    /// Writes another immediate into the `MOV reg, imm32` that is item `target`.
    record Patch(int id, int target, int value) implements Item {}

    /// `MOV reg, imm32`, for [Patch].
    record Patched(int id, int register, int value) implements Item {}
}
