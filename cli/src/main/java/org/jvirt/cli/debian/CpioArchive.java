package org.jvirt.cli.debian;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/// Writes the archive that Linux unpacks as its initial root file system: cpio, "newc" format.
///
/// Source: Linux, Documentation/driver-api/early-userspace/buffer-format.rst. Not thread-safe.
public final class CpioArchive implements AutoCloseable {
    private static final int DIRECTORY = 0040000;
    private static final int REGULAR = 0100000;
    private static final int SYMBOLIC_LINK = 0120000;
    private static final int CHARACTER_DEVICE = 0020000;

    private final OutputStream out;
    private int inode = 1;

    public CpioArchive(OutputStream out) {
        this.out = out;
    }

    public void directory(String path, int permissions) throws IOException {
        entry(path, DIRECTORY | permissions, new byte[0], 0, 0);
    }

    public void file(String path, int permissions, byte[] content) throws IOException {
        entry(path, REGULAR | permissions, content, 0, 0);
    }

    public void link(String path, String target) throws IOException {
        entry(path, SYMBOLIC_LINK | 0777, target.getBytes(StandardCharsets.UTF_8), 0, 0);
    }

    public void characterDevice(String path, int permissions, int major, int minor) throws IOException {
        entry(path, CHARACTER_DEVICE | permissions, new byte[0], major, minor);
    }

    /// Writes the trailer and closes the stream.
    @Override
    public void close() throws IOException {
        entry("TRAILER!!!", 0, new byte[0], 0, 0);
        out.close();
    }

    private void entry(String path, int mode, byte[] content, int deviceMajor, int deviceMinor) throws IOException {
        byte[] name = path.getBytes(StandardCharsets.UTF_8);
        var entry = new ByteArrayOutputStream(128 + name.length + content.length);
        int links = (mode & DIRECTORY) != 0 ? 2 : 1;
        int[] fields = {
            inode++, mode, 0, 0, links, 0, content.length, 0, 0, deviceMajor, deviceMinor, name.length + 1, 0
        };
        entry.writeBytes("070701".getBytes(StandardCharsets.US_ASCII));
        for (int field : fields) {
            entry.writeBytes(String.format(Locale.ROOT, "%08X", field).getBytes(StandardCharsets.US_ASCII));
        }
        entry.writeBytes(name);
        entry.write(0);
        pad(entry);
        entry.writeBytes(content);
        pad(entry);
        entry.writeTo(out);
    }

    private static void pad(ByteArrayOutputStream entry) {
        while (entry.size() % 4 != 0) {
            entry.write(0);
        }
    }
}
