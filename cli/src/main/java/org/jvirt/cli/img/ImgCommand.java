package org.jvirt.cli.img;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/// All verbs.
@Command(
        name = "img",
        mixinStandardHelpOptions = true,
        exitCodeOnInvalidInput = 1,
        description = "Makes, converts, checks and changes disk images, as qemu-img does.",
        synopsisSubcommandLabel = "COMMAND",
        footerHeading = "%nMemory:%n",
        footer = {
            "  Of the map of an open qcow2 image 32 MiB at most are kept (l2-cache-size in --image-opts), of its",
            "  counters 4 MiB, or four clusters where they are larger, and the top tables of both, 40 MiB at most;",
            "  of another format's table of blocks 16 MiB."
        })
public final class ImgCommand implements Runnable {
    private static final Map<String, Supplier<Object>> VERBS = new LinkedHashMap<>();

    static {
        VERBS.put("amend", AmendCommand::new);
        VERBS.put("bench", BenchCommand::new);
        VERBS.put("bitmap", BitmapCommand::new);
        VERBS.put("check", CheckCommand::new);
        VERBS.put("commit", CommitCommand::new);
        VERBS.put("compare", CompareCommand::new);
        VERBS.put("convert", ConvertCommand::new);
        VERBS.put("create", CreateCommand::new);
        VERBS.put("dd", DdCommand::new);
        VERBS.put("info", InfoCommand::new);
        VERBS.put("map", MapCommand::new);
        VERBS.put("measure", MeasureCommand::new);
        VERBS.put("rebase", RebaseCommand::new);
        VERBS.put("resize", ResizeCommand::new);
        VERBS.put("snapshot", SnapshotCommand::new);
    }

    @Spec
    private CommandSpec spec;

    /// What reads the words behind `img`: ready for one verb, or for all where none is named.
    public static CommandLine line(String verb) {
        var line = new CommandLine(new ImgCommand());
        Supplier<Object> named = VERBS.get(verb);
        if (named != null) {
            return line.addSubcommand(verb, named.get());
        }
        VERBS.forEach((name, command) -> line.addSubcommand(name, command.get()));
        return line;
    }

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }
}
