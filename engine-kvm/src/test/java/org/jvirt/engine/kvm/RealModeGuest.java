package org.jvirt.engine.kvm;

import static org.jvirt.x86.Registers.AL;
import static org.jvirt.x86.Registers.EAX;
import static org.jvirt.x86.Registers.ECX;
import static org.jvirt.x86.Registers.EDX;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.IntPredicate;
import org.jvirt.core.ExitHandler;
import org.jvirt.core.GuestMemory;
import org.jvirt.core.InterruptController;
import org.jvirt.core.RunResult;
import org.jvirt.core.TscClock;
import org.jvirt.core.Vcpu;
import org.jvirt.core.Vm;
import org.jvirt.core.VmSpec;
import org.jvirt.core.cpu.Activity;
import org.jvirt.core.cpu.CpuFeature;
import org.jvirt.core.cpu.CpuState;
import org.jvirt.core.cpu.CpuidLeaf;
import org.jvirt.core.cpu.CpuidTable;
import org.jvirt.core.cpu.GeneralRegisters;
import org.jvirt.core.cpu.Segment;
import org.jvirt.core.cpu.SegmentRegisters;
import org.jvirt.testkit.ManualClock;
import org.jvirt.testkit.TestMemory;
import org.jvirt.x86.Assembler;
import org.jvirt.x86.CodeSize;

/// One processor in real mode with the kernel's interrupt controllers: 1 MiB of RAM, code at 0x1000, and ports
/// whose writes the test waits for. A write to port 0xF4 ends the run; [#everyWrite] sees the others first.
final class RealModeGuest implements AutoCloseable {
    static final int CODE = 0x1000;
    static final int HANDLER = 0x2000;
    static final int EXIT_PORT = 0xF4;
    private static final int STACK = 0x7000;
    private static final int SECONDS = 30;

    final GuestMemory memory = TestMemory.ofBytes(1 << 20);
    final ManualClock clock = new ManualClock();
    final KvmHypervisor kvm;
    final Vm vm;
    final Vcpu vcpu;
    /// Told of each write's port before anything else; answers whether that was all.
    volatile IntPredicate everyWrite = port -> false;
    /// Port << 32 | value.
    private final LinkedBlockingQueue<Long> writes = new LinkedBlockingQueue<>();

    RealModeGuest(KvmOptions options) {
        this(options, Optional.empty());
    }

    RealModeGuest(KvmOptions options, Optional<InterruptController> interrupts) {
        kvm = new KvmHypervisor(options);
        vm = kvm.createVm(
                new VmSpec("real", memory, cpuid(), 1, new TscClock(clock, kvm.tscHz(1_000_000_000L)), interrupts));
        vcpu = vm.createVcpu(0, new Ports());
    }

    private static CpuidTable cpuid() {
        List<CpuidLeaf> leaves = new ArrayList<>();
        leaves.add(new CpuidLeaf(0, 0, 1, 0x756E_6547, 0x6C65_746E, 0x4965_6E69));
        int ecx = 1 << CpuFeature.X2APIC.bit();
        int edx = 1 << CpuFeature.APIC.bit() | 1 << CpuFeature.MSR.bit() | 1 << CpuFeature.TSC.bit();
        leaves.add(new CpuidLeaf(1, 0, 0x600, 0, ecx, edx | 1));
        return new CpuidTable(leaves);
    }

    static Assembler code(int origin) {
        return new Assembler(CodeSize.CODE16, origin);
    }

    /// Switches the local APIC on, in x2APIC mode.
    static Assembler withApic() {
        return code(CODE)
                .mov(ECX, 0x1B)
                .rdmsr()
                .or(EAX, 0xC00)
                .wrmsr()
                .mov(ECX, 0x80F)
                .mov(EAX, 0x1FF)
                .mov(EDX, 0)
                .wrmsr();
    }

    /// Both 8259s: vectors 0x20 and 0x28, everything but input `open` masked.
    static Assembler withPics(Assembler code, int open) {
        int[][] writes = {
            {0x20, 0x11},
            {0x21, 0x20},
            {0x21, 4},
            {0x21, 1},
            {0xA0, 0x11},
            {0xA1, 0x28},
            {0xA1, 2},
            {0xA1, 1},
            {0x21, 0xFF & ~(1 << open)},
            {0xA1, 0xFF}
        };
        for (int[] write : writes) {
            code.mov(AL, write[1]).out(write[0], AL);
        }
        return code;
    }

    /// Loads code and puts the processor before it, interrupts off.
    void load(Assembler code) {
        memory.write(CODE, code.assemble());
        CpuState reset = CpuState.reset(Activity.RUNNING, 0x600);
        SegmentRegisters s = reset.segments();
        var flat = new Segment(0, 0, 0xFFFF, s.cs().attributes());
        long[] registers = new long[16];
        registers[4] = STACK;
        vcpu.load(reset.with(new SegmentRegisters(
                        s.es(), flat, s.ss(), s.ds(), s.fs(), s.gs(), s.ldt(), s.tr(), s.gdt(), s.idt()))
                .with(GeneralRegisters.of(registers, CODE, 2)));
    }

    /// Writes `value` to port 0x10, then ends the run.
    void handle(int vector, int value) {
        int at = HANDLER + vector * 0x20;
        memory.write(
                at,
                code(at).mov(AL, value).out(0x10, AL).out(EXIT_PORT, AL).iret().assemble());
        memory.writeInt(4L * vector, at);
    }

    CompletableFuture<RunResult> start() {
        var result = new CompletableFuture<RunResult>();
        Thread.ofPlatform().daemon().name("real-vcpu").start(() -> {
            try {
                result.complete(vcpu.run());
            } catch (RuntimeException | Error e) {
                result.completeExceptionally(e);
            }
        });
        return result;
    }

    static RunResult await(CompletableFuture<RunResult> running) throws Exception {
        RunResult result = running.get(SECONDS, TimeUnit.SECONDS);
        if (result instanceof RunResult.Stuck stuck) {
            throw new AssertionError(stuck.report());
        }
        return result;
    }

    /// Waits for a write to `port` and answers its value.
    int awaitWrite(int port) throws InterruptedException {
        while (true) {
            Long write = writes.poll(SECONDS, TimeUnit.SECONDS);
            if (write == null) {
                throw new AssertionError("nothing was written to port 0x%x".formatted(port));
            }
            if (write >>> 32 == port) {
                return (int) (long) write;
            }
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
            if (port == EXIT_PORT) {
                vcpu.kick();
            } else if (!everyWrite.test(port)) {
                writes.add((long) port << 32 | value);
            }
        }

        @Override
        public long readMmio(long gpa, int size) {
            return -1;
        }

        @Override
        public void writeMmio(long gpa, int size, long value) {
            writes.add(gpa << 32 | value & 0xFFFF_FFFFL);
        }
    }
}
