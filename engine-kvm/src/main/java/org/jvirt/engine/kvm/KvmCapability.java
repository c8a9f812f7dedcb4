package org.jvirt.engine.kvm;

/// What KVM may offer, by the names of `linux/kvm.h`.
///
/// Source: API, section 4.4 and chapters 6 to 8.
enum KvmCapability {
    KVM_CAP_IRQCHIP(0, "the interrupt controllers in the kernel", false),
    KVM_CAP_USER_MEMORY(3, "memory slots", true),
    KVM_CAP_SET_TSS_ADDR(4, "a place for the task state that Intel's processors need", true),
    KVM_CAP_EXT_CPUID(7, "CPUID as the user wants it", true),
    KVM_CAP_NR_VCPUS(9, "the recommended number of vCPUs", false),
    KVM_CAP_NR_MEMSLOTS(10, "the number of memory slots", false),
    KVM_CAP_MP_STATE(14, "vCPUs that wait for a start-up IPI", false),
    KVM_CAP_COALESCED_MMIO(15, "collected stores", false),
    KVM_CAP_SYNC_MMU(16, "memory that the host may move", false),
    KVM_CAP_DESTROY_MEMORY_REGION_WORKS(21, "memory slots that can be taken back", true),
    KVM_CAP_SET_GUEST_DEBUG(23, "breakpoints", false),
    KVM_CAP_IRQ_ROUTING(25, "interrupt routes", false),
    KVM_CAP_IRQFD(32, "interrupts by event descriptor", false),
    KVM_CAP_PIT2(33, "the interval timer in the kernel", false),
    KVM_CAP_PIT_STATE2(35, "the interval timer's state", false),
    KVM_CAP_IOEVENTFD(36, "event descriptors rung by the guest", false),
    KVM_CAP_SET_IDENTITY_MAP_ADDR(37, "a place for the page table that Intel's processors need", true),
    KVM_CAP_ADJUST_CLOCK(39, "setting kvm-clock", true),
    KVM_CAP_VCPU_EVENTS(41, "pending events", true),
    KVM_CAP_HYPERV(44, "Hyper-V's registers", false),
    KVM_CAP_DEBUGREGS(50, "debug registers", true),
    KVM_CAP_ENABLE_CAP_VM(98, "switching features on", false),
    KVM_CAP_XSAVE(55, "x87, SSE and AVX registers", true),
    KVM_CAP_XCRS(56, "XCR0", true),
    KVM_CAP_TSC_CONTROL(60, "scaling of the time-stamp counter", false),
    KVM_CAP_GET_TSC_KHZ(61, "the rate of the time-stamp counter", true),
    KVM_CAP_MAX_VCPUS(66, "the largest number of vCPUs", false),
    KVM_CAP_TSC_DEADLINE_TIMER(72, "the TSC-deadline timer", false),
    KVM_CAP_KVMCLOCK_CTRL(76, "telling the guest that it was paused", false),
    KVM_CAP_SIGNAL_MSI(77, "message-signalled interrupts", false),
    KVM_CAP_READONLY_MEM(81, "read-only memory", true),
    KVM_CAP_IOEVENTFD_NO_LENGTH(100, "event descriptors rung by stores of every width", false),
    KVM_CAP_SPLIT_IRQCHIP(121, "local APICs alone in the kernel", false),
    KVM_CAP_HYPERV_SYNIC2(148, "Hyper-V's synthetic interrupt controller", false),
    KVM_CAP_MAX_VCPU_ID(128, "the largest APIC id", false),
    KVM_CAP_X2APIC_API(129, "APIC ids beyond 255", false),
    KVM_CAP_IMMEDIATE_EXIT(136, "leaving the guest without a race (Linux 4.11)", true),
    KVM_CAP_HALT_POLL(182, "polling at HLT, set for each VM", false),
    KVM_CAP_X86_USER_SPACE_MSR(188, "model-specific registers left to the user", false),
    KVM_CAP_SYS_HYPERV_CPUID(191, "Hyper-V's CPUID leaves", false),
    KVM_CAP_DIRTY_LOG_RING(192, "rings of dirty pages", false);

    private final int number;
    private final String meaning;
    private final boolean required;

    KvmCapability(int number, String meaning, boolean required) {
        this.number = number;
        this.meaning = meaning;
        this.required = required;
    }

    int number() {
        return number;
    }

    /// What it is good for, for messages.
    String meaning() {
        return meaning;
    }

    /// Whether there is no VM without it.
    boolean required() {
        return required;
    }
}
