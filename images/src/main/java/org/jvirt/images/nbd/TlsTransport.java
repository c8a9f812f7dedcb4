package org.jvirt.images.nbd;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.locks.ReentrantLock;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;

/// A connection under TLS. The handshake is over when the object exists.
public final class TlsTransport implements Transport {
    private final Transport below;
    private final SSLEngine engine;
    private final ReentrantLock writeLock = new ReentrantLock();
    /// What has come and is not decrypted yet, ready to be added to. The reader's.
    private ByteBuffer received;
    /// What is decrypted and not delivered yet, ready to be taken from. The reader's.
    private ByteBuffer clear;
    private ByteBuffer sending; // guarded by writeLock

    private TlsTransport(Transport below, SSLEngine engine) {
        this.below = below;
        this.engine = engine;
        received = ByteBuffer.allocateDirect(engine.getSession().getPacketBufferSize());
        clear = ByteBuffer.allocateDirect(engine.getSession().getApplicationBufferSize())
                .limit(0);
        sending = ByteBuffer.allocateDirect(engine.getSession().getPacketBufferSize());
    }

    /// Encrypts from now on, if both sides find each other good.
    ///
    /// @throws IOException if they do not
    public static TlsTransport over(Transport below, SSLEngine engine) throws IOException {
        var transport = new TlsTransport(below, engine);
        engine.beginHandshake();
        transport.handshake();
        return transport;
    }

    private void handshake() throws IOException {
        HandshakeStatus status = engine.getHandshakeStatus();
        while (status != HandshakeStatus.NOT_HANDSHAKING && status != HandshakeStatus.FINISHED) {
            status = switch (status) {
                case NEED_TASK -> {
                    runTasks();
                    yield engine.getHandshakeStatus();
                }
                case NEED_WRAP -> {
                    wrap(ByteBuffer.allocate(0));
                    yield engine.getHandshakeStatus();
                }
                case NEED_UNWRAP, NEED_UNWRAP_AGAIN -> {
                    unwrap();
                    yield engine.getHandshakeStatus();
                }
                case FINISHED, NOT_HANDSHAKING -> status;
            };
        }
    }

    private void runTasks() {
        for (Runnable task = engine.getDelegatedTask(); task != null; task = engine.getDelegatedTask()) {
            task.run();
        }
    }

    @Override
    public void read(ByteBuffer into) throws IOException {
        if (!into.hasRemaining()) {
            return;
        }
        while (!clear.hasRemaining()) {
            unwrap();
            // The peer may ask for new keys at any time (RFC 8446, 4.6.3).
            afterUnwrap();
        }
        int part = Math.min(into.remaining(), clear.remaining());
        into.put(clear.slice(clear.position(), part));
        clear.position(clear.position() + part);
    }

    private void afterUnwrap() throws IOException {
        HandshakeStatus status = engine.getHandshakeStatus();
        if (status == HandshakeStatus.NEED_TASK) {
            runTasks();
            status = engine.getHandshakeStatus();
        }
        if (status == HandshakeStatus.NEED_WRAP) {
            wrap(ByteBuffer.allocate(0));
        }
    }

    /// Decrypts one record, after waiting for it where it has not come.
    private void unwrap() throws IOException {
        clear.compact();
        try {
            for (boolean done = false; !done; ) {
                received.flip();
                SSLEngineResult result;
                try {
                    result = engine.unwrap(received, clear);
                } finally {
                    received.compact();
                }
                done = switch (result.getStatus()) {
                    case OK -> true;
                    case CLOSED -> throw new EOFException("the peer has closed the connection");
                    case BUFFER_OVERFLOW -> {
                        clear = larger(clear, engine.getSession().getApplicationBufferSize());
                        yield false;
                    }
                    case BUFFER_UNDERFLOW -> {
                        if (!received.hasRemaining()) {
                            received = larger(received, engine.getSession().getPacketBufferSize());
                        }
                        below.read(received);
                        yield false;
                    }
                };
            }
        } finally {
            clear.flip();
        }
    }

    private static ByteBuffer larger(ByteBuffer buffer, int bytes) {
        return ByteBuffer.allocateDirect(buffer.position() + bytes).put(buffer.flip());
    }

    @Override
    public void write(ByteBuffer... from) throws IOException {
        wrap(from);
    }

    private void wrap(ByteBuffer... from) throws IOException {
        writeLock.lock();
        try {
            do {
                sending.clear();
                SSLEngineResult result = engine.wrap(from, sending);
                switch (result.getStatus()) {
                    case OK -> {}
                    case CLOSED -> throw new EOFException("the encrypted connection is closed");
                    case BUFFER_OVERFLOW ->
                        sending = ByteBuffer.allocateDirect(engine.getSession().getPacketBufferSize());
                    case BUFFER_UNDERFLOW -> throw new IllegalStateException("TLS has too little to encrypt");
                }
                below.write(sending.flip());
            } while (remaining(from));
        } finally {
            writeLock.unlock();
        }
    }

    private static boolean remaining(ByteBuffer... buffers) {
        for (ByteBuffer buffer : buffers) {
            if (buffer.hasRemaining()) {
                return true;
            }
        }
        return false;
    }

    @Override
    public void finish() throws IOException {
        writeLock.lock();
        try {
            engine.closeOutbound();
            sending.clear();
            engine.wrap(ByteBuffer.allocate(0), sending);
            below.write(sending.flip());
        } finally {
            writeLock.unlock();
        }
    }

    @Override
    public void close() throws IOException {
        below.close();
    }
}
