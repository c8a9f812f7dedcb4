package org.jvirt.cli.image;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/// `jvirt image`: disks with a system on them.
@Command(
        name = "image",
        mixinStandardHelpOptions = true,
        description = "Makes disks with an operating system on them.",
        synopsisSubcommandLabel = "COMMAND",
        subcommands = ImageCommand.Build.class)
public final class ImageCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }

    /// `jvirt image build`.
    @Command(
            name = "build",
            mixinStandardHelpOptions = true,
            description = "Builds a bootable disk.",
            synopsisSubcommandLabel = "SYSTEM",
            subcommands = DebianImageCommand.class)
    static final class Build implements Runnable {
        @Spec
        private CommandSpec spec;

        @Override
        public void run() {
            spec.commandLine().usage(spec.commandLine().getOut());
        }
    }
}
