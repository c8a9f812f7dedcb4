package org.jvirt.images.nbd;

import java.io.Closeable;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import org.jvirt.images.DiskImages;
import org.jvirt.images.ImageAccess;
import org.jvirt.images.ImageOpening;
import org.jvirt.images.ImageReference;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.nbd.server.NbdExport;
import org.jvirt.images.nbd.server.NbdServer;
import org.jvirt.images.nbd.server.ServerSettings;

/// A server in this process, on a Unix socket in a test's folder.
record Served(Path socket, NbdServer server, Closeable disk) implements Closeable {
    static Path rawFile(Path folder, long bytes) throws IOException {
        Path file = folder.resolve("disk.raw");
        try (var made = new RandomAccessFile(file.toFile(), "rw")) {
            made.setLength(bytes);
        }
        return file;
    }

    /// An image under the empty name.
    static Served image(Path folder, Path file, ImageFormat format, boolean readOnly) {
        DiskImage image = DiskImages.open(file, format, readOnly);
        return exports(folder, image::close, NbdExport.ofImage("", "a disk", image, true, java.util.List.of(), true));
    }

    static Served exports(Path folder, Closeable disk, NbdExport... exports) {
        return settings(folder, disk, ServerSettings.of(exports));
    }

    static Served settings(Path folder, Closeable disk, ServerSettings settings) {
        Path socket = folder.resolve("nbd.sock");
        return new Served(socket, NbdServer.start(new NbdAddress.Unix(socket), settings), disk);
    }

    String uri() {
        return "nbd+unix:///?socket=" + socket;
    }

    DiskImage open() {
        return open(uri(), ImageFormat.RAW);
    }

    static DiskImage open(String uri, ImageFormat format) {
        return new ImageAccess().open(ImageReference.of(uri), java.util.Optional.of(format), ImageOpening.writing());
    }

    SocketChannel connect() throws IOException {
        return SocketChannel.open(UnixDomainSocketAddress.of(socket));
    }

    @Override
    public void close() throws IOException {
        server.close();
        disk.close();
    }
}
