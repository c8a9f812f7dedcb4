package org.jvirt.cli.img;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.jvirt.images.ImageReference;

/// Runs `jvirt img` in this process, and the real qemu-img beside it.
///
/// @param exitCode how it ended
/// @param out      its standard output
/// @param err      its standard error
record Img(int exitCode, String out, String err) {
    /// @param command words; `@name` is a file in the folder
    static Img ours(Path folder, String command) {
        var out = new StringWriter();
        var err = new StringWriter();
        int code = ImgCommand.line(words(folder, command).getFirst())
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(words(folder, command).toArray(String[]::new));
        return new Img(code, out.toString(), err.toString());
    }

    static Img qemus(Path folder, String command) {
        Assumptions.assumeTrue(
                Files.isExecutable(Path.of("/usr/bin/qemu-img")),
                "SKIPPED: qemu-img is missing: apt-get install qemu-utils");
        List<String> words = new ArrayList<>(List.of("qemu-img"));
        words.addAll(words(folder, command));
        try {
            Path errors = Files.createTempFile(folder, "qemu-img", ".err");
            Process process =
                    new ProcessBuilder(words).redirectError(errors.toFile()).start();
            process.getOutputStream().close();
            String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(60, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AssertionError("qemu-img takes too long: " + command);
            }
            String err = Files.readString(errors);
            Files.delete(errors);
            return new Img(process.exitValue(), out, err);
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static List<String> words(Path folder, String command) {
        return List.of(command.replace("@", folder + "/").split(" "));
    }

    /// The JSON that was printed, each leaf by its path.
    Map<String, String> leaves() {
        try {
            return new TreeMap<>(
                    ImageReference.of("json:{\"it\": %s}".formatted(out)).options());
        } catch (RuntimeException e) {
            throw new AssertionError("Not JSON: " + this, e);
        }
    }
}
