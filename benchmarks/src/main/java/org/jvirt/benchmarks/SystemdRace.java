package org.jvirt.benchmarks;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// From the start of the process to the login prompt of Debian with systemd: firmware, boot loader, kernel,
/// services.
final class SystemdRace {
    static final String PROMPT = " login: ";
    private static final Duration LIMIT = Duration.ofMinutes(30);

    private SystemdRace() {}

    static String run(
            Path disk, List<String> jvirt, String engine, int vcpus, int memoryMib, int rounds, PrintWriter out) {
        Map<String, List<String>> commands = new LinkedHashMap<>();
        commands.put("QEMU", qemu(disk, vcpus, memoryMib));
        commands.put("jvirt", jvirt(disk, jvirt, engine, vcpus, memoryMib));
        Map<String, Sample> times = new LinkedHashMap<>();
        for (int round = 1; round <= rounds; round++) {
            for (Map.Entry<String, List<String>> each : commands.entrySet()) {
                out.printf("round %d of %d: %s%n", round, rounds, each.getKey());
                out.flush();
                times.computeIfAbsent(each.getKey(), _ -> new Sample())
                        .add(PowerOn.secondsTo(PROMPT, each.getValue(), LIMIT));
            }
        }
        var table = new Table("Debian with systemd", "QEMU s", "jvirt s", "jvirt/QEMU");
        Sample.compare(
                table,
                "power-on to login prompt",
                Objects.requireNonNull(times.get("QEMU")),
                Objects.requireNonNull(times.get("jvirt")));
        return table.toString();
    }

    static List<String> qemu(Path disk, int vcpus, int memoryMib) {
        return List.of(
                Commands.QEMU,
                "-machine",
                "q35",
                "-accel",
                "tcg",
                "-cpu",
                "max",
                "-smp",
                Integer.toString(vcpus),
                "-m",
                Integer.toString(memoryMib),
                "-nodefaults",
                "-no-user-config",
                "-display",
                "none",
                "-serial",
                "stdio",
                "-drive",
                "file=" + disk + ",format=raw,if=virtio,snapshot=on");
    }

    static List<String> jvirt(Path disk, List<String> program, String engine, int vcpus, int memoryMib) {
        var words = new ArrayList<>(program);
        words.addAll(List.of(
                "run",
                disk.toString(),
                "--snapshot",
                "--engine",
                engine,
                "--cpu",
                "max",
                "--cpus",
                Integer.toString(vcpus),
                "--memory",
                memoryMib + "M"));
        return words;
    }
}
