package org.jvirt.cli.image;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.jvirt.cli.launch.DiskOption;
import org.jvirt.cli.launch.MemorySize;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.format.ImageFormat;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `jvirt image build debian`.
@Command(
        name = "debian",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        separator = " ",
        abbreviateSynopsis = true,
        usageHelpWidth = 100,
        description = {
            "Builds a bootable disk of Debian with systemd from this machine's own package sources, without root.",
            "The packages are installed in a virtual machine. Start the result with: jvirt run OUTPUT"
        })
final class DebianImageCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "OUTPUT", description = "The image; an existing file is replaced when all is done.")
    private Path output = Path.of("");

    @Option(
            names = "--size",
            paramLabel = "SIZE",
            defaultValue = "4G",
            description = "Of the disk: 2G, 20G (${DEFAULT-VALUE}). The file takes only what is written.")
    private String size = "";

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            defaultValue = "raw",
            description = "Of the image: raw, qcow2, vmdk, vdi, vpc, vhdx or parallels (${DEFAULT-VALUE}).")
    private String format = "";

    @Option(
            names = "--suite",
            paramLabel = "NAME",
            defaultValue = "bookworm",
            description = "Debian's release by its code name (${DEFAULT-VALUE}).")
    private String suite = "";

    @Option(
            names = "--packages",
            paramLabel = "NAME[,NAME...]",
            split = ",",
            description =
                    "Further packages, and what they depend on. A kernel among them, such as linux-image-amd64 for"
                            + " disks on SATA, takes the place of Debian's cloud kernel.")
    private List<String> packages = new ArrayList<>();

    @Option(
            names = "--hostname",
            paramLabel = "NAME",
            defaultValue = "debian",
            description = "The system's name (${DEFAULT-VALUE}).")
    private String hostname = "";

    @Option(
            names = "--root-password",
            paramLabel = "WORD",
            description = "Lets root log in with it; file:PATH reads it from a file's first line.")
    private @Nullable String rootPassword;

    @Option(
            names = "--ssh-key",
            paramLabel = "FILE",
            description = "A public key that may log in as root through ssh, which is then installed; may be repeated.")
    private List<Path> sshKeys = new ArrayList<>();

    @Option(
            names = "--engine",
            paramLabel = "NAME",
            defaultValue = "auto",
            description = "What the machine that builds runs on: auto, kvm, soft or interpreter (${DEFAULT-VALUE}).")
    private String engine = "";

    @Override
    public Integer call() {
        PrintWriter err = spec.commandLine().getErr();
        long start = System.nanoTime();
        ImageFormat imageFormat = DiskOption.format("--format", format);
        if (imageFormat == ImageFormat.LUKS) {
            throw new UserErrorException("--format: a LUKS image needs a key. Convert it afterwards, with jvirt img.");
        }
        var recipe = new DebianImageRecipe(
                output,
                MemorySize.parse("--size", size),
                suite,
                packages,
                hostname,
                password(),
                sshKeys.stream().map(DebianImageCommand::publicKey).toList(),
                engine);
        if (recipe.rootPassword().isEmpty() && recipe.authorizedKeys().isEmpty()) {
            say(err, start, "Nobody will be able to log in: neither --root-password nor --ssh-key is given");
        }
        new DebianImageBuilder(recipe, line -> say(err, start, line)).build(imageFormat);
        say(err, start, "%s is ready. Start it with: jvirt run %s".formatted(output, output));
        return 0;
    }

    private static void say(PrintWriter err, long start, String line) {
        Duration since = Duration.ofNanos(System.nanoTime() - start);
        err.println("jvirt: %d:%02d %s".formatted(since.toMinutes(), since.toSecondsPart(), line));
        err.flush();
    }

    private Optional<String> password() {
        if (rootPassword == null) {
            return Optional.empty();
        }
        if (!rootPassword.startsWith("file:")) {
            return Optional.of(rootPassword);
        }
        return Optional.of(read("--root-password", Path.of(rootPassword.substring("file:".length())))
                .lines()
                .findFirst()
                .orElse(""));
    }

    private static String publicKey(Path file) {
        String key = read("--ssh-key", file).strip();
        if (key.contains("PRIVATE KEY") || key.lines().count() != 1 || key.split(" ", -1).length < 2) {
            throw new UserErrorException(
                    "--ssh-key: %s does not hold one public key, as id_ed25519.pub does".formatted(file));
        }
        return key;
    }

    private static String read(String option, Path file) {
        try {
            return Files.readString(file, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UserErrorException("%s: cannot read %s: %s".formatted(option, file, e), e);
        }
    }
}
