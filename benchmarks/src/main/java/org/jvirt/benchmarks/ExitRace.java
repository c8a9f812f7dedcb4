package org.jvirt.benchmarks;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.ExitHandler;
import org.jvirt.core.GuestMemory;
import org.jvirt.core.RunResult;
import org.jvirt.core.TscClock;
import org.jvirt.core.Vcpu;
import org.jvirt.core.Vm;
import org.jvirt.core.VmSpec;
import org.jvirt.core.cpu.Activity;
import org.jvirt.core.cpu.CpuState;
import org.jvirt.core.cpu.CpuidLeaf;
import org.jvirt.core.cpu.CpuidTable;
import org.jvirt.core.cpu.GeneralRegisters;
import org.jvirt.core.cpu.Segment;
import org.jvirt.core.cpu.SegmentRegisters;
import org.jvirt.engine.kvm.KvmHypervisor;
import org.jvirt.testkit.ManualClock;
import org.jvirt.testkit.TestMemory;

/// What Java adds to an exit of KVM: the same guest, one that writes to a port for ever, entered again by a bare
/// loop in C (`src/guest/exits.c`) and by jvirt's engine, which hands each write to a handler.
final class ExitRace {
    private static final Path SOURCE = Path.of("benchmarks/src/guest/exits.c");
    private static final int CODE = 0x1000;
    private static final int MEMORY_BYTES = 0x1_0000;
    private static final byte[] LOOP = {(byte) 0xE6, 0x10, (byte) 0xEB, (byte) 0xFC};

    private ExitRace() {}

    /// @param rival the C program, compiled; none to compile it here
    static String run(Path directory, @Nullable Path rival, long exits, int rounds) {
        Path program = Optional.ofNullable(rival).orElseGet(() -> compile(directory));
        var raw = new Sample();
        var java = new Sample();
        for (int round = 0; round < rounds; round++) {
            raw.add(raw(program, exits));
            java.add(java(exits));
        }
        var table = new Table("exit", "raw ioctl in C, ns", "jvirt, ns", "jvirt adds, ns");
        table.row("port write", raw.text(), java.text(), "%.0f".formatted(java.median() - raw.median()));
        return table.toString();
    }

    private static Path compile(Path directory) {
        Path program = directory.resolve("exits");
        output(List.of("gcc", "-O2", "-static", "-o", program.toString(), SOURCE.toString()));
        return program;
    }

    private static double raw(Path program, long exits) {
        return Double.parseDouble(
                output(List.of(program.toString(), Long.toString(exits))).strip());
    }

    private static String output(List<String> command) {
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() != 0) {
                throw new BenchmarkException("%s failed: %s".formatted(command.getFirst(), text));
            }
            return text;
        } catch (IOException e) {
            throw new BenchmarkException(
                    "Cannot run %s (apt-get install gcc libc6-dev): %s".formatted(command.getFirst(), e.getMessage()),
                    e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BenchmarkException("Interrupted", e);
        }
    }

    // ---------------------------------------------------------------- jvirt

    private static double java(long exits) {
        var kvm = new KvmHypervisor();
        try (GuestMemory memory = TestMemory.ofBytes(MEMORY_BYTES);
                Vm vm = kvm.createVm(new VmSpec(
                        "exits",
                        memory,
                        new CpuidTable(
                                List.of(new CpuidLeaf(0, 0, 1, 0, 0, 0), new CpuidLeaf(1, 0, 0x600, 0, 0, 1 << 9))),
                        1,
                        new TscClock(new ManualClock(), kvm.tscHz(1_000_000_000L)),
                        Optional.empty()))) {
            var counter = new Counter(exits);
            memory.write(CODE, LOOP);
            try (Vcpu vcpu = vm.createVcpu(0, counter)) {
                counter.vcpu = vcpu;
                vcpu.load(start());
                RunResult result = vcpu.run();
                if (!result.equals(RunResult.KICKED)) {
                    throw new BenchmarkException("The guest stopped: " + result);
                }
            }
            return counter.nanosForEach();
        }
    }

    /// Real mode at [#CODE].
    private static CpuState start() {
        CpuState reset = CpuState.reset(Activity.RUNNING, 0x600);
        SegmentRegisters s = reset.segments();
        var code = new Segment(0, 0, 0xFFFF, s.cs().attributes());
        return reset.with(new SegmentRegisters(
                        s.es(), code, s.ss(), s.ds(), s.fs(), s.gs(), s.ldt(), s.tr(), s.gdt(), s.idt()))
                .with(GeneralRegisters.of(new long[GeneralRegisters.COUNT], CODE, 2));
    }

    /// Counts writes; the first tenth, and at least what the Java machine needs to compile the way, is not
    /// measured.
    private static final class Counter implements ExitHandler {
        private static final long COMPILED_AFTER = 50_000;

        private final long first;
        private final long last;
        private final long exits;
        private @Nullable Vcpu vcpu;
        private long count;
        private long start;
        private long end;

        Counter(long exits) {
            this.exits = exits;
            first = Math.max(COMPILED_AFTER, exits / 10);
            last = first + exits;
        }

        double nanosForEach() {
            return (double) (end - start) / exits;
        }

        @Override
        public void writePort(int port, int size, long value) {
            long now = ++count;
            if (now == first) {
                start = System.nanoTime();
            } else if (now == last) {
                end = System.nanoTime();
                if (vcpu != null) {
                    vcpu.kick();
                }
            }
        }

        @Override
        public long readPort(int port, int size) {
            return -1;
        }

        @Override
        public long readMmio(long gpa, int size) {
            return -1;
        }

        @Override
        public void writeMmio(long gpa, int size, long value) {
            throw new BenchmarkException("The guest wrote to 0x%x".formatted(gpa));
        }
    }
}
