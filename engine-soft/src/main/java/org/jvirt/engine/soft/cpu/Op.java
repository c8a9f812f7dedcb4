package org.jvirt.engine.soft.cpu;

/// One decoded guest instruction, ready to execute: all that decoding knows is in final fields.
public abstract class Op {
    /// Offset of the following instruction from the first byte of the block.
    protected final int nextOffset;

    protected Op(int nextOffset) {
        this.nextOffset = nextOffset;
    }

    public final int nextOffset() {
        return nextOffset;
    }

    /// Performs the instruction. A control transfer sets [Cpu#rip] through [Cpu#branchNear]; all others leave it
    /// alone.
    ///
    /// @throws GuestFault when nothing architectural has changed, apart from completed iterations of a string
    ///     instruction
    public abstract void execute(Cpu cpu);
}
