package org.jvirt.machine;

import org.jvirt.core.cpu.ControlRegisters;
import org.jvirt.core.cpu.CpuState;
import org.jvirt.core.cpu.DescriptorTable;
import org.jvirt.core.cpu.GeneralRegisters;
import org.jvirt.core.cpu.Segment;
import org.jvirt.core.cpu.SegmentRegisters;

/// A processor's registers as text.
final class RegisterText {
    private static final String[] NAMES = {
        "RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI", "R8 ", "R9 ", "R10", "R11", "R12", "R13", "R14", "R15"
    };

    private RegisterText() {}

    static String of(int index, CpuState cpu) {
        var text = new StringBuilder();
        text.append("CPU#").append(index).append(' ').append(cpu.activity()).append('\n');
        GeneralRegisters general = cpu.general();
        long[] r = general.toArray();
        for (int i = 0; i < r.length; i++) {
            text.append("%s=%016x%c".formatted(NAMES[i], r[i], i % 4 == 3 ? '\n' : ' '));
        }
        text.append("RIP=%016x RFL=%08x %s\n".formatted(general.rip(), general.rflags(), flags(general.rflags())));
        SegmentRegisters s = cpu.segments();
        segment(text, "ES", s.es());
        segment(text, "CS", s.cs());
        segment(text, "SS", s.ss());
        segment(text, "DS", s.ds());
        segment(text, "FS", s.fs());
        segment(text, "GS", s.gs());
        segment(text, "LDT", s.ldt());
        segment(text, "TR", s.tr());
        table(text, "GDT", s.gdt());
        table(text, "IDT", s.idt());
        ControlRegisters c = cpu.control();
        text.append("CR0=%08x CR2=%016x CR3=%016x CR4=%08x CR8=%x\n"
                .formatted(c.cr0(), c.cr2(), c.cr3(), c.cr4(), c.cr8()));
        text.append("EFER=%016x XCR0=%x\n".formatted(c.efer(), c.xcr0()));
        return text.toString();
    }

    private static String flags(long rflags) {
        String letters = "ODITSZ-A-P-C";
        int[] bits = {11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0};
        var text = new StringBuilder("[");
        for (int i = 0; i < bits.length; i++) {
            if (letters.charAt(i) != '-') {
                text.append((rflags >> bits[i] & 1) != 0 ? letters.charAt(i) : '-');
            }
        }
        return text.append(']').toString();
    }

    private static void segment(StringBuilder text, String name, Segment s) {
        text.append("%-3s=%04x %016x %08x %05x\n".formatted(name, s.selector(), s.base(), s.limit(), s.attributes()));
    }

    private static void table(StringBuilder text, String name, DescriptorTable table) {
        text.append("%-3s=     %016x %08x\n".formatted(name, table.base(), table.limit()));
    }
}
