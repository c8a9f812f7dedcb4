package org.jvirt.images.nbd;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The client's side of a connection's first half. Used by one thread. Nothing that the server sends takes more
/// memory than a few thousand texts; for how long it may talk, whoever owns the connection decides.
final class ClientHandshake {
    private static final long OLD_STYLE_MAGIC = 0x0042_0281_8612_53L;
    private static final int MAX_REPLY_BYTES = 4 + 2 * Nbd.MAX_STRING_BYTES;
    private static final int MAX_REPLIES = 4096;

    private final WireReader in;
    private boolean fixed;
    private boolean noZeroes;
    private boolean structured;

    ClientHandshake(Transport transport) {
        in = new WireReader(transport);
    }

    /// An answer to an option.
    private record Reply(int type, ByteBuffer data) {
        boolean isError() {
            return (type & Nbd.REP_FLAG_ERROR) != 0;
        }

        String text() {
            String said =
                    StandardCharsets.UTF_8.decode(data.duplicate()).toString().replaceAll("\\p{Cntrl}", "?");
            return said.isEmpty() ? name() : name() + " (" + said + ")";
        }

        private String name() {
            return switch (type) {
                case Nbd.REP_ERR_UNSUP -> "it does not know that";
                case Nbd.REP_ERR_POLICY -> "it does not allow that";
                case Nbd.REP_ERR_INVALID -> "it finds that invalid";
                case Nbd.REP_ERR_TLS_REQD -> "it wants TLS: use nbds:// or tls-creds";
                case Nbd.REP_ERR_UNKNOWN -> "it has no such export";
                case Nbd.REP_ERR_SHUTDOWN -> "it is shutting down";
                case Nbd.REP_ERR_BLOCK_SIZE_REQD -> "it wants its block size kept";
                case Nbd.REP_ERR_TOO_BIG -> "it finds that too long";
                default -> "it answers 0x%08x".formatted(type);
            };
        }
    }

    WireReader in() {
        return in;
    }

    boolean structured() {
        return structured;
    }

    /// Greets, and encrypts where that is wanted.
    void begin(NbdTarget target) throws IOException {
        long magic = in.i64();
        long second = magic == Nbd.NBDMAGIC ? in.i64() : 0;
        if (second == OLD_STYLE_MAGIC) {
            throw new ProtocolException("the server speaks the protocol's oldstyle, which has no export names");
        }
        if (second != Nbd.IHAVEOPT) {
            throw new ProtocolException("there is no NBD server");
        }
        int flags = in.u16();
        fixed = (flags & Nbd.FLAG_FIXED_NEWSTYLE) != 0;
        noZeroes = (flags & Nbd.FLAG_NO_ZEROES) != 0;
        in.transport()
                .write(ByteBuffer.allocate(4)
                        .putInt((fixed ? Nbd.FLAG_FIXED_NEWSTYLE : 0) | (noZeroes ? Nbd.FLAG_NO_ZEROES : 0))
                        .flip());
        if (target.tls().isPresent()) {
            encrypt(target.tls().get());
        }
        structured = fixed && ask(Nbd.OPT_STRUCTURED_REPLY).type == Nbd.REP_ACK;
    }

    private void encrypt(NbdTarget.Tls tls) throws IOException {
        if (!fixed) {
            throw new ProtocolException("the server cannot do TLS");
        }
        Reply reply = ask(Nbd.OPT_STARTTLS);
        if (reply.type != Nbd.REP_ACK) {
            throw new NbdException(reply.type, "the server refuses TLS: " + reply.text());
        }
        if (in.ahead()) {
            throw new ProtocolException("more came in the clear where encryption was to begin");
        }
        in.use(TlsTransport.over(in.transport(), tls.credentials().engine(tls.peerName())));
    }

    /// Chooses an export.
    ///
    /// @param contexts wanted, where the server has them
    ExportDetails go(String export, List<String> contexts) throws IOException {
        List<ExportDetails.Context> chosen = List.of();
        if (structured && !contexts.isEmpty()) {
            chosen = contexts(Nbd.OPT_SET_META_CONTEXT, export, contexts);
        }
        if (fixed) {
            Optional<ExportDetails> details = details(Nbd.OPT_GO, export, chosen);
            if (details.isPresent()) {
                return details.get();
            }
        }
        // Servers from before GO.
        byte[] name = utf8(export);
        send(Nbd.OPT_EXPORT_NAME, ByteBuffer.wrap(name));
        long size = in.i64();
        int flags = in.u16();
        in.skip(noZeroes ? 0 : 124);
        return new ExportDetails(export, "", size, flags, 1, 4096, Nbd.MAX_PAYLOAD_BYTES, structured, chosen);
    }

