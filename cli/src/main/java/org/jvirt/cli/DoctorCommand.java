package org.jvirt.cli;

import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import org.jvirt.cli.doctor.Doctor;
import org.jvirt.cli.doctor.Finding;
import org.jvirt.cli.doctor.HostFiles;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/// `jvirt doctor`.
@Command(
        name = "doctor",
        mixinStandardHelpOptions = true,
        description = "Says what this host offers to virtual machines, and what to do about what is missing.")
final class DoctorCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        List<Finding> findings = new Doctor(HostFiles.real()).examine();
        int width = findings.stream().mapToInt(f -> f.subject().length()).max().orElse(0);
        String indent = " ".repeat(width + 8);
        for (Finding finding : findings) {
            out.printf("%s  %s  %s%n", finding.grade().label(), pad(finding.subject(), width), finding.detail());
            if (!finding.remedy().isEmpty()) {
                out.printf("%s-> %s%n", indent, finding.remedy());
            }
        }
        out.flush();
        return 0;
    }

    private static String pad(String text, int width) {
        return text + " ".repeat(width - text.length());
    }
}
