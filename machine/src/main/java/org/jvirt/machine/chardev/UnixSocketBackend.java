package org.jvirt.machine.chardev;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.UserErrorException;

/// Listens on a Unix socket, private to the user, and serves one client at a time; without a client the guest's
/// output is lost, as on an unplugged wire.
public final class UnixSocketBackend extends BufferedBackend {
    private static final Logger LOG = System.getLogger(UnixSocketBackend.class.getName());

    private final Path path;
    private final ServerSocketChannel server;
    private volatile @Nullable SocketChannel client;

    private UnixSocketBackend(Path path, ServerSocketChannel server) {
        super("serial-" + path.getFileName());
        this.path = path;
        this.server = server;
    }

    /// @throws UserErrorException if the socket cannot be made
    public static UnixSocketBackend listen(Path path) {
        try {
            ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
            try {
                removeStale(path);
                server.bind(UnixDomainSocketAddress.of(path));
                Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
            } catch (IOException | RuntimeException e) {
                server.close();
                throw e;
            }
            var backend = new UnixSocketBackend(path, server);
            backend.startWriter();
            Thread.ofVirtual().name("serial-" + path.getFileName() + "-in").start(backend::serve);
            return backend;
        } catch (IOException | UnsupportedOperationException | IllegalArgumentException e) {
            throw new UserErrorException("Cannot listen on the Unix socket %s: %s".formatted(path, e.getMessage()), e);
        }
    }

    /// A socket file that nobody listens on any more is in the way of a new one.
    private static void removeStale(Path path) throws IOException {
        if (!Files.exists(path) || Files.isRegularFile(path) || Files.isDirectory(path)) {
            return;
        }
        try (SocketChannel probe = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            throw new IOException("another program listens there" + (probe.isOpen() ? "" : " no longer"));
        } catch (ConnectException e) {
            Files.delete(path);
        }
    }

    private void serve() {
        while (server.isOpen()) {
            try (SocketChannel accepted = server.accept()) {
                client = accepted;
                readAll(accepted);
            } catch (IOException e) {
                LOG.log(Level.DEBUG, "{0}: the client or the socket went away: {1}", path, e.getMessage());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            } finally {
                client = null;
            }
        }
    }

    private void readAll(SocketChannel from) throws IOException, InterruptedException {
        var buffer = ByteBuffer.allocate(4096);
        while (from.read(buffer) >= 0) {
            deliver(buffer.array(), 0, buffer.position());
            buffer.clear();
        }
    }

    @Override
    protected void send(byte[] bytes, int length) throws IOException {
        SocketChannel to = client;
        if (to == null) {
            throw new IOException("no client is connected");
        }
        var buffer = ByteBuffer.wrap(bytes, 0, length);
        while (buffer.hasRemaining()) {
            to.write(buffer);
        }
    }

    @Override
    protected void release() {
        try {
            server.close();
            SocketChannel connected = client;
            if (connected != null) {
                connected.close();
            }
            Files.deleteIfExists(path);
        } catch (IOException e) {
            LOG.log(Level.WARNING, "Closing {0} failed: {1}", path, e);
        }
    }
}
