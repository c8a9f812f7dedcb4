package org.jvirt.engine.soft.cpu;

import org.jspecify.annotations.Nullable;
import org.jvirt.core.RunResult;
import org.jvirt.core.cpu.Activity;

/// What happens between two blocks when somebody wants something: requests of other threads, debug traps,
/// interrupts, and the sleep of a processor that has nothing to do.
public final class Boundary {
    private final Cpu cpu;

    public Boundary(Cpu cpu) {
        this.cpu = cpu;
    }

    /// Settles everything that waits. On return without result the processor executes at [Cpu#rip].
    public @Nullable RunResult settle() {
        while (true) {
            if (cpu.signals.requested() && serve(cpu.signals.take())) {
                return RunResult.KICKED;
            }
            switch (cpu.activity) {
                case RUNNING -> {
                    if (run()) {
                        return null;
                    }
                }
                case HALTED -> {
                    if (cpu.interrupts.wakes()) {
                        cpu.activity = Activity.RUNNING;
                    } else {
                        cpu.signals.sleep();
                    }
                }
                case WAIT_FOR_SIPI -> cpu.signals.sleep();
                case SHUTDOWN -> {
                    return new RunResult.TripleFault(cpu.rip);
                }
            }
        }
    }

    /// Traps and interrupts of a running processor; whether it goes on running.
    private boolean run() {
        long met = cpu.debug.takeMet();
        if (met != 0) {
            if (cpu.shadow == Cpu.Shadow.ALL) {
                cpu.debug.trap(met);
            } else {
                cpu.interrupts.debugTrap(met);
            }
        }
        if (cpu.shadow == Cpu.Shadow.NONE) {
            cpu.interrupts.takeExternal();
        }
        return cpu.activity == Activity.RUNNING;
    }

    /// Whether the processor has been kicked.
    private boolean serve(int requests) {
        if ((requests & Signals.GUARD) != 0) {
            cpu.signals.serveGuard();
        }
        if ((requests & Signals.CODE) != 0) {
            cpu.signals.serveCode();
        }
        if ((requests & Signals.INIT) != 0) {
            CpuStates.init(cpu);
        }
        if ((requests & Signals.STARTUP) != 0 && cpu.activity == Activity.WAIT_FOR_SIPI) {
            CpuStates.startup(cpu, cpu.signals.startupVector());
        }
        if ((requests & Signals.NMI) != 0) {
            cpu.interrupts.nmi();
        }
        if ((requests & Signals.INTERRUPT) != 0) {
            cpu.interrupts.reported();
        }
        if ((requests & Signals.UNHALT) != 0 && cpu.activity == Activity.HALTED) {
            cpu.activity = Activity.RUNNING;
        }
        return (requests & Signals.KICK) != 0;
    }
}
