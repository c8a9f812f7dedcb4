package org.jvirt.engine.kvm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;

/// `struct kvm_run`: the page that a vCPU shares with the kernel, and the page of port data behind it.
///
/// ```
///  0 request_interrupt_window   1 immediate_exit
///  8 exit_reason   12 ready_for_interrupt_injection   13 if_flag   16 cr8   24 apic_base
/// 32 the exit:  io        direction 32, size 33, port 34, count 36, data_offset 40
///               mmio      phys_addr 32, data 40, len 48, is_write 52
///               debug     exception 32, pc 40, dr6 48
///               internal  suberror 32, ndata 36, data 40
/// ```
///
/// All methods belong to the vCPU's thread but [#exitAtOnce]. They allocate nothing.
///
/// Source: API, chapter 5.
final class RunPage {
    // exit_reason
    static final int KVM_EXIT_UNKNOWN = 0;
    static final int KVM_EXIT_EXCEPTION = 1;
    static final int KVM_EXIT_IO = 2;
    static final int KVM_EXIT_DEBUG = 4;
    static final int KVM_EXIT_HLT = 5;
    static final int KVM_EXIT_MMIO = 6;
    static final int KVM_EXIT_IRQ_WINDOW_OPEN = 7;
    static final int KVM_EXIT_SHUTDOWN = 8;
    static final int KVM_EXIT_FAIL_ENTRY = 9;
    static final int KVM_EXIT_INTR = 10;
    static final int KVM_EXIT_SET_TPR = 11;
    static final int KVM_EXIT_INTERNAL_ERROR = 17;
    static final int KVM_EXIT_SYSTEM_EVENT = 24;
    static final int KVM_EXIT_IOAPIC_EOI = 26;
    static final int KVM_EXIT_HYPERV = 27;
    static final int KVM_EXIT_X86_RDMSR = 29;
    static final int KVM_EXIT_X86_WRMSR = 30;
    static final int KVM_EXIT_DIRTY_RING_FULL = 31;

    static final int MMIO_DATA = 40;
    private static final int EXIT = 32;

    private final MemorySegment page;

    RunPage(MemorySegment page) {
        this.page = page;
    }

    int exitReason() {
        return page.get(JAVA_INT, 8);
    }

    /// Whether the kernel will return at once from entering the guest, having finished the access before. Any
    /// thread.
    void exitAtOnce(boolean wanted) {
        page.set(JAVA_BYTE, 1, (byte) (wanted ? 1 : 0));
    }

    void requestInterruptWindow(boolean wanted) {
        page.set(JAVA_BYTE, 0, (byte) (wanted ? 1 : 0));
    }

    boolean readyForInterrupt() {
        return page.get(JAVA_BYTE, 12) != 0;
    }

    /// What was true at the last exit is not any more: KVM has to say again whether the guest can take an
    /// interrupt.
    void forgetReadiness() {
        page.set(JAVA_BYTE, 12, (byte) 0);
    }

    void setInterruptFlag(boolean enabled) {
        page.set(JAVA_BYTE, 13, (byte) (enabled ? 1 : 0));
    }

    boolean interruptFlag() {
        return page.get(JAVA_BYTE, 13) != 0;
    }

    int cr8() {
        return (int) page.get(JAVA_LONG, 16);
    }

    void setCr8(int priority) {
        page.set(JAVA_LONG, 16, priority);
    }

    long apicBase() {
        return page.get(JAVA_LONG, 24);
    }

    // ---------------------------------------------------------------- KVM_EXIT_IO

    boolean ioOut() {
        return page.get(JAVA_BYTE, EXIT) == 1;
    }

    int ioSize() {
        return page.get(JAVA_BYTE, EXIT + 1);
    }

    int ioPort() {
        return page.get(JAVA_SHORT, EXIT + 2) & 0xFFFF;
    }

    int ioCount() {
        return page.get(JAVA_INT, EXIT + 4);
    }

    long ioDataOffset() {
        return page.get(JAVA_LONG, EXIT + 8);
    }

    // ---------------------------------------------------------------- KVM_EXIT_MMIO

    long mmioGpa() {
        return page.get(JAVA_LONG, EXIT);
    }

    int mmioLength() {
        return page.get(JAVA_INT, EXIT + 16);
    }

    boolean mmioWrite() {
        return page.get(JAVA_BYTE, EXIT + 20) != 0;
    }

    // ---------------------------------------------------------------- others

    int debugException() {
        return page.get(JAVA_INT, EXIT);
    }

    long debugPc() {
        return page.get(JAVA_LONG, EXIT + 8);
    }

    /// The vector of KVM_EXIT_IOAPIC_EOI.
    int endedVector() {
        return page.get(JAVA_BYTE, EXIT) & 0xFF;
    }

    /// The type of KVM_EXIT_SYSTEM_EVENT, and of KVM_EXIT_HYPERV.
    int eventType() {
        return page.get(JAVA_INT, EXIT);
    }

    void setHypercallResult(long status) {
        page.set(JAVA_LONG, EXIT + 16, status);
    }

    int msrIndex() {
        return page.get(JAVA_INT, EXIT + 12);
    }

    long msrData() {
        return page.get(JAVA_LONG, EXIT + 16);
    }

    void setMsr(boolean fault, long data) {
        page.set(JAVA_BYTE, EXIT, (byte) (fault ? 1 : 0));
        page.set(JAVA_LONG, EXIT + 16, data);
    }

    int suberror() {
        return page.get(JAVA_INT, EXIT);
    }

    int errorWords() {
        return Math.clamp(page.get(JAVA_INT, EXIT + 4), 0, 16);
    }

    long errorWord(int index) {
        return page.get(JAVA_LONG, EXIT + 8 + 8L * index);
    }

    /// The hardware's word for KVM_EXIT_UNKNOWN and KVM_EXIT_FAIL_ENTRY.
    long hardwareReason() {
        return page.get(JAVA_LONG, EXIT);
    }

    // ---------------------------------------------------------------- data

    /// A value of 1, 2, 4 or 8 bytes, zero-extended.
    long data(long offset, int size) {
        return switch (size) {
            case 1 -> page.get(JAVA_BYTE, offset) & 0xFF;
            case 2 -> page.get(JAVA_SHORT_UNALIGNED, offset) & 0xFFFF;
            case 4 -> page.get(JAVA_INT_UNALIGNED, offset) & 0xFFFF_FFFFL;
            default -> page.get(JAVA_LONG_UNALIGNED, offset);
        };
    }

    void setData(long offset, int size, long value) {
        switch (size) {
            case 1 -> page.set(JAVA_BYTE, offset, (byte) value);
            case 2 -> page.set(JAVA_SHORT_UNALIGNED, offset, (short) value);
            case 4 -> page.set(JAVA_INT_UNALIGNED, offset, (int) value);
            default -> page.set(JAVA_LONG_UNALIGNED, offset, value);
        }
    }
}