    /// Asks what an export is like, by INFO or GO.
    ///
    /// @return empty if the server knows no such option
    Optional<ExportDetails> details(int option, String export, List<ExportDetails.Context> contexts)
            throws IOException {
        byte[] name = utf8(export);
        send(
                option,
                ByteBuffer.allocate(4 + name.length + 6)
                        .putInt(name.length)
                        .put(name)
                        .putShort((short) 2)
                        .putShort((short) Nbd.INFO_BLOCK_SIZE)
                        .putShort((short) Nbd.INFO_DESCRIPTION)
                        .flip());
        long size = -1;
        int flags = 0;
        String description = "";
        int[] blocks = {1, 4096, Nbd.MAX_PAYLOAD_BYTES};
        for (int count = 0; count < MAX_REPLIES; count++) {
            Reply reply = reply(option);
            if (reply.type == Nbd.REP_ACK) {
                if (size < 0) {
                    throw new ProtocolException("the server does not tell a size that can be addressed");
                }
                return Optional.of(new ExportDetails(
                        export, description, size, flags, blocks[0], blocks[1], blocks[2], structured, contexts));
            }
            if (reply.type == Nbd.REP_ERR_UNSUP) {
                return Optional.empty();
            }
            if (reply.isError()) {
                throw new NbdException(
                        reply.type, "the server refuses export '%s': %s".formatted(export, reply.text()));
            }
            ByteBuffer data = reply.data;
            int kind = reply.type == Nbd.REP_INFO && data.remaining() >= 2
                    ? Short.toUnsignedInt(data.getShort())
                    : Integer.MAX_VALUE;
            if (kind == Nbd.INFO_EXPORT && data.remaining() == 10) {
                size = data.getLong();
                flags = Short.toUnsignedInt(data.getShort());
            } else if (kind == Nbd.INFO_BLOCK_SIZE && data.remaining() == 12) {
                for (int i = 0; i < 3; i++) {
                    blocks[i] = data.getInt();
                }
            } else if (kind == Nbd.INFO_DESCRIPTION) {
                description = StandardCharsets.UTF_8.decode(data).toString();
            } else if (kind <= Nbd.INFO_BLOCK_SIZE && kind != Nbd.INFO_NAME || kind == Integer.MAX_VALUE) {
                throw new ProtocolException("the server describes its export in no known form");
            }
        }
        throw new ProtocolException("the server does not stop describing its export");
    }

    /// Chooses or lists contexts.
    List<ExportDetails.Context> contexts(int option, String export, List<String> queries) throws IOException {
        byte[] name = utf8(export);
        int length = 8 + name.length;
        for (String query : queries) {
            length += 4 + utf8(query).length;
        }
        var data = ByteBuffer.allocate(length).putInt(name.length).put(name).putInt(queries.size());
        for (String query : queries) {
            data.putInt(utf8(query).length).put(utf8(query));
        }
        send(option, data.flip());
        List<ExportDetails.Context> contexts = new ArrayList<>();
        for (int count = 0; count < MAX_REPLIES; count++) {
            Reply reply = reply(option);
            if (reply.type == Nbd.REP_ACK || reply.isError()) {
                return contexts;
            }
            if (reply.type != Nbd.REP_META_CONTEXT || reply.data.remaining() < 4) {
                throw new ProtocolException("the server lists contexts in no known form");
            }
            int id = reply.data.getInt();
            String context = StandardCharsets.UTF_8.decode(reply.data).toString();
            // Some list more than was asked for.
            if (option == Nbd.OPT_LIST_META_CONTEXT || queries.contains(context)) {
                contexts.add(new ExportDetails.Context(id, context));
            }
        }
        throw new ProtocolException("the server does not stop listing contexts");
    }

    /// The names of the exports, those that have been told.
    List<String> list() throws IOException {
        send(Nbd.OPT_LIST, ByteBuffer.allocate(0));
        List<String> names = new ArrayList<>();
        for (int count = 0; count < MAX_REPLIES; count++) {
            Reply reply = reply(Nbd.OPT_LIST);
            if (reply.type == Nbd.REP_ACK) {
                return names;
            }
            if (reply.isError()) {
                throw new NbdException(reply.type, "the server does not list its exports: " + reply.text());
            }
            int length = reply.data.remaining() < 4 ? -1 : reply.data.getInt();
            if (reply.type != Nbd.REP_SERVER || length < 0 || length > reply.data.remaining()) {
                throw new ProtocolException("the server lists its exports in no known form");
            }
            names.add(StandardCharsets.UTF_8
                    .decode(reply.data.slice(reply.data.position(), length))
                    .toString());
        }
        throw new ProtocolException("the server has more than %d exports".formatted(MAX_REPLIES));
    }

    /// Leaves without having chosen.
    void abort() throws IOException {
        send(Nbd.OPT_ABORT, ByteBuffer.allocate(0));
        in.transport().finish();
    }

    private Reply ask(int option) throws IOException {
        send(option, ByteBuffer.allocate(0));
        return reply(option);
    }

    private void send(int option, ByteBuffer data) throws IOException {
        in.transport()
                .write(
                        ByteBuffer.allocate(16)
                                .putLong(Nbd.IHAVEOPT)
                                .putInt(option)
                                .putInt(data.remaining())
                                .flip(),
                        data);
    }

    private Reply reply(int option) throws IOException {
        long magic = in.i64();
        int of = in.i32();
        int type = in.i32();
        long length = in.u32();
        if (magic != Nbd.OPTION_REPLY_MAGIC || of != option) {
            throw new ProtocolException("the server does not answer option %d".formatted(option));
        }
        if (length > MAX_REPLY_BYTES) {
            throw new ProtocolException("the server answers option %d with %d bytes".formatted(option, length));
        }
        return new Reply(type, ByteBuffer.wrap(in.bytes((int) length)));
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
