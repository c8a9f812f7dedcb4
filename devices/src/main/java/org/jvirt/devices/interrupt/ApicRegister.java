package org.jvirt.devices.interrupt;

/// The registers of a local APIC by number: MMIO offset divided by 16, or x2APIC MSR less 0x800.
/// Source: Intel SDM volume 3, tables "Local APIC register address map" and "... in x2APIC".
final class ApicRegister {
    static final int ID = 0x02;
    static final int VERSION = 0x03;
    static final int TPR = 0x08;
    static final int APR = 0x09;
    static final int PPR = 0x0a;
    static final int EOI = 0x0b;
    static final int RRD = 0x0c;
    static final int LDR = 0x0d;
    static final int DFR = 0x0e;
    static final int SVR = 0x0f;
    static final int ISR = 0x10;
    static final int TMR = 0x18;
    static final int IRR = 0x20;
    static final int ESR = 0x28;
    static final int ICR_LOW = 0x30;
    static final int ICR_HIGH = 0x31;
    static final int LVT = 0x32;
    static final int INITIAL_COUNT = 0x38;
    static final int CURRENT_COUNT = 0x39;
    static final int DIVIDE_CONFIGURATION = 0x3e;
    static final int SELF_IPI = 0x3f;

    /// See [#writableMsrBits].
    static final long NOT_WRITABLE = -1L;

    private ApicRegister() {}

    /// Whether x2APIC mode answers RDMSR.
    static boolean isReadableMsr(int register) {
        return switch (register) {
            case ID, VERSION, TPR, PPR, LDR, SVR, ESR, ICR_LOW, INITIAL_COUNT, CURRENT_COUNT, DIVIDE_CONFIGURATION ->
                true;
            default -> register >= ISR && register < ESR || register >= LVT && register < LVT + LocalApic.LVT_ENTRIES;
        };
    }

    /// The bits that WRMSR may set in x2APIC mode, or [#NOT_WRITABLE].
    static long writableMsrBits(int register) {
        return switch (register) {
            case TPR -> 0xff;
            case EOI, ESR -> 0;
            case SVR -> 0x13ff;
            // Bit 12, delivery status, is tolerated.
            case ICR_LOW -> 0xffff_ffff_000c_dfffL;
            case LVT -> 0x7_10ff;
            case LVT + 1, LVT + 2 -> 0x1_17ff;
            case LVT + 3, LVT + 4 -> 0x1_f7ff;
            case LVT + 5 -> 0x1_10ff;
            case INITIAL_COUNT -> 0xffff_ffffL;
            case DIVIDE_CONFIGURATION -> 0xb;
            case SELF_IPI -> 0xff;
            default -> NOT_WRITABLE;
        };
    }
}
