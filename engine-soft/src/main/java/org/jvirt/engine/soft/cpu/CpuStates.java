package org.jvirt.engine.soft.cpu;

import org.jvirt.core.cpu.Activity;
import org.jvirt.core.cpu.ControlRegisters;
import org.jvirt.core.cpu.CpuState;
import org.jvirt.core.cpu.CpuidLeaf;
import org.jvirt.core.cpu.GeneralRegisters;
import org.jvirt.core.cpu.PendingEvents;
import org.jvirt.core.cpu.Segment;
import org.jvirt.core.cpu.SegmentRegisters;
import org.jvirt.core.cpu.XsaveArea;

/// Takes the whole state out of a processor and puts one in; power-on and INIT are states too.
public final class CpuStates {
    private CpuStates() {}

    /// Between two instructions.
    public static CpuState save(Cpu cpu) {
        Segments s = cpu.segments;
        return new CpuState(
                GeneralRegisters.of(cpu.r, cpu.rip, cpu.rflags()),
                new SegmentRegisters(
                        s.get(Segments.ES),
                        s.get(Segments.CS),
                        s.get(Segments.SS),
                        s.get(Segments.DS),
                        s.get(Segments.FS),
                        s.get(Segments.GS),
                        s.get(Segments.LDTR),
                        s.get(Segments.TR),
                        cpu.segmentation.gdt(),
                        cpu.segmentation.idt()),
                new ControlRegisters(
                        cpu.control.cr0(),
                        cpu.control.cr2(),
                        cpu.control.cr3(),
                        cpu.control.cr4(),
                        cpu.processors().local(cpu.index()).taskPriority(),
                        cpu.control.efer(),
                        cpu.control.xcr0()),
                cpu.debug.save(),
                cpu.xsave.save(),
                cpu.msrs.save(),
                new PendingEvents(
                        cpu.interrupts.nmiPending(),
                        cpu.interrupts.nmiBlocked(),
                        cpu.shadow != Cpu.Shadow.NONE,
                        -1,
                        -1),
                cpu.activity);
    }

    /// Replaces everything; CR8 goes to the local APIC.
    public static void load(Cpu cpu, CpuState state) {
        System.arraycopy(state.general().toArray(), 0, cpu.r, 0, GeneralRegisters.COUNT);
        SegmentRegisters saved = state.segments();
        Segments s = cpu.segments;
        s.set(Segments.ES, saved.es());
        s.set(Segments.CS, saved.cs());
        s.set(Segments.SS, saved.ss());
        s.set(Segments.DS, saved.ds());
        s.set(Segments.FS, saved.fs());
        s.set(Segments.GS, saved.gs());
        s.set(Segments.LDTR, saved.ldt());
        s.set(Segments.TR, saved.tr());
        cpu.segmentation.setGdt(saved.gdt().base(), saved.gdt().limit());
        cpu.segmentation.setIdt(saved.idt().base(), saved.idt().limit());
        cpu.control.load(state.control());
        cpu.processors()
                .local(cpu.index())
                .setTaskPriority((int) state.control().cr8() & 15);
        cpu.rip = state.general().rip();
        cpu.flags.unpack((int) state.general().rflags());
        cpu.systemFlags = (int) state.general().rflags() & Cpu.SYSTEM_FLAGS;
        cpu.cpl = (state.control().cr0() & Control.PE) == 0
                ? 0
                : cpu.virtual8086()
                        ? 3
                        : saved.ss().has(Segment.UNUSABLE)
                                ? saved.cs().selector() & 3
                                : saved.ss().dpl();
        cpu.updateMode();
        s.updateAllRanges();
        cpu.xsave.load(state.extended());
        cpu.msrs.load(state.msrs());
        cpu.debug.load(state.debug());
        cpu.interrupts.setNmi(state.events().nmiPending(), state.events().nmiBlocked());
        cpu.interrupts.reported();
        cpu.shadow = state.events().interruptShadow() ? Cpu.Shadow.INTERRUPTS : Cpu.Shadow.NONE;
        cpu.activity = state.activity();
        if (state.events().injectedVector() >= 0) {
            cpu.interrupts.redeliver(
                    state.events().injectedVector(), state.events().injectedErrorCode());
        }
    }

    /// Power-on: processor 0 runs, the others wait.
    public static void powerOn(Cpu cpu) {
        load(cpu, CpuState.reset(cpu.index() == 0 ? Activity.RUNNING : Activity.WAIT_FOR_SIPI, signature(cpu)));
        cpu.interrupts.reset();
    }

    /// INIT: as power-on, but x87, SSE and AVX registers, the time-stamp counter and some model-specific registers
    /// stay, and CR0 keeps CD and NW.
    static void init(Cpu cpu) {
        XsaveArea extended = cpu.xsave.save();
        var msrs = cpu.msrs.save();
        long kept = cpu.control.cr0() & (Control.CD | Control.NW);
        long xcr0 = cpu.control.xcr0();
        boolean bootstrap = (cpu.processors().local(cpu.index()).apicBase() & 1 << 8) != 0;
        CpuState reset = CpuState.reset(bootstrap ? Activity.RUNNING : Activity.WAIT_FOR_SIPI, signature(cpu));
        var control = new ControlRegisters(Control.ET | kept, 0, 0, 0, 0, 0, xcr0);
        load(
                cpu,
                new CpuState(
                        reset.general(),
                        reset.segments(),
                        control,
                        reset.debug(),
                        extended,
                        msrs,
                        PendingEvents.NONE,
                        reset.activity()));
        cpu.msrs.reset(false);
        cpu.interrupts.reset();
    }

    /// A start-up IPI: real mode at `vector << 12`.
    static void startup(Cpu cpu, int vector) {
        cpu.segments.set(Segments.CS, vector << 8, (long) vector << 12, 0xFFFF, Segment.PRESENT | Segment.S | 0xB);
        cpu.rip = 0;
        cpu.activity = Activity.RUNNING;
        cpu.updateMode();
    }

    private static int signature(Cpu cpu) {
        return cpu.cpuid().leaf(1, 0).map(CpuidLeaf::eax).orElse(0);
    }
}
