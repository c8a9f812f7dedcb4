package org.jvirt.engine.soft;

import org.jvirt.core.RunResult;
import org.jvirt.core.Vcpu;
import org.jvirt.core.cpu.CpuState;
import org.jvirt.engine.soft.code.Interpreter;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.CpuStates;

/// A virtual processor of the software engine.
final class SoftVcpu implements Vcpu {
    private final Cpu cpu;
    private final Interpreter interpreter;

    SoftVcpu(Cpu cpu) {
        this.cpu = cpu;
        interpreter = new Interpreter(cpu);
        CpuStates.powerOn(cpu);
    }

    @Override
    public int index() {
        return cpu.index();
    }

    @Override
    public RunResult run() {
        return interpreter.run();
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
        return cpu.instructions;
    }

    @Override
    public void close() {
        interpreter.forget();
    }
}
