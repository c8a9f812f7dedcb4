package org.jvirt.core;

import org.jvirt.core.cpu.CpuState;

/// A virtual processor. One thread owns it and calls [#run]; the methods for other threads say so.
public interface Vcpu extends AutoCloseable {
    int index();

    /// Executes guest code until something outside the processor must decide. A halted vCPU waits in here.
    RunResult run();

    /// Makes a current or the next [#run] return [RunResult.Kicked] soon. Any thread.
    void kick();

    /// The whole architectural state. Owner thread, or any thread while nobody runs it.
    CpuState state();

    /// Replaces the whole architectural state. Owner thread, or any thread while nobody runs it.
    void load(CpuState state);

    /// Says what to stop for, replacing what was said before. Owner thread, or any thread while nobody runs it.
    ///
    /// @throws UserErrorException without [Capability#GUEST_DEBUG]
    default void debug(GuestDebug wishes) {
        if (!wishes.isNone()) {
            throw new UserErrorException("This engine has no breakpoints and no single-step");
        }
    }

    /// Guest instructions executed so far, or -1 where the engine cannot tell. Any thread; approximate while
    /// running.
    long instructions();

    /// What the engine has counted about its own work on this vCPU, in one line for a person; empty where it counts
    /// nothing. Any thread; approximate while running.
    default String statistics() {
        return "";
    }

    @Override
    void close();
}
