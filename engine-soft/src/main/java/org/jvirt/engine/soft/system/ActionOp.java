package org.jvirt.engine.soft.system;

import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Op;

/// An operation given as a function: for instructions that are rare or slow anyway.
final class ActionOp extends Op {
    /// What it does.
    @FunctionalInterface
    interface Action {
        void perform(Cpu cpu);
    }

    private final boolean privileged;
    private final Action action;

    private ActionOp(int nextOffset, boolean privileged, Action action) {
        super(nextOffset);
        this.privileged = privileged;
        this.action = action;
    }

    static Op of(int nextOffset, Action action) {
        return new ActionOp(nextOffset, false, action);
    }

    /// `#GP(0)` unless the privilege level is 0.
    static Op privileged(int nextOffset, Action action) {
        return new ActionOp(nextOffset, true, action);
    }

    @Override
    public void execute(Cpu cpu) {
        if (privileged && cpu.cpl() != 0) {
            throw cpu.gp(0);
        }
        action.perform(cpu);
    }
}
