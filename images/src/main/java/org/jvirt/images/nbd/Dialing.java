package org.jvirt.images.nbd;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/// Makes connections, in bounded time.
final class Dialing {
    private Dialing() {}

    /// What is done with a new connection until it is of use.
    @FunctionalInterface
    interface Greeting<T> {
        T greet(Transport transport) throws IOException;
    }

    /// Connects and greets; closes the connection if that fails or takes too long.
    static <T> T dial(NbdAddress address, Duration timeout, Greeting<T> greeting) throws IOException {
        List<SocketAddress> places = places(address);
        for (int i = 0; ; i++) {
            try {
                return dial(places.get(i), timeout, greeting);
            } catch (java.net.ConnectException e) {
                if (i + 1 >= places.size()) {
                    throw e;
                }
            }
        }
    }

    private static List<SocketAddress> places(NbdAddress address) throws UnknownHostException {
        return switch (address) {
            case NbdAddress.Unix(var path) -> List.of(UnixDomainSocketAddress.of(path));
            case NbdAddress.Tcp(String host, int port) -> {
                List<SocketAddress> places = new ArrayList<>();
                for (InetAddress each : InetAddress.getAllByName(host)) {
                    places.add(new InetSocketAddress(each, port));
                }
                yield places;
            }
        };
    }

    private static <T> T dial(SocketAddress place, Duration timeout, Greeting<T> greeting) throws IOException {
        SocketChannel channel = place instanceof UnixDomainSocketAddress
                ? SocketChannel.open(java.net.StandardProtocolFamily.UNIX)
                : SocketChannel.open();
        var late = new AtomicBoolean();
        var deadline = CompletableFuture.runAsync(
                () -> {
                    late.set(true);
                    closeQuietly(channel, new IOException());
                },
                CompletableFuture.delayedExecutor(timeout.toMillis(), TimeUnit.MILLISECONDS));
        try {
            channel.connect(place);
            if (place instanceof InetSocketAddress) {
                channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
                channel.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
            }
            T result = greeting.greet(new PlainTransport(channel));
            deadline.cancel(false);
            return result;
        } catch (IOException | RuntimeException e) {
            deadline.cancel(false);
            closeQuietly(channel, e);
            if (late.get() && e instanceof AsynchronousCloseException) {
                throw new IOException("the server has not answered within %d ms".formatted(timeout.toMillis()), e);
            }
            throw e;
        }
    }

    private static void closeQuietly(SocketChannel channel, Exception cause) {
        try {
            channel.close();
        } catch (IOException e) {
            cause.addSuppressed(e);
        }
    }
}
