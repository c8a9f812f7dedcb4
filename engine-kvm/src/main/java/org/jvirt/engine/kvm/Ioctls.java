package org.jvirt.engine.kvm;

/// The requests of `linux/kvm.h` for x86-64, under their own names.
final class Ioctls {
    // /dev/kvm
    static final long KVM_GET_API_VERSION = 0xAE00;
    static final long KVM_CREATE_VM = 0xAE01;
    static final long KVM_GET_MSR_INDEX_LIST = 0xC004_AE02L;
    static final long KVM_CHECK_EXTENSION = 0xAE03;
    static final long KVM_GET_VCPU_MMAP_SIZE = 0xAE04;
    static final long KVM_GET_SUPPORTED_CPUID = 0xC008_AE05L;
    static final long KVM_GET_SUPPORTED_HV_CPUID = 0xC008_AEC1L;

    // a VM
    static final long KVM_CREATE_VCPU = 0xAE41;
    static final long KVM_GET_DIRTY_LOG = 0x4010_AE42L;
    static final long KVM_SET_USER_MEMORY_REGION = 0x4020_AE46L;
    static final long KVM_SET_TSS_ADDR = 0xAE47;
    static final long KVM_SET_IDENTITY_MAP_ADDR = 0x4008_AE48L;
    static final long KVM_CREATE_IRQCHIP = 0xAE60;
    static final long KVM_IRQ_LINE = 0x4008_AE61L;
    static final long KVM_GET_IRQCHIP = 0xC208_AE62L;
    static final long KVM_SET_IRQCHIP = 0x8208_AE63L;
    static final long KVM_REGISTER_COALESCED_MMIO = 0x4010_AE67L;
    static final long KVM_UNREGISTER_COALESCED_MMIO = 0x4010_AE68L;
    static final long KVM_SET_GSI_ROUTING = 0x4008_AE6AL;
    static final long KVM_IRQFD = 0x4020_AE76L;
    static final long KVM_CREATE_PIT2 = 0x4040_AE77L;
    static final long KVM_IOEVENTFD = 0x4040_AE79L;
    static final long KVM_SET_CLOCK = 0x4030_AE7BL;
    static final long KVM_GET_PIT2 = 0x8070_AE9FL;
    static final long KVM_SET_PIT2 = 0x4070_AEA0L;
    static final long KVM_ENABLE_CAP = 0x4068_AEA3L;
    static final long KVM_SIGNAL_MSI = 0x4020_AEA5L;
    static final long KVM_RESET_DIRTY_RINGS = 0xAEC7;

    // a vCPU
    static final long KVM_RUN = 0xAE80;
    static final long KVM_GET_REGS = 0x8090_AE81L;
    static final long KVM_SET_REGS = 0x4090_AE82L;
    static final long KVM_GET_SREGS = 0x8138_AE83L;
    static final long KVM_SET_SREGS = 0x4138_AE84L;
    static final long KVM_INTERRUPT = 0x4004_AE86L;
    static final long KVM_GET_MSRS = 0xC008_AE88L;
    static final long KVM_SET_MSRS = 0x4008_AE89L;
    static final long KVM_GET_LAPIC = 0x8400_AE8EL;
    static final long KVM_SET_LAPIC = 0x4400_AE8FL;
    static final long KVM_SET_CPUID2 = 0x4008_AE90L;
    static final long KVM_GET_MP_STATE = 0x8004_AE98L;
    static final long KVM_SET_MP_STATE = 0x4004_AE99L;
    static final long KVM_NMI = 0xAE9A;
    static final long KVM_SET_GUEST_DEBUG = 0x4048_AE9BL;
    static final long KVM_GET_VCPU_EVENTS = 0x8040_AE9FL;
    static final long KVM_SET_VCPU_EVENTS = 0x4040_AEA0L;
    static final long KVM_GET_DEBUGREGS = 0x8080_AEA1L;
    static final long KVM_SET_DEBUGREGS = 0x4080_AEA2L;
    static final long KVM_SET_TSC_KHZ = 0xAEA2;
    static final long KVM_GET_TSC_KHZ = 0xAEA3;
    static final long KVM_GET_XSAVE = 0x9000_AEA4L;
    static final long KVM_SET_XSAVE = 0x5000_AEA5L;
    static final long KVM_GET_XCRS = 0x8188_AEA6L;
    static final long KVM_SET_XCRS = 0x4188_AEA7L;
    static final long KVM_KVMCLOCK_CTRL = 0xAEAD;

    private Ioctls() {}
}
