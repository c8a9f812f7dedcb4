package org.jvirt.engine.soft.translate.verify;

import org.jvirt.core.InvalidMsrException;
import org.jvirt.core.LocalInterrupts;

/// A local APIC of the first processor that lets every interrupt through and has no register and no timer: who
/// extends it says which interrupts wait.
abstract class BareLocalInterrupts implements LocalInterrupts {
    @Override
    public boolean allowsSilentEnd(int vector) {
        return false;
    }

    @Override
    public void endOfInterrupt() {
        // needs none
    }

    @Override
    public int taskPriority() {
        return 0;
    }

    @Override
    public void setTaskPriority(int priority) {
        // all interrupts are let through
    }

    @Override
    public long apicBase() {
        return 0xFEE0_0900L;
    }

    @Override
    public void setApicBase(long value) {
        throw InvalidMsrException.INSTANCE;
    }

    @Override
    public long readMsr(int msr) {
        throw InvalidMsrException.INSTANCE;
    }

    @Override
    public void writeMsr(int msr, long value) {
        throw InvalidMsrException.INSTANCE;
    }

    @Override
    public long tscDeadline() {
        return 0;
    }

    @Override
    public void setTscDeadline(long ticks) {
        // no timer
    }
}
