package org.jvirt.engine.kvm;

import java.util.Locale;
import org.jvirt.core.HostFailureException;
import org.jvirt.core.cpu.Activity;
import org.jvirt.core.cpu.CpuState;
import org.jvirt.core.cpu.GeneralRegisters;

/// Tells a person why KVM cannot go on with a guest.
final class StuckReport {
    private static final int INTERNAL_EMULATION = 1;
    private static final int INTERNAL_SIMULTANEOUS = 2;
    private static final int INTERNAL_DELIVERY = 3;
    private static final int INTERNAL_EXIT_REASON = 4;
    private static final long HAS_INSTRUCTION = 1;

    private StuckReport() {}

    /// From the exit in `page`.
    static String ofExit(int index, RunPage page, VcpuState state) {
        String what = switch (page.exitReason()) {
            case RunPage.KVM_EXIT_FAIL_ENTRY ->
                "the processor refuses the guest's state (hardware reason 0x%x); does the host have \"unrestricted"
                                .formatted(page.hardwareReason())
                        + " guest\"?";
            case RunPage.KVM_EXIT_INTERNAL_ERROR -> internal(page);
            case RunPage.KVM_EXIT_UNKNOWN ->
                "an exit that KVM does not know (hardware reason 0x%x)".formatted(page.hardwareReason());
            case RunPage.KVM_EXIT_EXCEPTION -> "an unexpected exception";
            default -> "an exit that jvirt does not know (%d)".formatted(page.exitReason());
        };
        return compose(index, what, state);
    }

    /// From a failed `KVM_RUN`.
    static String ofErrno(int index, int errno, VcpuState state) {
        String what = switch (errno) {
            case 14 -> "guest memory is gone (EFAULT): the host has no memory or no huge page left for it";
            case 12 -> "the host has no memory left for KVM (ENOMEM)";
            case 5 -> "KVM has declared the VM broken (EIO); the kernel's log says why";
            default -> "KVM_RUN failed with errno " + errno;
        };
        return compose(index, what, state);
    }

    private static String internal(RunPage page) {
        var text = new StringBuilder(
                switch (page.suberror()) {
                    case INTERNAL_EMULATION -> "an instruction that KVM cannot emulate";
                    case INTERNAL_SIMULTANEOUS -> "exceptions that cannot happen at once";
                    case INTERNAL_DELIVERY -> "an exit in the middle of delivering an event";
                    case INTERNAL_EXIT_REASON -> "an exit of the hardware that KVM does not know";
                    default -> "KVM's internal error " + page.suberror();
                });
        if (page.suberror() == INTERNAL_EMULATION
                && page.errorWords() >= 3
                && (page.errorWord(0) & HAS_INSTRUCTION) != 0) {
            int length = (int) Math.min(page.errorWord(1) & 0xFF, 15);
            text.append(": bytes");
            for (int i = 0; i < length; i++) {
                int byteAt = i + 1;
                text.append(" %02x".formatted(page.errorWord(1 + byteAt / 8) >>> byteAt % 8 * 8 & 0xFF));
            }
        } else {
            for (int i = 0; i < page.errorWords(); i++) {
                text.append(" 0x%x".formatted(page.errorWord(i)));
            }
        }
        return text.toString();
    }

    private static String compose(int index, String what, VcpuState state) {
        return "vCPU %d: %s%n%s".formatted(index, what, registers(state));
    }

    private static String registers(VcpuState vcpu) {
        CpuState s;
        try {
            s = vcpu.save(Activity.RUNNING);
        } catch (HostFailureException e) {
            return "(no registers: " + e.getMessage() + ")";
        }
        GeneralRegisters g = s.general();
        return String.format(
                Locale.ROOT,
                """
                rax %016x  rbx %016x  rcx %016x  rdx %016x
                rsi %016x  rdi %016x  rbp %016x  rsp %016x
                r8  %016x  r9  %016x  r10 %016x  r11 %016x
                r12 %016x  r13 %016x  r14 %016x  r15 %016x
                rip %016x  flags %x  cs %04x base %x  cr0 %x  cr2 %x  cr3 %x  cr4 %x  efer %x""",
                g.rax(),
                g.rbx(),
                g.rcx(),
                g.rdx(),
                g.rsi(),
                g.rdi(),
                g.rbp(),
                g.rsp(),
                g.r8(),
                g.r9(),
                g.r10(),
                g.r11(),
                g.r12(),
                g.r13(),
                g.r14(),
                g.r15(),
                g.rip(),
                g.rflags(),
                s.segments().cs().selector(),
                s.segments().cs().base(),
                s.control().cr0(),
                s.control().cr2(),
                s.control().cr3(),
                s.control().cr4(),
                s.control().efer());
    }
}
