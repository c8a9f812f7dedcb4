package org.jvirt.machine;

import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.Capability;
import org.jvirt.core.ExitHandler;
import org.jvirt.core.GuestMemory;
import org.jvirt.core.Hypervisor;
import org.jvirt.core.InterruptController;
import org.jvirt.core.InterruptLine;
import org.jvirt.core.RunResult;
import org.jvirt.core.TscClock;
import org.jvirt.core.Vcpu;
import org.jvirt.core.Vm;
import org.jvirt.core.VmSpec;
import org.jvirt.core.cpu.Activity;
import org.jvirt.core.cpu.ControlRegisters;
import org.jvirt.core.cpu.CpuFeature;
import org.jvirt.core.cpu.CpuState;
import org.jvirt.core.cpu.CpuidTable;
import org.jvirt.core.cpu.DescriptorTable;
import org.jvirt.core.cpu.GeneralRegisters;
import org.jvirt.core.cpu.Segment;
import org.jvirt.core.cpu.SegmentRegisters;
import org.jvirt.core.cpu.XsaveArea;
import org.jvirt.core.interrupt.ApicConfig;
import org.jvirt.core.interrupt.PcInterruptsState;
import org.jvirt.core.interrupt.PitState;
import org.jvirt.devices.interrupt.PcInterrupts;
import org.jvirt.devices.interrupt.PinControllers;
import org.jvirt.devices.time.Pit8254;
import org.jvirt.machine.cpu.CpuChoice;
import org.jvirt.machine.cpu.CpuIdentity;
import org.jvirt.machine.cpu.CpuidBuilder;
import org.jvirt.testkit.ManualClock;
import org.jvirt.testkit.TestMemory;
import org.jvirt.x86.Assembler;
import org.jvirt.x86.CodeSize;

/// One processor in 64-bit mode on any engine, with the engine's interrupt controllers or the machine's. A write to
/// port 0xF4 stops it.
///
/// ```
/// 0x00_1000 code       0x01_0000 GDT: 8 code, 0x10 data, 0x30 TSS       0x01_1000 IDT       0x01_2000 TSS
/// 0x02_0000 page tables: identity, the first 2 MiB and 3–4 GiB          0x03_8000 stack     0x10_0000 free
/// ```
final class MovingGuest implements AutoCloseable {
    static final long CODE = 0x1000;
    static final int EXIT_PORT = 0xF4;
    private static final long GDT = 0x1_0000;
    private static final long IDT = 0x1_1000;
    private static final long TSS = 0x1_2000;
    private static final long TABLES = 0x2_0000;
    private static final long STACK = 0x3_8000;
    private static final int RAM_BYTES = 2 << 20;
    private static final long HZ = 1_000_000_000L;
    private static final int ADDRESS_BITS = 40;
    private static final int SECONDS = 60;
    private static final ApicConfig APICS = new ApicConfig(1, ADDRESS_BITS, true);

    private final GuestMemory memory = TestMemory.ofBytes(RAM_BYTES);
    private final ManualClock clock = new ManualClock();
    private final @Nullable PcInterrupts chips;
    private final @Nullable Pit8254 pit;
    private final Vm vm;
    private final Vcpu vcpu;

    MovingGuest(Hypervisor engine) {
        this(engine, Optional.empty(), PitState.RESET);
    }

    /// As saved.
    MovingGuest(Hypervisor engine, PcInterruptsState interrupts, PitState timer) {
        this(engine, Optional.of(interrupts), timer);
    }

    private MovingGuest(Hypervisor engine, Optional<PcInterruptsState> saved, PitState timer) {
        var tsc = new TscClock(clock, engine.tscHz(HZ));
        boolean own = !engine.capabilities().contains(Capability.IN_KERNEL_INTERRUPTS);
        chips = own
                ? saved.map(state -> new PcInterrupts(tsc, state)).orElseGet(() -> new PcInterrupts(APICS, tsc))
                : null;
        pit = own ? new Pit8254(clock, high -> {}, timer) : null;
        vm = engine.createVm(
                new VmSpec("moving", memory, cpuid(), 1, tsc, Optional.<InterruptController>ofNullable(chips)));
        vcpu = vm.createVcpu(0, new Ports());
        vm.synchronizeClock();
        if (!own) {
            saved.ifPresent(vm::loadInterrupts);
            vm.loadPit(timer);
        }
        tables();
    }

    /// What both engines have.
    private static CpuidTable cpuid() {
        Set<CpuFeature> both = EnumSet.copyOf(Engines.named("kvm").supportedFeatures());
        both.retainAll(Engines.named("interpreter").supportedFeatures());
        Set<CpuFeature> features = CpuChoice.parse("max").resolve("both", both);
        return new CpuidBuilder(CpuIdentity.IN_ORDER, features, 1, HZ, HZ, ADDRESS_BITS, Set.of()).build("moving");
    }

    static Assembler code(long origin) {
        return new Assembler(CodeSize.CODE64, origin);
    }

