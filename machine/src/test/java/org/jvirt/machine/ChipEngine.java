package org.jvirt.machine;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
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
import org.jvirt.core.Vm;
import org.jvirt.core.VmSpec;
import org.jvirt.core.cpu.CpuFeature;
import org.jvirt.core.cpu.CpuidLeaf;
import org.jvirt.core.interrupt.ApicConfig;
import org.jvirt.core.interrupt.PcInterruptsState;
import org.jvirt.core.interrupt.PitState;
import org.jvirt.devices.interrupt.PcInterrupts;
import org.jvirt.machine.ScriptedHypervisor.ScriptedVcpu;
import org.jvirt.testkit.RecordingLine;
import org.jvirt.testkit.RecordingMsi;

/// A scripted engine that, as KVM, has interrupt controllers, an 8254 and a clock of its own. It keeps account of
/// what the machine asks of them.
final class ChipEngine implements Hypervisor {
    /// What its 8254 has to save.
    static final PitState PIT = new PitState(PitState.RESET.channels(), 3, -1);

    static final long TSC_HZ = 2_100_000_000L;

    final RecordingLine[] lines = new RecordingLine[24];
    final RecordingMsi msi = new RecordingMsi();
    final List<PcInterruptsState> loaded = new CopyOnWriteArrayList<>();
    final List<Boolean> pitHeld = new CopyOnWriteArrayList<>();
    final List<PitState> pitLoaded = new CopyOnWriteArrayList<>();
    final AtomicInteger chipResets = new AtomicInteger();
    /// How often each vCPU had been run when the clock was set, all together.
    final List<Integer> clockSetAfterRuns = new CopyOnWriteArrayList<>();

    final ScriptedHypervisor scripted;
    private final List<ScriptedVcpu> vcpus = new ArrayList<>();

    ChipEngine(Function<ScriptedVcpu, RunResult> program) {
        scripted = new ScriptedHypervisor(program);
        for (int i = 0; i < lines.length; i++) {
            lines[i] = new RecordingLine();
        }
    }

    @Override
    public String name() {
        return "chips";
    }

    @Override
    public Set<Capability> capabilities() {
        return EnumSet.of(
                Capability.SMP, Capability.IN_KERNEL_INTERRUPTS, Capability.IN_KERNEL_PIT, Capability.OWN_CLOCK);
    }

    @Override
    public Set<CpuFeature> supportedFeatures() {
        return EnumSet.allOf(CpuFeature.class);
    }

    @Override
    public long tscHz(long wishedHz) {
        return TSC_HZ;
    }

    @Override
    public List<CpuidLeaf> paravirtualLeaves(boolean hyperV) {
        return List.of(
                new CpuidLeaf(0x4000_0000, 0, 0x4000_0001, 0x4b4d564b, 0x564b4d56, 0x4d),
                new CpuidLeaf(0x4000_0001, 0, 0x0100_007b, 0, 0, 0));
    }

    @Override
    public Vm createVm(VmSpec spec) {
        if (spec.interrupts().isPresent()) {
            throw new IllegalStateException("Given interrupt controllers it did not ask for");
        }
        var chips = new PcInterrupts(new ApicConfig(spec.vcpus(), 40, true), spec.tsc());
        Vm inner = scripted.createVm(
                new VmSpec(spec.name(), spec.memory(), spec.cpuid(), spec.vcpus(), spec.tsc(), Optional.of(chips)));
        return new Vm() {
            @Override
            public Vcpu createVcpu(int index, ExitHandler io) {
                Vcpu vcpu = inner.createVcpu(index, io);
                vcpus.add((ScriptedVcpu) vcpu);
                return vcpu;
            }

            @Override
            public InterruptLine irq(int gsi) {
                return lines[gsi];
            }

            @Override
            public MsiSink msi() {
                return msi;
            }

            @Override
            public void holdPit(boolean held) {
                pitHeld.add(held);
            }

            @Override
            public void synchronizeClock() {
                clockSetAfterRuns.add(
                        vcpus.stream().mapToInt(ScriptedVcpu::runs).sum());
            }

            @Override
            public PcInterruptsState saveInterrupts() {
                return chips.save();
            }

            @Override
            public void loadInterrupts(PcInterruptsState state) {
                loaded.add(state);
            }

            @Override
            public PitState savePit() {
                return PIT;
            }

            @Override
            public void loadPit(PitState state) {
                pitLoaded.add(state);
            }

            @Override
            public void resetInterrupts() {
                chipResets.incrementAndGet();
            }

            @Override
            public DirtyPages takeDirtyPages(MemorySlot slot) {
                return inner.takeDirtyPages(slot);
            }

            @Override
            public void close() {
                inner.close();
            }
        };
    }
}
