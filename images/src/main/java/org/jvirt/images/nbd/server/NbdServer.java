package org.jvirt.images.nbd.server;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.StandardSocketOptions;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jvirt.images.nbd.NbdAddress;
import org.jvirt.images.nbd.PlainTransport;

/// Serves disks to NBD clients until it is closed. Thread-safe.
///
/// Each connection has a virtual thread that reads its requests; disks are used by platform threads, for a call
/// of the kernel holds up the thread it is made in. The disks stay the caller's: close them after the server.
public final class NbdServer implements AutoCloseable {
    private static final Logger LOG = System.getLogger(NbdServer.class.getName());

    /// Between attempts to accept a client that the host has no room for.
    private static final long PAUSE_NANOS = 100_000_000;

    private final ServerSettings settings;
    private final ListeningSocket socket;
    private final Semaphore places;
    private final Set<SocketChannel> connected = ConcurrentHashMap.newKeySet();
    private final ExecutorService workers = Executors.newCachedThreadPool(
            Thread.ofPlatform().name("nbd-worker-", 0).daemon().factory());
    private final ScheduledExecutorService deadlines = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("nbd-deadlines").daemon().factory());
    private final AtomicInteger served = new AtomicInteger();
    private final CountDownLatch lastHasLeft = new CountDownLatch(1);
    private final CountDownLatch closed = new CountDownLatch(1);

    private NbdServer(ServerSettings settings, ListeningSocket socket) {
        this.settings = settings;
        this.socket = socket;
        places = new Semaphore(settings.maxConnections());
    }

    /// Listens from now on.
    ///
    /// @throws org.jvirt.core.UserErrorException if it cannot listen there
    public static NbdServer start(NbdAddress address, ServerSettings settings) {
        var server = new NbdServer(settings, ListeningSocket.open(address));
        Thread.ofVirtual().name("nbd-accept").start(server::accept);
        return server;
    }

    /// Where it listens, with the port that was taken for port 0.
    public NbdAddress address() {
        return socket.address();
    }

    /// How many clients have got as far as choosing an export and have not left.
    public int clients() {
        return served.get();
    }

    /// Waits until a client has been served and no other is left, or the server is closed.
    public void awaitLastClient() throws InterruptedException {
        lastHasLeft.await();
    }

    /// Waits until the server is closed.
    public void awaitClose() throws InterruptedException {
        closed.await();
    }

    private void accept() {
        while (socket.channel().isOpen()) {
            try {
                places.acquireUninterruptibly();
                SocketChannel channel = socket.channel().accept();
                connected.add(channel);
                if (!socket.channel().isOpen()) {
                    // Closing has perhaps not seen it.
                    channel.close();
                }
                Thread.ofVirtual().name("nbd-connection").start(() -> serve(channel));
            } catch (ClosedChannelException e) {
                places.release();
                return;
            } catch (IOException e) {
                // Such as too many open files: those who leave make room.
                places.release();
                LOG.log(Level.WARNING, "Cannot accept a client at {0}: {1}", address(), e.getMessage());
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        }
    }

    private void serve(SocketChannel channel) {
        boolean chosen = false;
        try (channel) {
            if (!(address() instanceof NbdAddress.Unix)) {
                channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
                channel.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
            }
            Optional<Handshake.Session> session = handshake(channel);
            if (session.isPresent()) {
                chosen = true;
                served.incrementAndGet();
                new Transmission(session.get(), workers).run();
            }
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "A client at {0} has left: {1}", address(), e.getMessage());
        } finally {
            connected.remove(channel);
            places.release();
            if (chosen && served.decrementAndGet() == 0) {
                lastHasLeft.countDown();
            }
        }
    }

    private Optional<Handshake.Session> handshake(SocketChannel channel) throws IOException {
        Future<?> deadline = deadlines.schedule(
                () -> {
                    try {
                        channel.close();
                    } catch (IOException e) {
                        LOG.log(Level.DEBUG, "Closing a silent client failed: {0}", e.getMessage());
                    }
                },
                settings.handshakeTimeout().toMillis(),
                TimeUnit.MILLISECONDS);
        try {
            return new Handshake(settings, new PlainTransport(channel)).run();
        } finally {
            deadline.cancel(false);
        }
    }

    /// Stops listening, cuts all connections, and waits for what is under way on the disks.
    @Override
    public void close() throws IOException {
        socket.close();
        for (SocketChannel channel : connected) {
            channel.close();
        }
        deadlines.shutdownNow();
        places.acquireUninterruptibly(settings.maxConnections());
        places.release(settings.maxConnections());
        workers.shutdown();
        lastHasLeft.countDown();
        closed.countDown();
    }
}