    private void tables() {
        memory.writeLong(GDT + 8, 0x00AF_9B00_0000_FFFFL);
        memory.writeLong(GDT + 0x10, 0x00CF_9300_0000_FFFFL);
        memory.writeLong(TABLES, TABLES + 0x1000 | 7);
        memory.writeLong(TABLES + 0x1000, TABLES + 0x2000 | 7);
        memory.writeLong(TABLES + 0x1018, TABLES + 0x3000 | 7);
        memory.writeLong(TABLES + 0x2000, 0x87);
        for (long i = 0; i < 512; i++) {
            memory.writeLong(TABLES + 0x3000 + 8 * i, 0xC000_0000L + (i << 21) | 0x87);
        }
    }

    /// Makes `vector` an interrupt gate.
    void gate(int vector, long target) {
        memory.writeLong(IDT + 16L * vector, target & 0xFFFF | 0x8E00_0008_0000L | (target & 0xFFFF_0000L) << 32);
        memory.writeLong(IDT + 16L * vector + 8, target >>> 32);
    }

    /// Puts the processor before the code: flat 64-bit mode, interrupts off, ST0 and ST1 in use.
    void load() {
        CpuState reset = CpuState.reset(Activity.RUNNING, 0);
        var code = Segment.flat(8, Segment.PRESENT | Segment.S | 0xB | Segment.GRANULARITY | Segment.LONG);
        var data = Segment.flat(0x10, Segment.PRESENT | Segment.S | 0x3 | Segment.GRANULARITY | Segment.BIG);
        var task = new Segment(0x30, TSS, 0x67, Segment.PRESENT | 0xB);
        long[] registers = new long[16];
        registers[4] = STACK;
        load(new CpuState(
                GeneralRegisters.of(registers, CODE, 2),
                new SegmentRegisters(
                        data,
                        code,
                        data,
                        data,
                        data,
                        data,
                        reset.segments().ldt(),
                        task,
                        new DescriptorTable(GDT, 0x3F),
                        new DescriptorTable(IDT, 0xFFF)),
                new ControlRegisters(0x8000_0033L, 0, TABLES, 0x620, 0, 0xD01, 1),
                reset.debug(),
                x87(),
                reset.msrs(),
                reset.events(),
                reset.activity()));
    }

    /// Two values on the stack, rounding towards zero, and an exception that was masked.
    private static XsaveArea x87() {
        byte[] area = XsaveArea.initial().bytes();
        area[1] = 0x0F; // FCW 0xF7F
        area[2] = 0x20; // FSW: precision
        area[3] = 0x30; // TOP 6
        area[4] = (byte) 0xC0; // FTW: R6 and R7
        for (int st = 0; st < 2; st++) {
            int at = 32 + 16 * st;
            area[at] = (byte) (0x11 + st);
            area[at + 7] = (byte) 0xC0;
            area[at + 8] = 2;
            area[at + 9] = 0x40;
        }
        area[25] = 0x7F; // MXCSR 0x7F80
        area[XsaveArea.LEGACY_BYTES] = 3;
        return new XsaveArea(area);
    }

    void load(CpuState state) {
        vcpu.load(state);
    }

    CpuState state() {
        return vcpu.state();
    }

    GuestMemory memory() {
        return memory;
    }

    byte[] content() {
        byte[] all = new byte[RAM_BYTES];
        memory.read(0, all);
        return all;
    }

    InterruptLine line(int gsi) {
        return vm.irq(gsi);
    }

    PcInterruptsState saveInterrupts() {
        return chips == null ? vm.saveInterrupts() : chips.save();
    }

    PitState savePit() {
        return pit == null ? vm.savePit() : pit.save();
    }

    /// Until the guest writes to [#EXIT_PORT].
    void run() throws Exception {
        var result = new CompletableFuture<RunResult>();
        Thread.ofPlatform().daemon().name("moving-vcpu").start(() -> {
            try {
                result.complete(vcpu.run());
            } catch (RuntimeException | Error e) {
                result.completeExceptionally(e);
            }
        });
        RunResult reached = result.get(SECONDS, TimeUnit.SECONDS);
        if (reached instanceof RunResult.Stuck stuck) {
            throw new AssertionError(stuck.report());
        }
        if (!reached.equals(RunResult.KICKED)) {
            throw new AssertionError("The guest ended with " + reached);
        }
    }

    @Override
    public void close() {
        vcpu.close();
        vm.close();
        memory.close();
    }

    private final class Ports implements ExitHandler {
        @Override
        public long readPort(int port, int size) {
            return -1;
        }

        @Override
        public void writePort(int port, int size, long value) {
            Pit8254 timer = pit;
            PcInterrupts controllers = chips;
            if (port == EXIT_PORT) {
                vcpu.kick();
            } else if (timer != null && port >= 0x40 && port < 0x44) {
                timer.write(port - 0x40, size, value);
            } else if (controllers != null && (port & ~1) == 0x20) {
                controllers.pins().masterPic().write(port - 0x20, size, value);
            } else if (controllers != null && (port & ~1) == 0xA0) {
                controllers.pins().slavePic().write(port - 0xA0, size, value);
            }
        }

        @Override
        public long readMmio(long gpa, int size) {
            return -1;
        }

        @Override
        public void writeMmio(long gpa, int size, long value) {
            PcInterrupts controllers = chips;
            if (controllers != null && gpa >>> 12 == PinControllers.IO_APIC_GPA >>> 12) {
                controllers.pins().ioApic().write(gpa & 0xFFF, size, value);
            }
        }
    }
}
