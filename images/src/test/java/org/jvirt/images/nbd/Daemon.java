package org.jvirt.images.nbd;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// A server of another make, until it is closed.
record Daemon(Process process) implements Closeable {
    /// @param socket that it makes when it is ready
    static Daemon start(Path folder, Path socket, List<String> command) throws IOException, InterruptedException {
        Path output = folder.resolve("daemon.out");
        Process process = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (!Files.exists(socket)) {
            if (process.waitFor(10, TimeUnit.MILLISECONDS) || System.nanoTime() > end) {
                throw new AssertionError(command + ": " + Files.readString(output));
            }
        }
        return new Daemon(process);
    }

    void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    @Override
    public void close() throws IOException {
        process.destroy();
        try {
            if (!process.waitFor(20, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }
}
