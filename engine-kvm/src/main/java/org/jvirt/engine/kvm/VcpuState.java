package org.jvirt.engine.kvm;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jvirt.core.cpu.Activity;
import org.jvirt.core.cpu.ControlRegisters;
import org.jvirt.core.cpu.CpuState;
import org.jvirt.core.cpu.DebugRegisters;
import org.jvirt.core.cpu.PendingEvents;
import org.jvirt.linux.DeviceFile;

/// Takes the whole state of a vCPU out of KVM and puts one in, apart from the local APIC's.
///
/// While nobody runs the vCPU. Not thread-safe.
final class VcpuState {
    private static final int DEBUG_BYTES = 128;
    private static final int RFLAGS_IF = 1 << 9;
    private static final int CR0_PE = 1;
    private static final int RUNNABLE = 0;
    private static final int UNINITIALIZED = 1;
    private static final int INIT_RECEIVED = 2;
    private static final int HALTED = 3;
    private static final int SIPI_RECEIVED = 4;

    private final DeviceFile vcpu;
    private final MsrTable msrs;
    private final int extendedBytes;
    private final TscKeeper tsc;

    /// @param extendedBytes length of the XSAVE area that the guest's CPUID table makes
    VcpuState(DeviceFile vcpu, MsrTable msrs, int extendedBytes, TscKeeper tsc) {
        this.vcpu = vcpu;
        this.msrs = msrs;
        this.extendedBytes = extendedBytes;
        this.tsc = tsc;
    }

    CpuState save(Activity activity) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment general = arena.allocate(GeneralImage.BYTES, 8);
            MemorySegment system = arena.allocate(SystemImage.BYTES, 8);
            MemorySegment xcrs = arena.allocate(ExtendedImage.XCRS_BYTES, 8);
            MemorySegment extended = arena.allocate(ExtendedImage.BYTES, 8);
            vcpu.ioctl("KVM_GET_REGS", Ioctls.KVM_GET_REGS, general);
            vcpu.ioctl("KVM_GET_SREGS", Ioctls.KVM_GET_SREGS, system);
            vcpu.ioctl("KVM_GET_XCRS", Ioctls.KVM_GET_XCRS, xcrs);
            vcpu.ioctl("KVM_GET_XSAVE", Ioctls.KVM_GET_XSAVE, extended);
            var values = msrs.read(vcpu);
            values.put(MsrTable.IA32_TSC_ADJUST, tsc.adjustment());
            return new CpuState(
                    GeneralImage.parse(general),
                    SystemImage.segments(system),
                    SystemImage.control(system, ExtendedImage.xcr0(xcrs)),
                    debug(arena),
                    ExtendedImage.parse(extended, extendedBytes),
                    values,
                    events(),
                    activity);
        }
    }

    /// What `save` would say of pending events.
    PendingEvents events() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment image = arena.allocate(EventImage.BYTES, 8);
            vcpu.ioctl("KVM_GET_VCPU_EVENTS", Ioctls.KVM_GET_VCPU_EVENTS, image);
            return EventImage.parse(image);
        }
    }

    long rip() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment image = arena.allocate(GeneralImage.BYTES, 8);
            return vcpu.tryIoctl(Ioctls.KVM_GET_REGS, image) < 0 ? 0 : GeneralImage.rip(image);
        }
    }

    private DebugRegisters debug(Arena arena) {
        MemorySegment image = arena.allocate(DEBUG_BYTES, 8);
        vcpu.ioctl("KVM_GET_DEBUGREGS", Ioctls.KVM_GET_DEBUGREGS, image);
        return new DebugRegisters(
                image.get(JAVA_LONG, 0),
                image.get(JAVA_LONG, 8),
                image.get(JAVA_LONG, 16),
                image.get(JAVA_LONG, 24),
                image.get(JAVA_LONG, 32),
                image.get(JAVA_LONG, 40));
    }

    /// Replaces everything but the activity. System registers come first, because the others are checked against
    /// them; events come last, because setting registers takes them back.
    void load(CpuState state) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment system = arena.allocate(SystemImage.BYTES, 8);
            vcpu.ioctl("KVM_GET_SREGS", Ioctls.KVM_GET_SREGS, system);
            SystemImage.fill(system, state.segments(), state.control());
            vcpu.ioctl("KVM_SET_SREGS", Ioctls.KVM_SET_SREGS, system);
            MemorySegment general = arena.allocate(GeneralImage.BYTES, 8);
            GeneralImage.fill(general, state.general());
            vcpu.ioctl("KVM_SET_REGS", Ioctls.KVM_SET_REGS, general);
            loadExtended(arena, state);
            msrs.write(vcpu, state.msrs());
            tsc.load(state.msrs().getOrDefault(MsrTable.IA32_TSC_ADJUST, 0L));
            loadDebug(arena, state.debug());
            loadEvents(arena, state);
        }
    }

    private void loadExtended(Arena arena, CpuState state) {
        MemorySegment extended = arena.allocate(ExtendedImage.BYTES, 8);
        ExtendedImage.fill(extended, state.extended(), extendedBytes);
        vcpu.ioctl("KVM_SET_XSAVE", Ioctls.KVM_SET_XSAVE, extended);
        MemorySegment xcrs = arena.allocate(ExtendedImage.XCRS_BYTES, 8);
        ExtendedImage.fillXcr0(xcrs, state.control().xcr0());
        vcpu.ioctl("KVM_SET_XCRS", Ioctls.KVM_SET_XCRS, xcrs);
    }

    private void loadDebug(Arena arena, DebugRegisters debug) {
        MemorySegment image = arena.allocate(DEBUG_BYTES, 8);
        image.set(JAVA_LONG, 0, debug.dr0());
        image.set(JAVA_LONG, 8, debug.dr1());
        image.set(JAVA_LONG, 16, debug.dr2());
        image.set(JAVA_LONG, 24, debug.dr3());
        image.set(JAVA_LONG, 32, debug.dr6());
        image.set(JAVA_LONG, 40, debug.dr7());
        vcpu.ioctl("KVM_SET_DEBUGREGS", Ioctls.KVM_SET_DEBUGREGS, image);
    }

    private void loadEvents(Arena arena, CpuState state) {
        MemorySegment image = arena.allocate(EventImage.BYTES, 8);
        ControlRegisters control = state.control();
        EventImage.fill(
                image, state.events(), (state.general().rflags() & RFLAGS_IF) != 0, (control.cr0() & CR0_PE) == 0);
        vcpu.ioctl("KVM_SET_VCPU_EVENTS", Ioctls.KVM_SET_VCPU_EVENTS, image);
    }

    // ---------------------------------------------------------------- activity, where the kernel knows it

    Activity kernelActivity() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(JAVA_INT);
            vcpu.ioctl("KVM_GET_MP_STATE", Ioctls.KVM_GET_MP_STATE, state);
            return switch (state.get(JAVA_INT, 0)) {
                case UNINITIALIZED, INIT_RECEIVED, SIPI_RECEIVED -> Activity.WAIT_FOR_SIPI;
                case HALTED -> Activity.HALTED;
                default -> Activity.RUNNING;
            };
        }
    }

    void setKernelActivity(Activity activity) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(JAVA_INT);
            int value = switch (activity) {
                case RUNNING, SHUTDOWN -> RUNNABLE;
                case HALTED -> HALTED;
                case WAIT_FOR_SIPI -> INIT_RECEIVED;
            };
            state.set(JAVA_INT, 0, value);
            vcpu.ioctl("KVM_SET_MP_STATE", Ioctls.KVM_SET_MP_STATE, state);
        }
    }
}
