package org.jvirt.testkit.contract;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jvirt.core.ExitHandler;
import org.jvirt.core.GuestMemory;
import org.jvirt.core.Hypervisor;
import org.jvirt.core.MemorySlot;
import org.jvirt.core.RunResult;
import org.jvirt.core.TscClock;
import org.jvirt.core.Vcpu;
import org.jvirt.core.Vm;
import org.jvirt.core.VmSpec;
import org.jvirt.core.cpu.Activity;
import org.jvirt.core.cpu.ControlRegisters;
import org.jvirt.core.cpu.CpuFeature;
import org.jvirt.core.cpu.CpuState;
import org.jvirt.core.cpu.CpuidLeaf;
import org.jvirt.core.cpu.CpuidRegister;
import org.jvirt.core.cpu.CpuidTable;
import org.jvirt.core.cpu.DescriptorTable;
import org.jvirt.core.cpu.GeneralRegisters;
import org.jvirt.core.cpu.Segment;
import org.jvirt.core.cpu.SegmentRegisters;
import org.jvirt.testkit.ManualClock;
import org.jvirt.testkit.TestMemory;
import org.jvirt.testkit.VcpuThreads;
import org.jvirt.x86.Assembler;

/// A machine for small guests: 8 MiB of RAM, a page of read-only memory, recorded ports and device registers.
///
/// ```
/// 0x00_1000  code
/// 0x01_0000  GDT: 8 code64, 0x10 data, 0x18 code32, 0x23/0x2b user data and code64, 0x30 TSS64, 0x40 code16, 0x48
/// data16 0x01_1000  IDT                         0x01_2000  TSS
/// 0x02_0000  page tables: identity, 4 KiB pages for the first 2 MiB, 2 MiB pages up to 16 MiB and from 3 GiB to 4
/// GiB 0x03_0000  stacks
/// 0x10_0000  free
/// 0xD000_0000  read-only memory          0xE000_0000  device registers
/// ```
///
/// Writing to port 0xF4 stops the processor that does it.
public final class Guest implements AutoCloseable {
    private static final Pattern INTERPRETED = Pattern.compile("interpreted (\\d+)");
    static final long CODE = 0x1000;
    static final long GDT = 0x1_0000;
    static final long IDT = 0x1_1000;
    static final long TSS = 0x1_2000;
    static final long TABLES = 0x2_0000;
    static final long STACK = 0x3_8000;
    static final long KERNEL_STACK = 0x3_C000;
    static final long FREE = 0x10_0000;
    static final long ROM = 0xD000_0000L;
    static final long DEVICE = 0xE000_0000L;
    static final int EXIT_PORT = 0xF4;
    static final long RAM_BYTES = 8 << 20;
    private static final Duration LIMIT = Duration.ofSeconds(Integer.getInteger("jvirt.contract.seconds", 60));

    static final MemorySlot RAM_SLOT = new MemorySlot(0, 0, RAM_BYTES, 0, false);
    static final MemorySlot ROM_SLOT = new MemorySlot(1, ROM, 0x1000, RAM_BYTES, true);

    /// An access to a port (below 0x1_0000) or a device register.
    record Access(boolean write, long address, int size, long value) {}

    final GuestMemory memory;
    final ManualClock clock = new ManualClock();
    final VectorQueue interrupts = new VectorQueue();
    final Vm vm;
    final List<Vcpu> vcpus = new ArrayList<>();
    private final List<Thread> threads = Collections.synchronizedList(new ArrayList<>());
    final List<Access> accesses = Collections.synchronizedList(new ArrayList<>());
    private volatile long nextRead;

    Guest(Hypervisor engine, int count) {
        this(engine, count, List.of());
    }

    /// @param more slots besides the two; their offsets follow those of the two
    Guest(Hypervisor engine, int count, List<MemorySlot> more) {
        var slots = new ArrayList<>(List.of(RAM_SLOT, ROM_SLOT));
        slots.addAll(more);
        memory = TestMemory.of(RAM_BYTES + 0x1000 * (1L + more.size()), slots);
        vm = engine.createVm(new VmSpec(
                "contract",
                memory,
                cpuid(engine),
                count,
                new TscClock(clock, 1_000_000_000L),
                Optional.of(interrupts)));
        for (int i = 0; i < count; i++) {
            vcpus.add(vm.createVcpu(i, new Recorder(i)));
        }
        tables();
    }

