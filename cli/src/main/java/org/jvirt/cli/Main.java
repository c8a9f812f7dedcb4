package org.jvirt.cli;

import java.io.PrintWriter;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jvirt.cli.image.ImageCommand;
import org.jvirt.cli.img.ImgCommand;
import org.jvirt.cli.nbd.NbdCommand;
import org.jvirt.core.HostFailureException;
import org.jvirt.core.JvirtException;
import org.jvirt.core.UserErrorException;
import org.jvirt.machine.ExitCodes;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/// Where the program begins.
@Command(
        name = "jvirt",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = "Virtual machines wherever Java runs.",
        synopsisSubcommandLabel = "COMMAND")
public final class Main implements Runnable {
    /// The commands, in the order in which help shows them.
    private static final Map<String, Supplier<Object>> COMMANDS = new LinkedHashMap<>();

    static {
        COMMANDS.put("run", RunCommand::new);
        COMMANDS.put("doctor", DoctorCommand::new);
        COMMANDS.put("qemu-system-x86_64", QemuCommand::new);
        COMMANDS.put("image", ImageCommand::new);
        COMMANDS.put("nbd", NbdCommand::new);
    }

    @Spec
    private CommandSpec spec;

    @Option(names = "--debug", scope = ScopeType.INHERIT, description = "Show stack traces with errors.")
    private boolean debug;

    public static void main(String[] arguments) {
        // A virtual machine's threads are daemons or have ended by now; exit makes the code count in any case.
        System.exit(run(arguments));
    }

    /// Runs one command.
    ///
    /// @return the exit code, see [ExitCodes]
    static int run(String... arguments) {
        var main = new Main();
        List<String> words = Arrays.asList(arguments);
        return line(main, words)
                .setExecutionExceptionHandler((exception, line, parsed) -> main.report(exception, line))
                .setParameterExceptionHandler((exception, args) -> usage(exception, words.contains("--debug")))
                .execute(arguments);
    }

    /// What reads the command line. Making a command ready costs a start more than most commands take: where one is
    /// named, it is the only one.
    private static CommandLine line(Main main, List<String> words) {
        var line = new CommandLine(main);
        String first = words.isEmpty() ? "" : words.getFirst();
        if (first.equals("img")) {
            return line.addSubcommand("img", ImgCommand.line(words.size() > 1 ? words.get(1) : ""));
        }
        Supplier<Object> named = COMMANDS.get(first);
        if (named != null) {
            return line.addSubcommand(first, named.get());
        }
        COMMANDS.forEach((name, command) -> line.addSubcommand(name, command.get()));
        return line.addSubcommand("img", ImgCommand.line(""));
    }

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }

    private int report(Exception exception, CommandLine line) {
        PrintWriter err = line.getErr();
        if (exception instanceof JvirtException known) {
            err.println("jvirt: " + exception.getMessage());
            if (debug) {
                exception.printStackTrace(err);
            }
            return switch (known) {
                case UserErrorException user -> ExitCodes.USER_ERROR;
                case HostFailureException host -> ExitCodes.HOST_FAILURE;
            };
        }
        err.println("jvirt: this is a bug in jvirt, please report it with what follows");
        exception.printStackTrace(err);
        return ExitCodes.BUG;
    }

    private static int usage(ParameterException exception, boolean debug) {
        CommandLine line = exception.getCommandLine();
        PrintWriter err = line.getErr();
        err.println("jvirt: " + exception.getMessage());
        if (debug) {
            exception.printStackTrace(err);
        }
        CommandLine.UnmatchedArgumentException.printSuggestions(exception, err);
        err.println("See '%s --help'.".formatted(line.getCommandSpec().qualifiedName()));
        int own = line.getCommandSpec().exitCodeOnInvalidInput();
        return own == CommandLine.ExitCode.USAGE ? ExitCodes.USER_ERROR : own;
    }
}
