package org.jvirt.engine.soft.cpu;

/// The rules around one instruction that is executed alone: after STI or a load of SS, under TF, and while
/// execution breakpoints are enabled.
public final class SingleStep {
    private final Cpu cpu;
    private boolean trap;
    private long delivered;

    public SingleStep(Cpu cpu) {
        this.cpu = cpu;
    }

    /// Whether the next instruction must be executed alone.
    public boolean needed() {
        return cpu.shadow != Cpu.Shadow.NONE || (cpu.systemFlags & Cpu.TF) != 0 || cpu.debug.hasExecutionBreakpoints();
    }

    /// Before the instruction at linear address `la`.
    ///
    /// @throws GuestFault `#DB` of an execution breakpoint
    public void begin(long la) {
        boolean resumed = (cpu.systemFlags & Cpu.RF) != 0;
        // now rather than afterwards: an IRET may set it anew
        cpu.systemFlags &= ~Cpu.RF;
        if (!resumed && cpu.shadow != Cpu.Shadow.ALL && cpu.debug.hasExecutionBreakpoints()) {
            long hits = cpu.debug.executionHits(la);
            if (hits != 0) {
                throw cpu.db(hits);
            }
        }
        trap = (cpu.systemFlags & Cpu.TF) != 0;
        delivered = cpu.interrupts.delivered();
        cpu.shadow = Cpu.Shadow.NONE;
    }

    /// After the instruction; events that it has delivered itself swallow the trap.
    public void end() {
        if (cpu.interrupts.delivered() != delivered) {
            return;
        }
        if (trap && cpu.shadow != Cpu.Shadow.ALL) {
            cpu.debug.trap(Debug.SINGLE_STEP);
        }
    }

    /// Before a chain of blocks: without breakpoints nobody sees RF being cleared by the first instruction.
    public void skip() {
        cpu.systemFlags &= ~Cpu.RF;
    }
}
