package org.jvirt.images.nbd.server;

import java.io.Closeable;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.nbd.NbdAddress;

/// A socket that clients connect to. A Unix socket is private to the user from its first moment on, and goes when
/// it is closed.
///
/// @param address with the port that was taken where none was asked for
record ListeningSocket(NbdAddress address, ServerSocketChannel channel) implements Closeable {
    private static final int BACKLOG = 128;

    /// @throws UserErrorException if it cannot be made
    static ListeningSocket open(NbdAddress address) {
        try {
            return switch (address) {
                case NbdAddress.Unix(Path path) -> unix(path);
                case NbdAddress.Tcp tcp -> tcp(tcp);
            };
        } catch (FileSystemException e) {
            throw new UserErrorException(
                    "Cannot listen on %s: %s".formatted(address, e.getReason() == null ? e : e.getReason()), e);
        } catch (IOException | IllegalArgumentException e) {
            throw new UserErrorException("Cannot listen on %s: %s".formatted(address, e.getMessage()), e);
        }
    }

    private static ListeningSocket tcp(NbdAddress.Tcp tcp) throws IOException {
        var wanted = new InetSocketAddress(tcp.host(), tcp.port());
        if (wanted.isUnresolved()) {
            throw new IOException("there is no host of this name");
        }
        ServerSocketChannel channel = ServerSocketChannel.open();
        try {
            channel.setOption(StandardSocketOptions.SO_REUSEADDR, true);
            channel.bind(wanted, BACKLOG);
            int port = channel.getLocalAddress() instanceof InetSocketAddress bound ? bound.getPort() : tcp.port();
            return new ListeningSocket(new NbdAddress.Tcp(tcp.host(), port), channel);
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    /// Between the making of a socket and the setting of its permissions others could connect: it is made in a
    /// folder that is closed to them, and moved to its place when it is private.
    private static ListeningSocket unix(Path path) throws IOException {
        Path place = path.toAbsolutePath();
        refuseInUse(path);
        Path nursery = Files.createTempDirectory(
                place.getParent(),
                ".nbd",
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            Path made = nursery.resolve("s");
            channel.bind(UnixDomainSocketAddress.of(made), BACKLOG);
            Files.setPosixFilePermissions(made, PosixFilePermissions.fromString("rw-------"));
            Files.move(made, place, StandardCopyOption.ATOMIC_MOVE);
            return new ListeningSocket(new NbdAddress.Unix(path), channel);
        } catch (IOException e) {
            channel.close();
            Files.deleteIfExists(nursery.resolve("s"));
            throw e;
        } finally {
            Files.deleteIfExists(nursery);
        }
    }

    /// A socket that nobody listens on any more may be replaced; nothing else may.
    private static void refuseInUse(Path path) throws IOException {
        if (!Files.exists(path)) {
            return;
        }
        if (Files.isRegularFile(path) || Files.isDirectory(path)) {
            throw new IOException("something else of this name is there");
        }
        try (SocketChannel probe = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            throw new IOException("another program listens there" + (probe.isOpen() ? "" : " no longer"));
        } catch (ConnectException e) {
            Files.delete(path);
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
        if (address instanceof NbdAddress.Unix(Path path)) {
            Files.deleteIfExists(path);
        }
    }
}
