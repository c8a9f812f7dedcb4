package org.jvirt.testkit;

import java.util.ArrayList;
import java.util.List;
import org.jvirt.core.MsiSink;

/// Collects the messages sent. Thread-safe.
public final class RecordingMsi implements MsiSink {
    /// One message.
    public record Message(long address, int data) {}

    private final List<Message> messages = new ArrayList<>();

    @Override
    public synchronized void send(long address, int data) {
        messages.add(new Message(address, data));
    }

    /// The messages since the last call.
    public synchronized List<Message> take() {
        List<Message> taken = List.copyOf(messages);
        messages.clear();
        return taken;
    }
}
