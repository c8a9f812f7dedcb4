package org.jvirt.devices.legacy;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import org.jvirt.core.CharBackend;

/// A terminal that shows what it got and types as fast as the device takes it, checking that nobody reads too much.
final class FakeTerminal implements CharBackend {
    private final StringBuilder shown = new StringBuilder();
    private final ArrayDeque<Byte> typed = new ArrayDeque<>();
    private Receiver receiver = new Nobody();

    @Override
    public void connect(Receiver newReceiver) {
        receiver = newReceiver;
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
        shown.append(new String(bytes, offset, length, StandardCharsets.ISO_8859_1));
    }

    @Override
    public void receiverReady() {
        assertThat(receiver.space()).isPositive();
        push();
    }

    @Override
    public void close() {}

    /// Until a device connects, nothing is taken.
    private static final class Nobody implements Receiver {
        @Override
        public int space() {
            return 0;
        }

        @Override
        public void receive(byte[] bytes, int offset, int length) {
            throw new IllegalStateException("no device is connected");
        }

        @Override
        public void breakCondition() {}
    }

    String shown() {
        return shown.toString();
    }

    void type(String text) {
        for (byte b : text.getBytes(StandardCharsets.ISO_8859_1)) {
            typed.add(b);
        }
        push();
    }

    void sendBreak() {
        receiver.breakCondition();
    }

    int waiting() {
        return typed.size();
    }

    private void push() {
        while (!typed.isEmpty() && receiver.space() > 0) {
            receiver.receive(new byte[] {typed.remove()}, 0, 1);
        }
    }
}
