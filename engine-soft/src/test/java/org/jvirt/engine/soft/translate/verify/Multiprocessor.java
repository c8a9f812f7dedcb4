package org.jvirt.engine.soft.translate.verify;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jvirt.core.ExitHandler;
import org.jvirt.core.GuestMemory;
import org.jvirt.core.Hypervisor;
import org.jvirt.core.InterruptController;
import org.jvirt.core.InterruptLine;
import org.jvirt.core.LocalInterrupts;
import org.jvirt.core.MsiSink;
import org.jvirt.core.RunResult;
import org.jvirt.core.TscClock;
import org.jvirt.core.Vcpu;
import org.jvirt.core.VcpuSignals;
import org.jvirt.core.Vm;
import org.jvirt.core.VmSpec;
import org.jvirt.core.cpu.Activity;
import org.jvirt.core.cpu.ControlRegisters;
import org.jvirt.core.cpu.CpuFeature;
import org.jvirt.core.cpu.CpuState;
import org.jvirt.core.cpu.DescriptorTable;
import org.jvirt.core.cpu.GeneralRegisters;
import org.jvirt.core.cpu.Segment;
import org.jvirt.core.cpu.SegmentRegisters;
import org.jvirt.testkit.ManualClock;
import org.jvirt.testkit.TestMemory;
import org.jvirt.testkit.VcpuThreads;
import org.jvirt.x86.Assembler;

/// Several processors in 64-bit mode on the same memory, each with its number in RDI and a stack of its own.
///
/// ```
/// 0x1000 + 0x4000 i   code of processor i     0x2_0000  GDT, 0x2_1000  IDT
/// 0x3_0000            page tables: all identity-mapped in 4 KiB pages
/// 0x4_0000            stacks                  0x10_0000  free
/// ```
///
/// A write of a processor's number to port 0x500 interrupts it with vector 0x40; one to port 0xF4 stops the
/// processor that does it; one to port 0x502 is told to whoever [#onArrival] names.
final class Multiprocessor implements AutoCloseable {
    static final long FREE = 0x10_0000;
    static final int STOP_PORT = 0xF4;
    static final int INTERRUPT_PORT = 0x500;
    static final int ARRIVAL_PORT = 0x502;
    static final int INTERRUPT_VECTOR = 0x40;
    static final int DEBUG_VECTOR = 1;
    /// Behind what is mapped.
    static final long UNMAPPED = 0x20_0000;
    /// Page tables that are free.
    static final long FREE_TABLES = 0x3_7000;
    /// The entry for the second GiB in the second table.
    static final long SECOND_GIB = 0x3_1008;

    private static final long RAM_BYTES = 0x40_0000;
    private static final long GDT = 0x2_0000;
    private static final long IDT = 0x2_1000;
    private static final long TABLES = 0x3_0000;
    private static final long STACKS = 0x4_0000;

    private final GuestMemory memory = TestMemory.ofBytes(RAM_BYTES);
    private final Vm vm;
    private final List<Vcpu> vcpus = new ArrayList<>();
    private final Queues interrupts;
    private volatile Runnable arrival = () -> {};

    Multiprocessor(Hypervisor engine, int count) {
        this(engine, count, Set.of());
    }

    /// @param without features that the processors lack
    Multiprocessor(Hypervisor engine, int count, Set<CpuFeature> without) {
        this(engine, count, without, new TscClock(new ManualClock(), 1_000_000_000L));
    }

    /// @param without features that the processors lack
    Multiprocessor(Hypervisor engine, int count, Set<CpuFeature> without, TscClock counter) {
        interrupts = new Queues(count);
        vm = engine.createVm(
                new VmSpec("smp", memory, Machine.cpuid(engine, without), count, counter, Optional.of(interrupts)));
        for (int i = 0; i < count; i++) {
            vcpus.add(vm.createVcpu(i, new Ports(i)));
        }
        long code = Segment.PRESENT | Segment.S | 0xB | Segment.GRANULARITY | Segment.LONG;
        long data = Segment.PRESENT | Segment.S | 0x3 | Segment.GRANULARITY | Segment.BIG;
        memory.writeLong(GDT + 8, 0x000F_0000_0000_FFFFL | code << 40);
        memory.writeLong(GDT + 16, 0x000F_0000_0000_FFFFL | data << 40);
        var tables = new PageTables(memory, TABLES, 0x7000);
        for (long at = 0; at < UNMAPPED; at += Layout.PAGE) {
            tables.map(at, at, PageTables.WRITABLE);
        }
    }

    /// Interrupts a processor, from any thread.
    void interrupt(int index) {
        interrupts.raise(index);
    }

    /// What a write to [#ARRIVAL_PORT] does, on the processor's thread.
    void onArrival(Runnable action) {
        arrival = action;
    }

    /// What the engine tells of a processor's work.
    String statistics(int index) {
        return vcpus.get(index).statistics();
    }

    GuestMemory memory() {
        return memory;
    }

    Vcpu vcpu(int index) {
        return vcpus.get(index);
    }

    static long code(int index) {
        return 0x1000 + 0x4000L * index;
    }

