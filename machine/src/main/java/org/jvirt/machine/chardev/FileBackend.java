package org.jvirt.machine.chardev;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jvirt.core.UserErrorException;

/// Writes what the guest says to a file, replacing what was there; gives no input.
public final class FileBackend extends BufferedBackend {
    private final OutputStream out;

    private FileBackend(Path file, OutputStream out) {
        super("serial-" + file.getFileName());
        this.out = out;
    }

    /// @throws UserErrorException if the file cannot be written
    public static FileBackend open(Path file) {
        try {
            var backend = new FileBackend(file, Files.newOutputStream(file));
            backend.startWriter();
            return backend;
        } catch (IOException e) {
            throw new UserErrorException("Cannot write the serial line to %s: %s".formatted(file, e), e);
        }
    }

    @Override
    protected void send(byte[] bytes, int length) throws IOException {
        out.write(bytes, 0, length);
    }

    @Override
    protected void release() {
        try {
            out.close();
        } catch (IOException e) {
            System.getLogger(FileBackend.class.getName())
                    .log(System.Logger.Level.WARNING, "Closing a serial line's file failed: " + e);
        }
    }
}
