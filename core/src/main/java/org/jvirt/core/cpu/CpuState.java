package org.jvirt.core.cpu;

import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/// Everything a vCPU knows between two instructions, the same record on every engine.
///
/// @param msrs the model-specific registers that hold state, by number, apart from EFER, `IA32_APIC_BASE` and
///     x2APIC's
public record CpuState(
        GeneralRegisters general,
        SegmentRegisters segments,
        ControlRegisters control,
        DebugRegisters debug,
        XsaveArea extended,
        SortedMap<Integer, Long> msrs,
        PendingEvents events,
        Activity activity) {
    public CpuState {
        msrs = Collections.unmodifiableSortedMap(new TreeMap<>(msrs));
    }

    /// The state after power-on or RESET (Intel SDM volume 3, 10.1.1): real mode at 0xFFFF_FFF0.
    ///
    /// @param signature CPUID.1:EAX, which RDX holds
    public static CpuState reset(Activity activity, int signature) {
        int dataAttributes = Segment.PRESENT | Segment.S | 3;
        var data = new Segment(0, 0, 0xffff, dataAttributes);
        var code = new Segment(0xf000, 0xffff_0000L, 0xffff, Segment.PRESENT | Segment.S | 0xb);
        var ldt = new Segment(0, 0, 0xffff, Segment.PRESENT | 2);
        var tr = new Segment(0, 0, 0xffff, Segment.PRESENT | 0xb);
        var table = new DescriptorTable(0, 0xffff);
        return new CpuState(
                GeneralRegisters.of(
                        new long[] {0, 0, signature & 0xffff_ffffL, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 0xfff0, 2),
                new SegmentRegisters(data, code, data, data, data, data, ldt, tr, table, table),
                new ControlRegisters(0x6000_0010, 0, 0, 0, 0, 0, 1),
                new DebugRegisters(0, 0, 0, 0, 0xffff_0ff0L, 0x400),
                XsaveArea.initial(),
                new TreeMap<>(),
                PendingEvents.NONE,
                activity);
    }

    public CpuState with(GeneralRegisters newGeneral) {
        return new CpuState(newGeneral, segments, control, debug, extended, msrs, events, activity);
    }

    public CpuState with(SegmentRegisters newSegments) {
        return new CpuState(general, newSegments, control, debug, extended, msrs, events, activity);
    }

    public CpuState with(ControlRegisters newControl) {
        return new CpuState(general, segments, newControl, debug, extended, msrs, events, activity);
    }

    public CpuState with(Activity newActivity) {
        return new CpuState(general, segments, control, debug, extended, msrs, events, newActivity);
    }

    public CpuState withMsrs(Map<Integer, Long> newMsrs) {
        return new CpuState(general, segments, control, debug, extended, new TreeMap<>(newMsrs), events, activity);
    }
}
