package org.jvirt.benchmarks;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// A way to run the benchmark program.
sealed interface Rival {
    Duration LIMIT = Duration.ofMinutes(30);

    /// What the table calls it.
    String name();

    /// Runs the program once, in a fresh process, and returns what it printed.
    List<Measurement> run(GuestFiles files, Work work);

    /// What a round consists of.
    ///
    /// @param scale      percentage of the full work
    /// @param kernels    names
    /// @param vcpus      of the machine
    /// @param memoryMib  of the machine
    record Work(int scale, List<String> kernels, int vcpus, int memoryMib) {
        List<String> arguments() {
            var words = new ArrayList<>(List.of(Integer.toString(scale)));
            words.addAll(kernels);
            return words;
        }

        Path initrd(GuestFiles files) {
            return files.initrd("scale-" + scale, arguments());
        }
    }

    /// On this host's processor, under this host's kernel.
    record Native() implements Rival {
        @Override
        public String name() {
            return "native";
        }

        @Override
        public List<Measurement> run(GuestFiles files, Work work) {
            var command = new ArrayList<>(List.of(files.program().toString()));
            command.addAll(work.arguments());
            return checked(this, work, TimedProcess.run(command, LIMIT));
        }
    }

    /// In QEMU, by its translator.
    record Qemu() implements Rival {
        @Override
        public String name() {
            return "QEMU";
        }

        @Override
        public List<Measurement> run(GuestFiles files, Work work) {
            return checked(
                    this,
                    work,
                    TimedProcess.run(
                            Commands.qemu(files.kernel(), work.initrd(files), work.vcpus(), work.memoryMib()), LIMIT));
        }
    }

    /// In jvirt.
    ///
    /// @param program the words that start it
    record Jvirt(List<String> program, String engine) implements Rival {
        @Override
        public String name() {
            return "jvirt";
        }

        @Override
        public List<Measurement> run(GuestFiles files, Work work) {
            return checked(
                    this,
                    work,
                    TimedProcess.run(
                            Commands.jvirt(
                                    program,
                                    engine,
                                    files.kernel(),
                                    work.initrd(files),
                                    work.vcpus(),
                                    work.memoryMib()),
                            LIMIT));
        }
    }

    private static List<Measurement> checked(Rival rival, Work work, TimedProcess process) {
        List<Measurement> found = Measurement.in(process.text());
        if (process.exitCode() != 0 || found.size() != work.kernels().size()) {
            throw new BenchmarkException("%s gave %d results of %d and exit code %d; it wrote:%n%s"
                    .formatted(rival.name(), found.size(), work.kernels().size(), process.exitCode(), process.text()));
        }
        return found;
    }
}
