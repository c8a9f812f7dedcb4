package org.jvirt.acceptance;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// This host's programs for guests: copied with the shared libraries that they need.
final class HostPrograms {
    private static final Pattern LIBRARY = Pattern.compile("(/\\S+)");

    private HostPrograms() {}

    /// Copies a program, and the libraries that it needs to where it looks for them.
    ///
    /// @param root of the guest's file system
    static void install(Path program, Path root) throws IOException, InterruptedException {
        copy(program, root);
        libraries(program, root);
    }

    /// Copies the shared libraries that a program needs to where it looks for them.
    static void libraries(Path program, Path root) throws IOException, InterruptedException {
        Matcher library = LIBRARY.matcher(run(List.of("ldd", program.toString())));
        while (library.find()) {
            Path file = Path.of(library.group(1)).normalize();
            boolean known = file.startsWith(root.toRealPath().getParent());
            if (!known && Files.isRegularFile(file)) {
                copy(file, root);
            }
        }
    }

    /// Copies a file to the same place below `root`, if nothing is there.
    static void copy(Path file, Path root) throws IOException {
        Path target = root.resolve(file.toString().substring(1));
        if (!Files.exists(target)) {
            Files.createDirectories(target.getParent());
            Files.copy(file.toRealPath(), target);
        }
    }

    /// Runs a command of the host that must succeed.
    ///
    /// @return what it wrote
    static String run(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes());
        if (process.waitFor() != 0) {
            throw new AssertionError("%s ended with %d:%n%s".formatted(command, process.exitValue(), output));
        }
        return output;
    }
}
