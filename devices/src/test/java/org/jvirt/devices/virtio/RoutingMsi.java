package org.jvirt.devices.virtio;

import java.util.ArrayList;
import java.util.List;
import org.jvirt.core.MsiRoute;
import org.jvirt.core.MsiSink;
import org.jvirt.testkit.RecordingMsi.Message;

/// An engine that wants messages prepared, and keeps account of it. Thread-safe.
final class RoutingMsi implements MsiSink {
    private final MsiSink sink;
    private final List<Message> made = new ArrayList<>();
    private int open;

    RoutingMsi(MsiSink sink) {
        this.sink = sink;
    }

    /// Every route there ever was.
    synchronized List<Message> made() {
        return List.copyOf(made);
    }

    synchronized int open() {
        return open;
    }

    @Override
    public void send(long address, int data) {
        throw new IllegalStateException("Sent without a route");
    }

    @Override
    public synchronized MsiRoute route(long address, int data) {
        made.add(new Message(address, data));
        open++;
        return new MsiRoute() {
            private boolean closed;

            @Override
            public void send() {
                if (closed) {
                    throw new IllegalStateException("Sent over a closed route");
                }
                sink.send(address, data);
            }

            @Override
            public void close() {
                closed = true;
                synchronized (RoutingMsi.this) {
                    open--;
                }
            }
        };
    }
}