    private static CpuidTable cpuid(Hypervisor engine) {
        var leaves = new TreeMap<Long, int[]>();
        leaves.put(0L, new int[] {0xD, 0x756E_6547, 0x6C65_746E, 0x4965_6E69});
        leaves.put(0x4000_0000L << 32, new int[] {0x4000_0001, 0x4B4D_564B, 0x564B_4D56, 0x4D});
        leaves.put(0x4000_0001L << 32, new int[] {1 << 3 | 1 << 6 | 1 << 11 | 1 << 24, 0, 0, 0});
        leaves.put(0x8000_0000L << 32, new int[] {0x8000_0008, 0, 0, 0});
        leaves.put(0x8000_0008L << 32, new int[] {0x3028, 0, 0, 0});
        for (CpuFeature feature : engine.supportedFeatures()) {
            if (feature == CpuFeature.LA57) {
                continue;
            }
            int[] registers = leaves.computeIfAbsent(
                    (feature.function() & 0xFFFF_FFFFL) << 32 | feature.index(), key -> new int[4]);
            registers[CpuidRegister.valueOf(feature.register().name()).ordinal()] |= 1 << feature.bit();
        }
        var list = new ArrayList<CpuidLeaf>();
        leaves.forEach(
                (key, r) -> list.add(new CpuidLeaf((int) (key >>> 32), (int) (long) key, r[0], r[1], r[2], r[3])));
        return new CpuidTable(list);
    }

    private void tables() {
        long code = Segment.PRESENT | Segment.S | 0xB | Segment.GRANULARITY;
        long data = Segment.PRESENT | Segment.S | 0x3 | Segment.GRANULARITY | Segment.BIG;
        descriptor(0x08, code | Segment.LONG);
        descriptor(0x10, data);
        descriptor(0x18, code | Segment.BIG);
        descriptor(0x20, data | 3 << 5);
        descriptor(0x28, code | Segment.LONG | 3 << 5);
        memory.writeLong(GDT + 0x30, 0x67 | (TSS & 0xFF_FFFF) << 16 | 0x89L << 40);
        memory.writeLong(GDT + 0x38, 0);
        descriptor(0x40, code & ~Segment.GRANULARITY);
        descriptor(0x48, data & ~(Segment.GRANULARITY | Segment.BIG));
        memory.writeLong(TSS + 4, KERNEL_STACK);
        memory.writeShort(TSS + 102, 0x68);
        memory.writeLong(TABLES, TABLES + 0x1000 | 7);
        memory.writeLong(TABLES + 0x1000, TABLES + 0x2000 | 7);
        memory.writeLong(TABLES + 0x1018, TABLES + 0x4000 | 7);
        memory.writeLong(TABLES + 0x2000, TABLES + 0x3000 | 7);
        for (long i = 1; i < 8; i++) {
            memory.writeLong(TABLES + 0x2000 + 8 * i, i << 21 | 0x87);
        }
        for (long i = 0; i < 512; i++) {
            memory.writeLong(TABLES + 0x3000 + 8 * i, i << 12 | 7);
            memory.writeLong(TABLES + 0x4000 + 8 * i, 0xC000_0000L + (i << 21) | 0x87);
        }
    }

    private void descriptor(int selector, long attributes) {
        memory.writeLong(GDT + selector, 0x000F_0000_0000_FFFFL | attributes << 40);
    }

    /// The entry of the first page table for a linear address below 2 MiB.
    static long pageEntry(long la) {
        return TABLES + 0x3000 + (la >>> 12 << 3);
    }

    /// Makes vector `vector` a 64-bit interrupt gate to `target`.
    void gate(int vector, long target, int dpl) {
        memory.writeLong(
                IDT + 16L * vector,
                target & 0xFFFF | 8L << 16 | (0x8E00L | (long) dpl << 13) << 32 | (target & 0xFFFF_0000L) << 32);
        memory.writeLong(IDT + 16L * vector + 8, target >>> 32);
    }

    void load(long gpa, Assembler code) {
        memory.write(gpa, code.assemble());
    }

