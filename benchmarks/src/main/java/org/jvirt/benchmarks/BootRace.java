package org.jvirt.benchmarks;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// From the start of the process to the first line of the first user-space program, and to the process's end.
final class BootRace {
    private BootRace() {}

    static String run(
            GuestFiles files,
            List<String> jvirt,
            String engine,
            int vcpus,
            int memoryMib,
            int rounds,
            PrintWriter out) {
        Path initrd = files.initrd("boot", List.of());
        Map<String, List<String>> commands = new LinkedHashMap<>();
        commands.put("QEMU", Commands.qemu(files.kernel(), initrd, vcpus, memoryMib));
        List<String> plain = Commands.jvirt(jvirt, engine, files.kernel(), initrd, vcpus, memoryMib);
        commands.put("jvirt", with(plain, "--code-cache", "off"));
        List<String> warm = with(plain, "--code-cache", files.codeCache().toString());
        commands.put("jvirt, warm", warm);
        // fills the store
        TimedProcess.run(warm, Rival.LIMIT).secondsTo(GuestFiles.FINISHED);
        Map<String, Sample> toUser = new LinkedHashMap<>();
        Map<String, Sample> toEnd = new LinkedHashMap<>();
        for (int round = 1; round <= rounds; round++) {
            for (Map.Entry<String, List<String>> each : commands.entrySet()) {
                out.printf("round %d of %d: %s%n", round, rounds, each.getKey());
                out.flush();
                TimedProcess process = TimedProcess.run(each.getValue(), Rival.LIMIT);
                process.secondsTo(GuestFiles.FINISHED);
                toUser.computeIfAbsent(each.getKey(), _ -> new Sample()).add(process.secondsTo(GuestFiles.USER_SPACE));
                toEnd.computeIfAbsent(each.getKey(), _ -> new Sample()).add(process.seconds());
            }
        }
        var table = new Table("boot of Debian's cloud kernel", "QEMU s", "jvirt s", "jvirt/QEMU");
        for (String kept : List.of("jvirt", "jvirt, warm")) {
            String how = kept.equals("jvirt") ? "" : ", with translations kept from an earlier run";
            compare(table, "to user space" + how, toUser, kept);
            compare(table, "to the end of the process" + how, toEnd, kept);
        }
        return table.toString();
    }

    private static List<String> with(List<String> command, String... more) {
        var words = new ArrayList<>(command);
        words.addAll(List.of(more));
        return words;
    }

    private static void compare(Table table, String what, Map<String, Sample> samples, String jvirt) {
        Sample.compare(
                table, what, Objects.requireNonNull(samples.get("QEMU")), Objects.requireNonNull(samples.get(jvirt)));
    }
}
