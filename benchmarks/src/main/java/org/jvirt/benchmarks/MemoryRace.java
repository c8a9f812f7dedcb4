package org.jvirt.benchmarks;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jvirt.testkit.ResidentMemory;

/// What a process has of the host's memory beside its guest's RAM, which is a file in memory for both rivals: when
/// Linux has run a first program, and when Debian with systemd asks for a login.
final class MemoryRace {
    private static final Duration LIMIT = Duration.ofMinutes(30);
    private static final String QEMU_RAM = "/memfd:memory-backend-memfd (deleted)";
    private static final String NAME = "measured";

    private final List<String> jvirt;
    private final String engine;
    private final int vcpus;
    private final int memoryMib;
    private final int rounds;
    private final PrintWriter out;
    private final Table table = new Table("resident memory beside guest RAM", "QEMU MiB", "jvirt MiB", "jvirt/QEMU");

    MemoryRace(List<String> jvirt, String engine, int vcpus, int memoryMib, int rounds, PrintWriter out) {
        this.jvirt = jvirt;
        this.engine = engine;
        this.vcpus = vcpus;
        this.memoryMib = memoryMib;
        this.rounds = rounds;
        this.out = out;
    }

    String run(GuestFiles files, Path disk) {
        List<String> store =
                List.of("--name", NAME, "--code-cache", files.codeCache().toString());
        Path initrd = files.initrd("memory", List.of());
        compare(
                "Linux, a first program has run",
                GuestFiles.FINISHED,
                Commands.qemu(files.kernel(), initrd, vcpus, memoryMib),
                with(Commands.jvirt(jvirt, engine, files.kernel(), initrd, vcpus, memoryMib), store));
        compare(
                "Debian with systemd, login prompt",
                SystemdRace.PROMPT,
                SystemdRace.qemu(disk, vcpus, memoryMib),
                with(SystemdRace.jvirt(disk, jvirt, engine, vcpus, memoryMib), store));
        return table.toString();
    }

    private void compare(String what, String words, List<String> qemu, List<String> own) {
        Map<String, List<String>> commands = new LinkedHashMap<>();
        String ram = "memory-backend-memfd,id=ram,share=on,size=%dM".formatted(memoryMib);
        commands.put("QEMU", with(qemu, List.of("-object", ram, "-machine", "memory-backend=ram")));
        commands.put("jvirt", own);
        Map<String, Sample> samples = new LinkedHashMap<>();
        for (int round = 1; round <= rounds; round++) {
            for (Map.Entry<String, List<String>> each : commands.entrySet()) {
                out.printf("%s, round %d of %d: %s%n", what, round, rounds, each.getKey());
                out.flush();
                String file = each.getKey().equals("QEMU") ? QEMU_RAM : ResidentMemory.ramOf(NAME);
                samples.computeIfAbsent(each.getKey(), _ -> new Sample())
                        .add(PowerOn.at(words, each.getValue(), LIMIT, process -> beside(process, file)));
            }
        }
        Sample.compare(
                table, what, Objects.requireNonNull(samples.get("QEMU")), Objects.requireNonNull(samples.get("jvirt")));
    }

    private static double beside(Process process, String ram) {
        try {
            ResidentMemory memory = ResidentMemory.of(process.pid());
            if (memory.mebibytes(ram) == 0) {
                throw new BenchmarkException("No guest RAM '%s' in %s".formatted(ram, memory));
            }
            return memory.mebibytesBeside(ram);
        } catch (IOException e) {
            throw new BenchmarkException("Cannot read what process %d maps: %s".formatted(process.pid(), e), e);
        }
    }

    private static List<String> with(List<String> command, List<String> more) {
        var words = new ArrayList<>(command);
        words.addAll(more);
        return words;
    }
}
