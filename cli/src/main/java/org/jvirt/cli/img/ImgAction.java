package org.jvirt.cli.img;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jvirt.cli.launch.HostObjects;
import org.jvirt.core.JvirtException;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.ImageAccess;
import org.jvirt.images.file.CacheMode;
import org.jvirt.images.format.ImageFormat;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// What the verbs share. A failure is one line and exit code 1, as with qemu-img, unless the verb says otherwise.
abstract class ImgAction implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(
            names = "--object",
            paramLabel = "OBJECT",
            description = "A key: secret,id=NAME,file=PATH or secret,id=NAME,data=TEXT[,format=base64];"
                    + " certificates: tls-creds-x509,id=NAME,dir=FOLDER.")
    private List<String> objects = new ArrayList<>();

    @Option(
            names = "--allow-network-backing",
            description = "Let images name served disks (nbd://…) as the layers below them.")
    private boolean networkBacking;

    @Option(names = "-q", description = "Print nothing but errors.")
    private boolean quiet;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help.")
    @SuppressWarnings("UnusedVariable") // picocli acts on it
    private boolean help;

    /// @return the exit code
    abstract int perform() throws IOException;

    int failureCode() {
        return 1;
    }

    @Override
    public final Integer call() throws IOException {
        try {
            return perform();
        } catch (JvirtException | IOException e) {
            if (spec.commandLine().getParseResult().hasMatchedOption("--debug")) {
                e.printStackTrace(err());
            }
            fail(String.valueOf(e.getMessage()));
            return failureCode();
        } finally {
            out().flush();
        }
    }

    final void fail(String message) {
        out().flush();
        err().println("%s: %s".formatted(spec.qualifiedName(), message));
        err().flush();
    }

    /// The words of the command line, for verbs to which their order matters.
    final List<String> arguments() {
        return spec.commandLine().getParseResult().originalArgs();
    }

    final PrintWriter out() {
        return spec.commandLine().getOut();
    }

    final PrintWriter err() {
        return spec.commandLine().getErr();
    }

    /// Prints a line unless there is to be quiet.
    final void say(String line) {
        if (!quiet) {
            out().println(line);
        }
    }

    final boolean quiet() {
        return quiet;
    }

    /// The way to images with the keys that were given.
    final ImageAccess access() {
        HostObjects given = HostObjects.all(objects);
        return (networkBacking ? given.allowingNetworkBacking() : given).access();
    }

    static CacheMode cache(String option, String name) {
        return CacheMode.named(name)
                .orElseThrow(() -> new UserErrorException(
                        "%s: '%s' is no cache mode; write writeback, none, writethrough, directsync or unsafe"
                                .formatted(option, name)));
    }

    static ImageFormat format(String option, String name) {
        return ImageFormat.named(name)
                .orElseThrow(() -> new UserErrorException("%s: format '%s' is none of %s"
                        .formatted(option, name, String.join(", ", ImageFormat.names()))));
    }

    /// Whether `--output` asks for JSON.
    static boolean isJson(String output) {
        return switch (output) {
            case "json" -> true;
            case "human" -> false;
            default -> throw new UserErrorException("--output: '%s' is neither json nor human".formatted(output));
        };
    }

    /// A progress that shows on standard output as qemu-img's `-p` does.
    final ProgressLine progress(boolean wanted) {
        return new ProgressLine(out(), wanted && !quiet);
    }
}
