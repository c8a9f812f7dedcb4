package org.jvirt.devices.virtio;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import org.jvirt.core.CharBackend;

/// The other end of a console: keeps what the guest writes, and gives what the test types as the device has room.
final class RecordingPeer implements CharBackend {
    private final ByteArrayOutputStream written = new ByteArrayOutputStream();
    private final ArrayDeque<Byte> typed = new ArrayDeque<>();
    private Receiver receiver;

    @Override
    public void connect(Receiver to) {
        receiver = to;
    }

    void type(byte[] bytes) {
        for (byte b : bytes) {
            typed.add(b);
        }
        receiverReady();
    }

    int left() {
        return typed.size();
    }

    String text() {
        return written.toString(StandardCharsets.UTF_8);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
        written.write(bytes, offset, length);
    }

    @Override
    public void receiverReady() {
        while (!typed.isEmpty()) {
            int length = Math.min(receiver.space(), typed.size());
            if (length == 0) {
                return;
            }
            var part = new byte[length];
            for (int i = 0; i < length; i++) {
                part[i] = typed.remove();
            }
            receiver.receive(part, 0, length);
        }
    }

    @Override
    public void close() {}
}
