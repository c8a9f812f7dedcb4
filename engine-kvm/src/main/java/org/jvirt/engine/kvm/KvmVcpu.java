package org.jvirt.engine.kvm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.ExitHandler;
import org.jvirt.core.GuestDebug;
import org.jvirt.core.RunResult;
import org.jvirt.core.Vcpu;
import org.jvirt.core.cpu.Activity;
import org.jvirt.core.cpu.ControlRegisters;
import org.jvirt.core.cpu.CpuState;
import org.jvirt.core.cpu.GeneralRegisters;
import org.jvirt.core.cpu.PendingEvents;
import org.jvirt.core.cpu.Segment;
import org.jvirt.core.cpu.SegmentRegisters;
import org.jvirt.linux.DeviceFile;
import org.jvirt.linux.RepeatedCall;

/// A virtual processor of KVM and its run loop.
///
/// ```
///        ┌──────────────────────────────────────────────┐
///        ▼                                              │
///   hand over interrupts ──► KVM_RUN ──► exit ──► device access, …
///   (machine's APIC only)       │
///                               └─ interrupted ──► wishes of other threads ──► leave, if kicked
/// ```
///
/// The way from an exit to a device and back allocates nothing.
final class KvmVcpu implements Vcpu {
    private static final int EINTR = 4;
    private static final int EAGAIN = 11;
    private static final int RFLAGS_IF = 1 << 9;
    private static final long HV_STATUS_INVALID_HYPERCALL_CODE = 2;
    private static final int KVM_EXIT_HYPERV_HCALL = 2;
    private static final int KVM_SYSTEM_EVENT_RESET = 2;
    private static final int KVM_SYSTEM_EVENT_CRASH = 3;
    private static final long CR0_KEPT_BY_INIT = 0x6000_0000;
    private static final long CR0_ET = 0x10;

    private final int index;
    private final KvmVm vm;
    private final DeviceFile file;
    private final RunPage page;
    private final RepeatedCall run;
    private final Attention attention;
    private final ExitHandler io;
    private final DeviceExits devices;
    private final CollectedStores stores;
    private final VcpuState states;
    private final TscKeeper tsc;
    private final int signature;
    private final @Nullable LocalDelivery local;
    /// What this thread knows of the vCPU's activity: all of it without a local APIC in the kernel, else only
    /// whether it has shut down.
    private Activity activity = Activity.RUNNING;

    KvmVcpu(KvmVm vm, int index, VcpuParts parts, ExitHandler io) {
        this.vm = vm;
        this.index = index;
        this.io = io;
        file = parts.file();
        page = parts.page();
        attention = parts.attention();
        local = parts.local();
        states = parts.states();
        tsc = parts.tsc();
        signature = parts.signature();
        stores = vm.stores();
        run = file.repeated(Ioctls.KVM_RUN);
        devices = new DeviceExits(page, io, vm.readOnlyMemory());
        load(CpuState.reset(index == 0 ? Activity.RUNNING : Activity.WAIT_FOR_SIPI, signature));
    }

    @Override
    public int index() {
        return index;
    }

    DeviceFile file() {
        return file;
    }

    TscKeeper tsc() {
        return tsc;
    }

    // ---------------------------------------------------------------- running

    @Override
    public RunResult run() {
        attention.enter();
        try {
            while (true) {
                RunResult result = activity == Activity.RUNNING ? enter() : idle();
                if (result != null) {
                    return result;
                }
            }
        } finally {
            attention.leave();
        }
    }

    private @Nullable RunResult enter() {
        LocalDelivery l = local;
        if (l != null) {
            l.beforeEntry();
        }
        if (run.call() < 0) {
            if (attention.wanted()) {
                return attend();
            }
            // Interrupted for nothing, or failed: the second try goes on, or tells why not.
            int result = run.callForErrno();
            if (result < 0) {
                return result == -EINTR || result == -EAGAIN
                        ? attend()
                        : new RunResult.Stuck(StuckReport.ofErrno(index, -result, states));
            }
        }
        stores.drain(io);
        if (l != null) {
            l.afterExit();
        }
        return switch (page.exitReason()) {
            case RunPage.KVM_EXIT_IO -> {
                devices.port();
                yield null;
            }
            case RunPage.KVM_EXIT_MMIO -> {
                devices.mmio();
                yield null;
            }
            default -> rareExit();
        };
    }

    private @Nullable RunResult rareExit() {
        return switch (page.exitReason()) {
            case RunPage.KVM_EXIT_INTR, RunPage.KVM_EXIT_IRQ_WINDOW_OPEN, RunPage.KVM_EXIT_SET_TPR -> null;
            case RunPage.KVM_EXIT_HLT -> {
                activity = Activity.HALTED;
                yield null;
            }
            case RunPage.KVM_EXIT_DEBUG -> new RunResult.Debug(page.debugPc());
            case RunPage.KVM_EXIT_SHUTDOWN -> {
                activity = Activity.SHUTDOWN;
                yield new RunResult.TripleFault(states.rip());
            }
            case RunPage.KVM_EXIT_X86_RDMSR -> {
                machinesApic().readMsr();
                yield null;
            }
            case RunPage.KVM_EXIT_X86_WRMSR -> {
                machinesApic().writeMsr();
                yield null;
            }
            case RunPage.KVM_EXIT_IOAPIC_EOI -> {
                vm.vectorEnded(page.endedVector());
                yield null;
            }
            case RunPage.KVM_EXIT_DIRTY_RING_FULL -> {
                vm.memory().collectRings();
                yield null;
            }
            case RunPage.KVM_EXIT_HYPERV -> {
                // jvirt has no devices on Hyper-V's bus; changes of its interrupt controller's pages need no answer
                if (page.eventType() == KVM_EXIT_HYPERV_HCALL) {
                    page.setHypercallResult(HV_STATUS_INVALID_HYPERCALL_CODE);
                }
                yield null;
            }
            case RunPage.KVM_EXIT_SYSTEM_EVENT -> systemEvent();
            default -> new RunResult.Stuck(StuckReport.ofExit(index, page, states));
        };
    }