    /// Where the entry for the page at `la` is.
    static long pageEntry(long la) {
        // the fourth table that was made
        return TABLES + 0x3000 + (la >>> 12 << 3);
    }

    /// Makes `target` the handler of a vector.
    void handler(int vector, long target) {
        long at = IDT + 16L * vector;
        memory.writeLong(at, target & 0xFFFF | 8L << 16 | 0x8E00L << 32 | (target >>> 16 & 0xFFFF) << 48);
        memory.writeLong(at + 8, target >>> 32);
    }

    void load(long gpa, Assembler code) {
        memory.write(gpa, code.assemble());
    }

    /// Runs all processors until each has stopped.
    void run(Duration limit) {
        var results = new ArrayList<CompletableFuture<RunResult>>();
        var threads = new ArrayList<Thread>();
        for (Vcpu vcpu : vcpus) {
            vcpu.load(state(vcpu.index()));
        }
        for (Vcpu vcpu : vcpus) {
            var result = new CompletableFuture<RunResult>();
            results.add(result);
            threads.add(Thread.ofPlatform()
                    .daemon()
                    .name("smp-vcpu" + vcpu.index())
                    .start(() -> {
                        try {
                            result.complete(vcpu.run());
                        } catch (RuntimeException | Error e) {
                            result.completeExceptionally(e);
                        }
                    }));
        }
        try {
            for (CompletableFuture<RunResult> result : results) {
                RunResult end = result.get(limit.toMillis(), TimeUnit.MILLISECONDS);
                if (!end.equals(RunResult.KICKED)) {
                    throw new AssertionError("a processor ended with " + end);
                }
            }
        } catch (ExecutionException e) {
            throw new AssertionError("a processor failed", e.getCause());
        } catch (TimeoutException e) {
            throw new AssertionError("the processors did not stop within " + limit, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        } finally {
            VcpuThreads.stop(threads, vcpus);
        }
    }

    private static CpuState state(int index) {
        CpuState reset = CpuState.reset(Activity.RUNNING, 0);
        var code = Segment.flat(8, Segment.PRESENT | Segment.S | 0xB | Segment.GRANULARITY | Segment.LONG);
        var data = Segment.flat(0x10, Segment.PRESENT | Segment.S | 0x3 | Segment.GRANULARITY | Segment.BIG);
        long[] registers = new long[16];
        registers[4] = STACKS + 0x1000L * (index + 1);
        registers[7] = index;
        return reset.with(GeneralRegisters.of(registers, code(index), 2))
                .with(new SegmentRegisters(
                        data,
                        code,
                        data,
                        data,
                        data,
                        data,
                        reset.segments().ldt(),
                        reset.segments().tr(),
                        new DescriptorTable(GDT, 0x17),
                        new DescriptorTable(IDT, 0xFFF)))
                .with(new ControlRegisters(Kernel.USUAL_CR0, 0, TABLES, Kernel.USUAL_CR4, 0, 0xD01, 7));
    }

    @Override
    public void close() {
        vcpus.forEach(Vcpu::close);
        vm.close();
        memory.close();
    }

    private final class Ports implements ExitHandler {
        private final int index;

        Ports(int index) {
            this.index = index;
        }

        @Override
        public long readPort(int port, int size) {
            return 0;
        }

        @Override
        public void writePort(int port, int size, long value) {
            if (port == STOP_PORT) {
                vcpus.get(index).kick();
            } else if (port == INTERRUPT_PORT) {
                interrupts.raise((int) value & 0xFF);
            } else if (port == ARRIVAL_PORT) {
                arrival.run();
            }
        }

        @Override
        public long readMmio(long gpa, int size) {
            return 0;
        }

        @Override
        public void writeMmio(long gpa, int size, long value) {
            // no registers
        }
    }

    /// One queue of vectors for each processor. Thread-safe.
    private static final class Queues implements InterruptController {
        private final List<Queue> queues = new ArrayList<>();

        Queues(int count) {
            for (int i = 0; i < count; i++) {
                queues.add(new Queue());
            }
        }

        void raise(int index) {
            queues.get(index).raise();
        }

        @Override
        public InterruptLine line(int gsi) {
            return high -> {};
        }

        @Override
        public MsiSink msi() {
            return (address, data) -> {};
        }

        @Override
        public LocalInterrupts local(int index) {
            return queues.get(index);
        }

        @Override
        public void connect(int index, VcpuSignals signals) {
            queues.get(index).signals = Optional.of(signals);
        }
    }

    private static final class Queue extends BareLocalInterrupts {
        private final ArrayDeque<Integer> vectors = new ArrayDeque<>();
        private volatile Optional<VcpuSignals> signals = Optional.empty();

        void raise() {
            synchronized (vectors) {
                vectors.add(INTERRUPT_VECTOR);
            }
            signals.ifPresent(VcpuSignals::interruptPending);
        }

        @Override
        public boolean pending() {
            synchronized (vectors) {
                return !vectors.isEmpty();
            }
        }

        @Override
        public int acknowledge() {
            synchronized (vectors) {
                Integer first = vectors.poll();
                return first == null ? NONE : first;
            }
        }

        @Override
        public long apicBase() {
            return 0xFEE0_0800L;
        }
    }
}
