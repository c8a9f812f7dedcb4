package org.jvirt.architecture.samples;

import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.util.logging.Logger;

/// Breaks every rule of the table once.
@SuppressWarnings("restricted")
public final class RuleBreaker {
    /// Public and mutable.
    public int state;

    private final MemorySegment memory =
            Linker.nativeLinker().defaultLookup().find("getpid").orElseThrow().reinterpret(64);

    /// An accessor with `get`.
    public MemorySegment getMemory() {
        return memory;
    }

    /// Sleeps, prints, logs and ends the process.
    public void misbehave() {
        try {
            Thread.sleep(state);
        } catch (InterruptedException e) {
            e.printStackTrace();
        }
        System.out.println("misbehaving");
        Logger.getLogger("jvirt").info("misbehaving");
        System.exit(1);
    }
}
