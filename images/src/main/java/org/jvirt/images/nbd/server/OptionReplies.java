package org.jvirt.images.nbd.server;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jvirt.images.nbd.Nbd;
import org.jvirt.images.nbd.Transport;

/// Answers to options. Not thread-safe.
final class OptionReplies {
    private Transport to;

    OptionReplies(Transport to) {
        this.to = to;
    }

    void use(Transport next) {
        to = next;
    }

    void ack(int option) throws IOException {
        send(option, Nbd.REP_ACK, ByteBuffer.allocate(0));
    }

    /// @param message for a person
    void error(int option, int error, String message) throws IOException {
        send(option, error, ByteBuffer.wrap(message.getBytes(StandardCharsets.UTF_8)));
    }

    /// @param content ready to be read
    void send(int option, int type, ByteBuffer content) throws IOException {
        var header = ByteBuffer.allocate(20)
                .putLong(Nbd.OPTION_REPLY_MAGIC)
                .putInt(option)
                .putInt(type)
                .putInt(content.remaining())
                .flip();
        to.write(header, content);
    }
}
