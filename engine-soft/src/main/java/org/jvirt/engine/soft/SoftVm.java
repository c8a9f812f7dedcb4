package org.jvirt.engine.soft;

import org.jspecify.annotations.Nullable;
import org.jvirt.core.DirtyPages;
import org.jvirt.core.ExitHandler;
import org.jvirt.core.InterruptController;
import org.jvirt.core.InterruptLine;
import org.jvirt.core.MemorySlot;
import org.jvirt.core.MsiSink;
import org.jvirt.core.TranslatorSettings;
import org.jvirt.core.Vcpu;
import org.jvirt.core.Vm;
import org.jvirt.core.VmSpec;
import org.jvirt.engine.soft.cpu.Processors;

/// A VM of the software engine.
final class SoftVm implements Vm {
    private final VmSpec spec;
    private final InterruptController interrupts;
    private final Processors processors;

    private final @Nullable TranslatorSettings translator;

    /// @param translator null to interpret everything
    SoftVm(VmSpec spec, InterruptController interrupts, @Nullable TranslatorSettings translator) {
        this.translator = translator;
        this.spec = spec;
        this.interrupts = interrupts;
        processors = new Processors(spec, interrupts);
    }

    @Override
    public Vcpu createVcpu(int index, ExitHandler io) {
        if (index < 0 || index >= spec.vcpus()) {
            throw new IllegalArgumentException(
                    "VM %s has vCPUs 0 to %d, not %d".formatted(spec.name(), spec.vcpus() - 1, index));
        }
        return new SoftVcpu(processors.create(index, io), translator);
    }

    @Override
    public InterruptLine irq(int gsi) {
        return interrupts.line(gsi);
    }

    @Override
    public MsiSink msi() {
        return interrupts.msi();
    }

    @Override
    public DirtyPages takeDirtyPages(MemorySlot slot) {
        DirtyPages taken = spec.memory().takeDirtyPages(slot);
        processors.settleWrites();
        return taken;
    }

    @Override
    public void close() {
        // everything is ordinary memory of the Java machine
    }
}
