package org.jvirt.images.nbd;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;

/// The protocol's bytes, written and read by hand.
record Wire(SocketChannel channel, DataInputStream in, DataOutputStream out) implements Closeable {
    static Wire over(SocketChannel channel) {
        return new Wire(
                channel,
                new DataInputStream(Channels.newInputStream(channel)),
                new DataOutputStream(Channels.newOutputStream(channel)));
    }

    /// A part of a message.
    interface Part {
        void to(DataOutputStream out) throws IOException;
    }

    static byte[] bytes(Part part) {
        var bytes = new ByteArrayOutputStream();
        try {
            part.to(new DataOutputStream(bytes));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return bytes.toByteArray();
    }

    /// Sends all of it at once.
    Wire send(Part part) throws IOException {
        out.write(bytes(part));
        return this;
    }

    /// As a client: greeting and flags.
    Wire greet() throws IOException {
        if (in.readLong() != Nbd.NBDMAGIC || in.readLong() != Nbd.IHAVEOPT || in.readUnsignedShort() != 3) {
            throw new AssertionError("No greeting");
        }
        return send(out -> out.writeInt(Nbd.FLAG_FIXED_NEWSTYLE | Nbd.FLAG_NO_ZEROES));
    }

    Wire option(int code, byte[] data) throws IOException {
        return send(out -> {
            out.writeLong(Nbd.IHAVEOPT);
            out.writeInt(code);
            out.writeInt(data.length);
            out.write(data);
        });
    }

    /// The type of the answer, whose content is dropped.
    int optionReply(int code) throws IOException {
        if (in.readLong() != Nbd.OPTION_REPLY_MAGIC || in.readInt() != code) {
            throw new AssertionError("No answer to option " + code);
        }
        int type = in.readInt();
        in.readNBytes(in.readInt());
        return type;
    }

    /// The type of the last answer: `ACK` or an error.
    int lastReply(int code) throws IOException {
        int type = optionReply(code);
        while (type > Nbd.REP_ACK) {
            type = optionReply(code);
        }
        return type;
    }

    static byte[] text(String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        return bytes(out -> {
            out.writeInt(utf8.length);
            out.write(utf8);
        });
    }

    /// Chooses the default export, with structured replies and `base:allocation` where wanted.
    Wire go(boolean structured) throws IOException {
        greet();
        if (structured) {
            option(Nbd.OPT_STRUCTURED_REPLY, new byte[0]);
            lastReply(Nbd.OPT_STRUCTURED_REPLY);
            option(Nbd.OPT_SET_META_CONTEXT, bytes(out -> {
                out.write(text(""));
                out.writeInt(1);
                out.write(text(Nbd.BASE_ALLOCATION));
            }));
            lastReply(Nbd.OPT_SET_META_CONTEXT);
        }
        option(Nbd.OPT_GO, bytes(out -> {
            out.write(text(""));
            out.writeShort(0);
        }));
        if (lastReply(Nbd.OPT_GO) != Nbd.REP_ACK) {
            throw new AssertionError("Not accepted");
        }
        return this;
    }

    Wire request(int flags, int type, long cookie, long offset, long length) throws IOException {
        return send(out -> {
            out.writeInt(Nbd.REQUEST_MAGIC);
            out.writeShort(flags);
            out.writeShort(type);
            out.writeLong(cookie);
            out.writeLong(offset);
            out.writeInt((int) length);
        });
    }

    /// The error of a simple reply without data.
    int simpleReply(long cookie) throws IOException {
        if (in.readInt() != Nbd.SIMPLE_REPLY_MAGIC) {
            throw new AssertionError("No simple reply");
        }
        int error = in.readInt();
        if (in.readLong() != cookie) {
            throw new AssertionError("Answer to another request");
        }
        return error;
    }

    /// A chunk of a structured reply.
    record Chunk(int flags, int type, long cookie, byte[] content) {}

    Chunk chunk() throws IOException {
        if (in.readInt() != Nbd.STRUCTURED_REPLY_MAGIC) {
            throw new AssertionError("No structured reply");
        }
        int flags = in.readUnsignedShort();
        int type = in.readUnsignedShort();
        long cookie = in.readLong();
        return new Chunk(flags, type, cookie, in.readNBytes(in.readInt()));
    }

    /// Whether the peer has closed the connection, after whatever it still says.
    boolean ended() throws IOException {
        try {
            while (true) {
                in.readByte();
            }
        } catch (EOFException e) {
            return true;
        } catch (IOException e) {
            if (String.valueOf(e.getMessage()).contains("reset")) {
                return true;
            }
            throw e;
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
