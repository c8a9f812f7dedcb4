package org.jvirt.cli.img;

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
        subcommands = {
            AmendCommand.class,
            BenchCommand.class,
            BitmapCommand.class,
            CheckCommand.class,
            CommitCommand.class,
            CompareCommand.class,
            ConvertCommand.class,
            CreateCommand.class,
            DdCommand.class,
            InfoCommand.class,
            MapCommand.class,
            MeasureCommand.class,
            RebaseCommand.class,
            ResizeCommand.class,
            SnapshotCommand.class
        })
public final class ImgCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }
}