    private LocalDelivery machinesApic() {
        if (local == null) {
            throw new IllegalStateException("KVM asks for an MSR that it has not been told to ask for");
        }
        return local;
    }

    /// What a guest does with Hyper-V's reset and crash registers.
    private @Nullable RunResult systemEvent() {
        return switch (page.eventType()) {
            // as after any request for a reset, the machine decides
            case KVM_SYSTEM_EVENT_RESET -> new RunResult.TripleFault(states.rip());
            case KVM_SYSTEM_EVENT_CRASH ->
                new RunResult.Stuck("vCPU %d: the guest reports that it has crashed".formatted(index));
            default ->
                new RunResult.Stuck("vCPU %d: KVM reports system event %d, which jvirt does not know"
                        .formatted(index, page.eventType()));
        };
    }

    /// Halted, waiting for a start-up IPI, or shut down.
    private @Nullable RunResult idle() {
        if (activity == Activity.HALTED && (local == null || local.wakes())) {
            activity = Activity.RUNNING;
            return null;
        }
        attention.sleep();
        return attend();
    }

    // ---------------------------------------------------------------- wishes of other threads

    private @Nullable RunResult attend() {
        int wishes = attention.take();
        if ((wishes & Attention.INIT) != 0) {
            init();
        }
        if ((wishes & Attention.STARTUP) != 0 && activity == Activity.WAIT_FOR_SIPI) {
            startup();
        }
        if ((wishes & Attention.NMI) != 0) {
            for (int i = attention.takeNmis(); i > 0; i--) {
                file.ioctl("KVM_NMI", Ioctls.KVM_NMI, 0);
            }
            if (activity == Activity.HALTED && !states.events().nmiBlocked()) {
                activity = Activity.RUNNING;
            }
        }
        return (wishes & Attention.KICK) != 0 ? RunResult.KICKED : null;
    }

    /// INIT, without a local APIC in the kernel: as power-on, but x87, SSE and AVX registers and most
    /// model-specific registers stay. Source: Intel SDM volume 3, table 10-1.
    private void init() {
        CpuState now = states.save(activity);
        CpuState reset =
                CpuState.reset(machinesApic().bootstrap() ? Activity.RUNNING : Activity.WAIT_FOR_SIPI, signature);
        var control = new ControlRegisters(
                CR0_ET | now.control().cr0() & CR0_KEPT_BY_INIT,
                0,
                0,
                0,
                0,
                0,
                now.control().xcr0());
        load(new CpuState(
                reset.general(),
                reset.segments(),
                control,
                reset.debug(),
                now.extended(),
                now.msrs(),
                PendingEvents.NONE,
                reset.activity()));
    }

    /// A start-up IPI: real mode at `vector << 12`.
    private void startup() {
        int vector = machinesApic().startupVector();
        CpuState now = states.save(Activity.RUNNING);
        SegmentRegisters s = now.segments();
        var code = new Segment(vector << 8, (long) vector << 12, 0xFFFF, s.cs().attributes());
        var general = now.general().toArray();
        load(now.with(new SegmentRegisters(
                        s.es(), code, s.ss(), s.ds(), s.fs(), s.gs(), s.ldt(), s.tr(), s.gdt(), s.idt()))
                .with(GeneralRegisters.of(general, 0, now.general().rflags())));
    }

    @Override
    public void kick() {
        attention.raise(Attention.KICK);
    }

    // ---------------------------------------------------------------- state

    private boolean kernelApic() {
        return local == null || local.kernelApic();
    }

    @Override
    public CpuState state() {
        CpuState state =
                states.save(kernelApic() && activity != Activity.SHUTDOWN ? states.kernelActivity() : activity);
        if (kernelApic()) {
            return state;
        }
        ControlRegisters c = state.control();
        return state.with(new ControlRegisters(
                c.cr0(), c.cr2(), c.cr3(), c.cr4(), machinesApic().taskPriority(), c.efer(), c.xcr0()));
    }

    @Override
    public void load(CpuState state) {
        states.load(state);
        page.forgetReadiness();
        page.setInterruptFlag((state.general().rflags() & RFLAGS_IF) != 0);
        if (kernelApic()) {
            states.setKernelActivity(state.activity());
            activity = state.activity() == Activity.SHUTDOWN ? Activity.SHUTDOWN : Activity.RUNNING;
        } else {
            activity = state.activity();
            machinesApic().setTaskPriority((int) state.control().cr8() & 15);
        }
    }

    @Override
    public void debug(GuestDebug wishes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment image = arena.allocate(DebugImage.BYTES, 8);
            DebugImage.fill(image, wishes);
            file.ioctl("KVM_SET_GUEST_DEBUG", Ioctls.KVM_SET_GUEST_DEBUG, image);
        }
    }

    @Override
    public long instructions() {
        return -1;
    }

    @Override
    public void close() {
        attention.close();
        vm.forget(this);
        if (local != null) {
            local.close();
        }
        file.close();
    }
}