    /// What the next reads of ports and registers give.
    void answer(long value) {
        nextRead = value;
    }

    /// 64-bit mode, privilege level 0, flat, paging on, a stack of its own for each processor.
    CpuState long64(int index, long rip) {
        CpuState reset = CpuState.reset(Activity.RUNNING, 0);
        var code = Segment.flat(8, Segment.PRESENT | Segment.S | 0xB | Segment.GRANULARITY | Segment.LONG);
        var data = Segment.flat(0x10, Segment.PRESENT | Segment.S | 0x3 | Segment.GRANULARITY | Segment.BIG);
        var task = new Segment(0x30, TSS, 0x67, Segment.PRESENT | 0xB);
        long[] registers = new long[16];
        registers[4] = STACK - 0x400L * index;
        return reset.with(GeneralRegisters.of(registers, rip, 2))
                .with(new SegmentRegisters(
                        data,
                        code,
                        data,
                        data,
                        data,
                        data,
                        reset.segments().ldt(),
                        task,
                        new DescriptorTable(GDT, 0x4F),
                        new DescriptorTable(IDT, 0xFFF)))
                .with(new ControlRegisters(0x8001_0033L, 0, TABLES, 0x620, 0, 0xD01, 1));
    }

    /// Loads the state of 64-bit mode and runs processor 0 until it stops.
    RunResult run64(Assembler code) {
        load(CODE, code);
        vcpus.getFirst().load(long64(0, CODE));
        return run(0);
    }

    /// Runs one processor until it stops.
    RunResult run(int index) {
        return await(start(index));
    }

    CompletableFuture<RunResult> start(int index) {
        var result = new CompletableFuture<RunResult>();
        Thread thread = Thread.ofPlatform()
                .daemon()
                .name("contract-vcpu" + index)
                .start(() -> {
                    try {
                        result.complete(vcpus.get(index).run());
                    } catch (RuntimeException | Error e) {
                        result.completeExceptionally(e);
                    }
                });
        threads.add(thread);
        return result;
    }

    static RunResult await(CompletableFuture<RunResult> result) {
        try {
            RunResult reached = result.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
            if (reached instanceof RunResult.Stuck stuck) {
                throw new AssertionError("the engine cannot go on: " + stuck.report());
            }
            return reached;
        } catch (ExecutionException e) {
            throw new AssertionError("the processor failed", e.getCause());
        } catch (TimeoutException e) {
            throw new AssertionError("the guest did not stop within " + LIMIT, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    /// Lets a processor run, kicking it, until it is about to execute the instruction at `rip`, or waits there.
    void awaitInstruction(int index, CompletableFuture<RunResult> running, long rip) {
        CompletableFuture<RunResult> now = running;
        while (true) {
            vcpus.get(index).kick();
            await(now);
            if (vcpus.get(index).state().general().rip() == rip) {
                return;
            }
            now = start(index);
        }
    }

    /// How many instructions a translating engine has left to its interpreter; empty for other engines.
    Optional<Long> interpreted() {
        Matcher count = INTERPRETED.matcher(vcpus.getFirst().statistics());
        return count.find() ? Optional.of(Long.parseLong(count.group(1))) : Optional.empty();
    }

    GeneralRegisters registers() {
        return vcpus.getFirst().state().general();
    }

    @Override
    public void close() {
        VcpuThreads.stop(threads, vcpus);
        vcpus.forEach(Vcpu::close);
        vm.close();
        memory.close();
    }

    /// Records everything, answers what the test has said.
    private final class Recorder implements ExitHandler {
        private final int index;

        Recorder(int index) {
            this.index = index;
        }

        @Override
        public long readPort(int port, int size) {
            accesses.add(new Access(false, port, size, nextRead));
            return nextRead;
        }

        @Override
        public void writePort(int port, int size, long value) {
            if (port == EXIT_PORT) {
                vcpus.get(index).kick();
            } else {
                accesses.add(new Access(true, port, size, value));
            }
        }

        @Override
        public long readMmio(long gpa, int size) {
            accesses.add(new Access(false, gpa, size, nextRead));
            return nextRead;
        }

        @Override
        public void writeMmio(long gpa, int size, long value) {
            accesses.add(new Access(true, gpa, size, value));
        }
    }
}
