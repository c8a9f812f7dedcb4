package org.jvirt.benchmarks;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jvirt.testkit.TinyKernel;

/// A whole process around a guest of three instructions: what starting costs.
final class StartRace {
    private static final int VALUE = 0x10;
    private static final int EXIT_CODE = 2 * VALUE + 1;

    private StartRace() {}

    static String run(Path directory, List<String> jvirt, int rounds) {
        // mov al, VALUE; out 0xf4, al; hlt
        Path kernel = TinyKernel.write(directory.resolve("tiny"), 0xb0, VALUE, 0xe6, 0xf4, 0xf4);
        List<String> words = List.of(
                "-accel",
                "tcg",
                "-m",
                "64",
                "-nodefaults",
                "-no-user-config",
                "-display",
                "none",
                "-no-reboot",
                "-device",
                "isa-debug-exit,iobase=0xf4,iosize=4",
                "-kernel",
                kernel.toString());
        Map<String, List<String>> commands = new LinkedHashMap<>();
        commands.put("QEMU", join(List.of(Commands.QEMU), words));
        commands.put("jvirt", join(join(jvirt, List.of(Commands.QEMU)), words));
        Map<String, Sample> times = new LinkedHashMap<>();
        // One round more than counted: files come into the host's cache.
        for (int round = 0; round <= rounds; round++) {
            for (Map.Entry<String, List<String>> each : commands.entrySet()) {
                TimedProcess process = TimedProcess.run(each.getValue(), Rival.LIMIT);
                if (process.exitCode() != EXIT_CODE) {
                    throw new BenchmarkException("%s ended with %d instead of %d:%n%s"
                            .formatted(each.getValue(), process.exitCode(), EXIT_CODE, process.text()));
                }
                if (round > 0) {
                    times.computeIfAbsent(each.getKey(), _ -> new Sample()).add(process.seconds());
                }
            }
        }
        var table = new Table("start", "QEMU s", "jvirt s", "jvirt/QEMU");
        Sample.compare(
                table,
                "whole process, three guest instructions",
                Objects.requireNonNull(times.get("QEMU")),
                Objects.requireNonNull(times.get("jvirt")));
        return table.toString();
    }

    private static List<String> join(List<String> first, List<String> second) {
        var all = new ArrayList<>(first);
        all.addAll(second);
        return all;
    }
}
