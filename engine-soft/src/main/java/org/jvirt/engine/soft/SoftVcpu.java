package org.jvirt.engine.soft;

import org.jspecify.annotations.Nullable;
import org.jvirt.core.RunResult;
import org.jvirt.core.TranslatorSettings;
import org.jvirt.core.Vcpu;
import org.jvirt.core.cpu.CpuState;
import org.jvirt.engine.soft.code.Interpreter;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.CpuStates;
import org.jvirt.engine.soft.translate.Translator;

/// A virtual processor of the software engine.
final class SoftVcpu implements Vcpu {
    private final Cpu cpu;
    private final Interpreter interpreter;

    private final @Nullable Translator translator;
    private volatile boolean running;

    /// @param settings the translator's, or null to interpret everything
    SoftVcpu(Cpu cpu, @Nullable TranslatorSettings settings) {
        this.cpu = cpu;
        translator = settings == null ? null : new Translator(cpu, Interpreter.features(cpu), settings);
        interpreter = settings == null ? new Interpreter(cpu) : new Interpreter(cpu, translator, settings);
        CpuStates.powerOn(cpu);
    }

    @Override
    public int index() {
        return cpu.index();
    }

    @Override
    public RunResult run() {
        running = true;
        try {
            return interpreter.run();
        } finally {
            running = false;
        }
    }

    @Override
    public void kick() {
        cpu.signals.kick();
    }

    @Override
    public CpuState state() {
        return CpuStates.save(cpu);
    }

    @Override
    public void load(CpuState state) {
        CpuStates.load(cpu, state);
    }

    @Override
    public long instructions() {
        // translated code does not count
        return translator == null ? cpu.instructions : -1;
    }

    @Override
    public String statistics() {
        return translator == null ? "" : translator.counters().toString();
    }

    /// @throws IllegalStateException while it runs: the memory that it runs on would go
    @Override
    public void close() {
        if (running) {
            throw new IllegalStateException(
                    "vCPU %d cannot be closed while it runs: kick it, and wait until run() returns".formatted(index()));
        }
        interpreter.forget();
        if (translator != null) {
            translator.close();
        }
    }
}
