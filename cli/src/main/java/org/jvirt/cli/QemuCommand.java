package org.jvirt.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jvirt.cli.launch.Launcher;
import org.jvirt.cli.launch.ProgramVersion;
import org.jvirt.cli.qemu.QemuCommandLine;
import org.jvirt.cli.qemu.QemuCommandLine.Request;
import org.jvirt.machine.cpu.CpuModel;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Unmatched;

/// `jvirt qemu-system-x86_64`: the words behind it are QEMU's, not ours, and picocli passes them on unread.
@Command(
        name = "qemu-system-x86_64",
        description = {
            "Takes QEMU's common options, for scripts and test kernels written for QEMU.",
            "Supported: -machine -accel -cpu -smp -m -kernel -initrd -append -bios -serial -monitor -chardev -device",
            "-drive -blockdev -hda -hdb -hdc -hdd -cdrom -object -mem-path -mem-prealloc -overcommit -numa -rtc -name"
                    + " -D -S -snapshot -no-reboot -no-shutdown -nodefaults -no-user-config",
            "-nographic -display none -vnc none -vga none -net none -enable-kvm --version. Others are refused by name.",
            "-device '?' lists the devices, -cpu '?' the processors."
        })
final class QemuCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    // These two make picocli accept whatever comes; it is read in the order given, from the parse result.
    @SuppressWarnings("UnusedVariable")
    @Parameters(arity = "0..*", paramLabel = "OPTION", description = "QEMU's options.")
    private List<String> parameters = new ArrayList<>();

    @SuppressWarnings("UnusedVariable")
    @Unmatched
    private List<String> unmatched = new ArrayList<>();

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        List<String> words = words();
        if (words.contains("--help") || words.contains("-help") || words.contains("-h")) {
            spec.commandLine().usage(out);
            return 0;
        }
        return switch (new QemuCommandLine().parse(words)) {
            case Request.Run run -> Launcher.run(run.options(), out);
            case Request.PrintVersion() ->
                print(
                        out,
                        "QEMU emulator version 7.2.0 (jvirt %s, a program of its own)%n"
                                .formatted(ProgramVersion.number()));
            case Request.PrintDevices devices -> print(out, devices.list());
            case Request.PrintCpus() -> {
                CpuModel.all().forEach(model -> out.println("x86 " + model.name()));
                yield print(out, "");
            }
            case Request.PrintMachines() ->
                print(
                        out,
                        "Supported machines are:%nq35                  standard PC (Q35 + ICH9) (default)%n"
                                .formatted());
        };
    }

    /// The words behind the command's own name: picocli keeps the whole line.
    private List<String> words() {
        List<String> line = spec.commandLine().getParseResult().originalArgs();
        return line.subList(line.indexOf(spec.name()) + 1, line.size());
    }

    private static int print(PrintWriter out, String text) {
        out.print(text);
        out.flush();
        return 0;
    }
}
