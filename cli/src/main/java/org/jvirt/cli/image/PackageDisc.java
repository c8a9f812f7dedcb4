package org.jvirt.cli.image;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// A read-only disc of Debian packages, for a guest to install from.
///
/// Their files are unpacked here already (a `data.tar` instead of a `data.tar.xz`): the host does that many times
/// faster than an emulated processor. dpkg takes both, see deb(5).
final class PackageDisc {
    private static final byte[] AR_MAGIC = "!<arch>\n".getBytes(StandardCharsets.US_ASCII);
    private static final int AR_HEADER_BYTES = 60;
    private static final int AR_SIZE_AT = 48;
    private static final int AR_SIZE_DIGITS = 10;

    /// A package on the disc.
    ///
    /// @param fileName      as Linux shows it
    /// @param dataTarOffset where in the file the tar archive of the package's files begins
    record Entry(PackageFile source, String fileName, long dataTarOffset) {}

    private PackageDisc() {}

    /// Writes the disc.
    ///
    /// @param target must not exist
    /// @return the packages in the order given
    static List<Entry> write(Path target, List<PackageFile> packages) throws IOException {
        var entries = new ArrayList<Entry>();
        try (var disc = new Iso9660Writer(target, "JVIRT_PACKAGES", packages.size())) {
            for (PackageFile source : packages) {
                String name = "P%05d.DEB".formatted(entries.size());
                var offset = new long[1];
                disc.file(name, output -> offset[0] = copy(source.file(), output));
                entries.add(new Entry(source, name.toLowerCase(Locale.ROOT), offset[0]));
            }
            disc.finish();
        }
        return List.copyOf(entries);
    }

    /// @return where the files' archive begins
    private static long copy(Path deb, Iso9660Writer.PositionedOutput output) throws IOException {
        OutputStream out = output.stream();
        try (var in = new DataInputStream(Files.newInputStream(deb))) {
            byte[] magic = in.readNBytes(AR_MAGIC.length);
            if (!Arrays.equals(magic, AR_MAGIC)) {
                throw new IOException(deb + " is not a Debian package");
            }
            out.write(magic);
            while (true) {
                var header = new byte[AR_HEADER_BYTES];
                in.readFully(header);
                String name = text(header, 0, 16);
                if (name.startsWith("data.tar")) {
                    return data(deb, header, output);
                }
                long bytes = Long.parseLong(text(header, AR_SIZE_AT, AR_SIZE_DIGITS));
                out.write(header);
                copyExactly(in, out, bytes + (bytes & 1));
            }
        } catch (EOFException | NumberFormatException e) {
            throw new IOException(deb + " is a damaged Debian package", e);
        }
    }

    private static long data(Path deb, byte[] header, Iso9660Writer.PositionedOutput output) throws IOException {
        byte[] name = String.format(Locale.ROOT, "%-16s", "data.tar").getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(name, 0, header, 0, name.length);
        long headerAt = output.position();
        OutputStream out = output.stream();
        out.write(header);
        long start = output.position();
        tar(deb, out);
        long bytes = output.position() - start;
        output.replace(
                headerAt + AR_SIZE_AT,
                String.format(Locale.ROOT, "%-" + AR_SIZE_DIGITS + "d", bytes).getBytes(StandardCharsets.US_ASCII));
        if ((bytes & 1) != 0) {
            out.write('\n');
        }
        return start;
    }

    private static void tar(Path deb, OutputStream out) throws IOException {
        Process process = new ProcessBuilder("dpkg-deb", "--fsys-tarfile", deb.toString())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        process.getOutputStream().close();
        try (InputStream in = process.getInputStream()) {
            in.transferTo(out);
            if (process.waitFor() != 0) {
                throw new IOException("dpkg-deb cannot read %s: it ended with %d".formatted(deb, process.exitValue()));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("Interrupted while dpkg-deb read " + deb, e);
        } finally {
            process.destroy();
        }
    }

    private static void copyExactly(InputStream in, OutputStream out, long bytes) throws IOException {
        byte[] content = in.readNBytes(Math.toIntExact(bytes));
        if (content.length != bytes) {
            throw new EOFException();
        }
        out.write(content);
    }

    private static String text(byte[] header, int at, int length) {
        return new String(header, at, length, StandardCharsets.US_ASCII).strip();
    }
}
