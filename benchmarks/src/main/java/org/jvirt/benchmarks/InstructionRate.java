package org.jvirt.benchmarks;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeoutException;
import org.jvirt.machine.Engines;
import org.jvirt.machine.VirtualMachine;
import org.jvirt.machine.chardev.TranscriptBackend;

/// Guest instructions a second, by the engine's own count, while the program runs one of its kernels.
final class InstructionRate {
    private static final Duration PATIENCE = Duration.ofMinutes(10);

    private InstructionRate() {}

    static String run(GuestFiles files, String engine, List<String> kernels, int scale, int rounds, int memoryMib) {
        var table = new Table("kernel", "million instructions", "seconds", "million instructions/s");
        for (String kernel : kernels) {
            var millions = new Sample();
            var seconds = new Sample();
            var rates = new Sample();
            // A fresh machine for each kernel, in a JVM that gets warmer: the first round shows the start, the rest
            // the rate.
            Path initrd = files.initrd("mips-" + kernel, List.of(Integer.toString(scale), kernel));
            for (int round = 0; round < rounds; round++) {
                measure(files.kernel(), initrd, engine, kernel, memoryMib, millions, seconds, rates);
            }
            table.row(kernel, millions.text(), seconds.text(), rates.text());
        }
        return table.toString();
    }

    private static void measure(
            Path kernel,
            Path initrd,
            String engine,
            String name,
            int memoryMib,
            Sample millions,
            Sample seconds,
            Sample rates) {
        var console = new TranscriptBackend();
        try (VirtualMachine vm = VirtualMachine.builder()
                .engine(Engines.named(engine))
                .kernel(kernel)
                .initrd(initrd)
                .append(GuestFiles.append())
                .memory(memoryMib)
                .cpu("max")
                .serial(console)
                .reboot(false)
                .build()) {
            vm.start();
            console.expect(GuestFiles.USER_SPACE, PATIENCE);
            long before = instructions(vm);
            long start = System.nanoTime();
            String line = console.expect("\n" + GuestFiles.FINISHED, PATIENCE);
            long nanos = System.nanoTime() - start;
            long count = instructions(vm) - before;
            vm.await(PATIENCE);
            Measurement result = Measurement.in(line).stream()
                    .filter(each -> each.kernel().equals(name))
                    .findFirst()
                    .orElseThrow(() -> new BenchmarkException("%s gave no result:%n%s".formatted(name, line)));
            System.out.printf(
                    Locale.ROOT,
                    "%s: %d instructions in %.3f s, %.3f s of them in the kernel itself%n",
                    name,
                    count,
                    nanos / 1e9,
                    result.seconds());
            millions.add(count / 1e6);
            seconds.add(nanos / 1e9);
            rates.add(count * 1e3 / nanos);
        } catch (TimeoutException e) {
            throw new BenchmarkException(String.valueOf(e.getMessage()), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BenchmarkException("Interrupted", e);
        }
    }

    private static long instructions(VirtualMachine vm) {
        if (vm.instructions().contains(-1L)) {
            throw new BenchmarkException("This engine does not count instructions: give --engine interpreter");
        }
        return vm.instructions().stream().mapToLong(Long::longValue).sum();
    }
}
