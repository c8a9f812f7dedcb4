package org.jvirt.machine;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import org.jvirt.core.Capability;
import org.jvirt.core.DirtyPages;
import org.jvirt.core.ExitHandler;
import org.jvirt.core.Hypervisor;
import org.jvirt.core.InterruptLine;
import org.jvirt.core.MemorySlot;
import org.jvirt.core.MsiSink;
import org.jvirt.core.RunResult;
import org.jvirt.core.Vcpu;
import org.jvirt.core.VcpuSignals;
import org.jvirt.core.Vm;
import org.jvirt.core.VmSpec;
import org.jvirt.core.cpu.Activity;
import org.jvirt.core.cpu.CpuFeature;
import org.jvirt.core.cpu.CpuState;

/// An engine whose guests are Java functions: each [Vcpu#run] of a vCPU that is not halted calls the program once.
public final class ScriptedHypervisor implements Hypervisor {
    private final Function<ScriptedVcpu, RunResult> program;
    private final List<ScriptedVcpu> vcpus = new CopyOnWriteArrayList<>();
    private volatile boolean vmClosed;

    public ScriptedHypervisor(Function<ScriptedVcpu, RunResult> program) {
        this.program = program;
    }

    /// A guest that halts until it is kicked.
    public static RunResult halt(ScriptedVcpu vcpu) {
        return vcpu.waitForKick();
    }

    @Override
    public String name() {
        return "scripted";
    }

    @Override
    public Set<Capability> capabilities() {
        return EnumSet.of(Capability.SMP);
    }

    @Override
    public Set<CpuFeature> supportedFeatures() {
        return EnumSet.allOf(CpuFeature.class);
    }

    ScriptedVcpu vcpu(int index) {
        return vcpus.get(index);
    }

    boolean vmClosed() {
        return vmClosed;
    }

    @Override
    public Vm createVm(VmSpec spec) {
        return new Vm() {
            @Override
            public Vcpu createVcpu(int index, ExitHandler io) {
                var vcpu = new ScriptedVcpu(index, io, spec);
                vcpus.add(vcpu);
                spec.interrupts().orElseThrow().connect(index, vcpu);
                return vcpu;
            }

            @Override
            public InterruptLine irq(int gsi) {
                return spec.interrupts().orElseThrow().line(gsi);
            }

            @Override
            public MsiSink msi() {
                return spec.interrupts().orElseThrow().msi();
            }

            @Override
            public DirtyPages takeDirtyPages(MemorySlot slot) {
                return spec.memory().takeDirtyPages(slot);
            }

            @Override
            public void close() {
                vmClosed = true;
            }
        };
    }

    /// Counts what happens to it.
    public final class ScriptedVcpu implements Vcpu, VcpuSignals {
        private final int index;
        private final ExitHandler io;
        private final VmSpec spec;
        private final List<CpuState> loaded = new ArrayList<>();
        private CpuState state;
        private boolean kicked;
        private int runs;
        private boolean closed;

        ScriptedVcpu(int index, ExitHandler io, VmSpec spec) {
            this.index = index;
            this.io = io;
            this.spec = spec;
            state = CpuState.reset(index == 0 ? Activity.RUNNING : Activity.WAIT_FOR_SIPI, 0);
        }

        ExitHandler io() {
            return io;
        }

        VmSpec spec() {
            return spec;
        }

        synchronized int runs() {
            return runs;
        }

        synchronized List<CpuState> loaded() {
            return List.copyOf(loaded);
        }

        synchronized boolean closed() {
            return closed;
        }

        synchronized RunResult waitForKick() {
            while (!kicked) {
                try {
                    wait();
                } catch (InterruptedException e) {
                    return new RunResult.Stuck("interrupted");
                }
            }
            kicked = false;
            return RunResult.KICKED;
        }

        @Override
        public int index() {
            return index;
        }

        @Override
        public RunResult run() {
            synchronized (this) {
                runs++;
            }
            return index == 0 ? program.apply(this) : waitForKick();
        }

        @Override
        public synchronized void kick() {
            kicked = true;
            notifyAll();
        }

        @Override
        public synchronized CpuState state() {
            return state;
        }

        @Override
        public synchronized void load(CpuState newState) {
            state = newState;
            loaded.add(newState);
        }

        @Override
        public long instructions() {
            return -1;
        }

        @Override
        public synchronized void close() {
            closed = true;
        }

        @Override
        public void interruptPending() {
            // A program asks for interrupts itself.
        }

        @Override
        public void nmi() {
            // As above.
        }

        @Override
        public void init() {
            // As above.
        }

        @Override
        public void startup(int vector) {
            // As above.
        }
    }
}
