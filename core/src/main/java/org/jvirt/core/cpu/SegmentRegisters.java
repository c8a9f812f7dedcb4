package org.jvirt.core.cpu;

/// The segment and system-table registers.
public record SegmentRegisters(
        Segment es,
        Segment cs,
        Segment ss,
        Segment ds,
        Segment fs,
        Segment gs,
        Segment ldt,
        Segment tr,
        DescriptorTable gdt,
        DescriptorTable idt) {}
