package org.jvirt.images.nbd.server;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jvirt.images.nbd.Nbd;
import org.jvirt.images.nbd.TlsCredentials;
import org.jvirt.images.nbd.TlsTransport;
import org.jvirt.images.nbd.Transport;
import org.jvirt.images.nbd.WireReader;

/// The first half of a connection (`doc/proto.md`, "Fixed newstyle negotiation"). Used by one thread, once.
///
/// ```
/// greeting → option → answer → option → answer → … GO or EXPORT_NAME → transmission
///                                                  ABORT, nonsense, silence → end
/// ```
final class Handshake {
    /// More than any list of contexts that a client asks for needs.
    private static final int MAX_OPTION_BYTES = 64 << 10;
    /// What is still read, to stay in step.
    private static final int MAX_SKIPPED_BYTES = 1 << 20;
    private static final int MAX_QUERIES = 1024;
    private static final int EXPORT_NAME_PADDING = 124;

    private final ServerSettings settings;
    private final WireReader in;
    private final OptionReplies replies;
    private boolean structured;
    private boolean noZeroes;
    private boolean encrypted;
    /// What was chosen last, and of which export.
    private List<MetaContext> chosen = List.of();
    private Optional<NbdExport> chosenOf = Optional.empty();

    Handshake(ServerSettings settings, Transport transport) {
        this.settings = settings;
        in = new WireReader(transport);
        replies = new OptionReplies(transport);
    }

    /// What was agreed.
    ///
    /// @param in         whose transport is the connection from now on
    /// @param structured whether replies are in chunks
    /// @param contexts   what the client may ask of blocks, each by its number in this list
    record Session(NbdExport export, WireReader in, boolean structured, List<MetaContext> contexts) {}

    /// An option whose bytes have come, unread.
    private record Option(int code, ByteBuffer data) {}

    /// An option whose bytes do not make sense.
    private static final class MalformedOptionException extends Exception {
        private static final long serialVersionUID = 1L;

        MalformedOptionException(String message) {
            super(message);
        }
    }

    /// @return empty if the client has left in good order
    Optional<Session> run() throws IOException {
        in.transport()
                .write(ByteBuffer.allocate(18)
                        .putLong(Nbd.NBDMAGIC)
                        .putLong(Nbd.IHAVEOPT)
                        .putShort((short) (Nbd.FLAG_FIXED_NEWSTYLE | Nbd.FLAG_NO_ZEROES))
                        .flip());
        int flags = in.i32();
        if ((flags & ~(Nbd.FLAG_FIXED_NEWSTYLE | Nbd.FLAG_NO_ZEROES)) != 0) {
            throw new IOException("the client has unknown flags 0x%x".formatted(flags));
        }
        noZeroes = (flags & Nbd.FLAG_NO_ZEROES) != 0;
        while (true) {
            Option option = read();
            switch (option.code) {
                case Nbd.OPT_ABORT -> {
                    replies.ack(Nbd.OPT_ABORT);
                    return Optional.empty();
                }
                case Nbd.OPT_EXPORT_NAME -> {
                    return Optional.of(exportName(option));
                }
                case Nbd.OPT_GO -> {
                    Optional<NbdExport> export = details(option);
                    if (export.isPresent()) {
                        return Optional.of(session(export.get()));
                    }
                }
                default -> answer(option);
            }
        }
    }

    private Session session(NbdExport export) {
        return new Session(export, in, structured, chosenOf.equals(Optional.of(export)) ? chosen : List.of());
    }

    private Option read() throws IOException {
        while (true) {
            long magic = in.i64();
            if (magic != Nbd.IHAVEOPT) {
                throw new IOException("0x%x is no option's magic number".formatted(magic));
            }
            int code = in.i32();
            long length = in.u32();
            if (length <= MAX_OPTION_BYTES) {
                return new Option(code, ByteBuffer.wrap(in.bytes((int) length)));
            }
            if (length > MAX_SKIPPED_BYTES || code == Nbd.OPT_EXPORT_NAME) {
                throw new IOException("option %d has %d bytes".formatted(code, length));
            }
            in.skip(length);
            replies.error(code, Nbd.REP_ERR_TOO_BIG, "at most %d bytes".formatted(MAX_OPTION_BYTES));
        }
    }

    private void answer(Option option) throws IOException {
        if (settings.tls().isPresent() && !encrypted && option.code != Nbd.OPT_STARTTLS) {
            replies.error(option.code, Nbd.REP_ERR_TLS_REQD, "this server wants TLS");
            return;
        }
        switch (option.code) {
            case Nbd.OPT_LIST -> list(option);
            case Nbd.OPT_STARTTLS -> startTls(option);
            case Nbd.OPT_INFO -> {
                var _ = details(option);
            }
            case Nbd.OPT_STRUCTURED_REPLY -> {
                if (empty(option)) {
                    structured = true;
                    replies.ack(option.code);
                }
            }
            case Nbd.OPT_LIST_META_CONTEXT -> contexts(option);
            case Nbd.OPT_SET_META_CONTEXT -> {
                chosen = List.of();
                chosenOf = Optional.empty();
                if (structured) {
                    contexts(option);
                } else {
                    replies.error(option.code, Nbd.REP_ERR_INVALID, "contexts need structured replies");
                }
            }
            default -> replies.error(option.code, Nbd.REP_ERR_UNSUP, "not an option that is known here");
        }
    }

    private boolean empty(Option option) throws IOException {
        if (option.data.hasRemaining()) {
            replies.error(option.code, Nbd.REP_ERR_INVALID, "this option has no data");
        }
        return !option.data.hasRemaining();
    }

    private void list(Option option) throws IOException {
        if (!empty(option)) {
            return;
        }
        for (NbdExport export : settings.exports()) {
            byte[] name = utf8(export.name());
            byte[] description = utf8(export.description());
            replies.send(
                    option.code,
                    Nbd.REP_SERVER,
                    ByteBuffer.allocate(4 + name.length + description.length)
                            .putInt(name.length)
                            .put(name)
                            .put(description)
                            .flip());
        }
        replies.ack(option.code);
    }

    private void startTls(Option option) throws IOException {
        if (!empty(option)) {
            return;
        }
        Optional<TlsCredentials> tls = settings.tls();
        if (tls.isEmpty()) {
            replies.error(option.code, Nbd.REP_ERR_POLICY, "this server has no certificates");
        } else if (encrypted) {
            replies.error(option.code, Nbd.REP_ERR_INVALID, "TLS has begun already");
        } else {
            if (in.ahead()) {
                throw new IOException("more came in the clear where encryption was to begin");
            }
            replies.ack(option.code);
            Transport secure = TlsTransport.over(in.transport(), tls.get().engine(""));
            in.use(secure);
            replies.use(secure);
            encrypted = true;
            // What was agreed before, anybody on the way may have changed.
            structured = false;
            chosen = List.of();
            chosenOf = Optional.empty();
        }
    }

    private Optional<NbdExport> find(String name) {
        return settings.exports().stream()
                .filter(export -> export.name().equals(name))
                .findFirst();
    }

    private Session exportName(Option option) throws IOException {
        if (settings.tls().isPresent() && !encrypted) {
            throw new IOException("the client does not speak TLS");
        }
        String name = StandardCharsets.UTF_8.decode(option.data).toString();
        NbdExport export =
                find(name).orElseThrow(() -> new IOException("there is no export '%s'".formatted(printable(name))));
        var reply = ByteBuffer.allocate(10 + (noZeroes ? 0 : EXPORT_NAME_PADDING))
                .putLong(export.disk().sizeBytes())
                .putShort((short) flags(export));
        in.transport().write(reply.position(0).limit(reply.capacity()));
        return session(export);
    }

    private int flags(NbdExport export) {
        return export.flags(structured, settings.maxConnections() > 1);
    }

    /// Answers INFO and GO.
    private Optional<NbdExport> details(Option option) throws IOException {
        if (settings.tls().isPresent() && !encrypted) {
            replies.error(option.code, Nbd.REP_ERR_TLS_REQD, "this server wants TLS");
            return Optional.empty();
        }
        try {
            String name = string(option.data);
            List<Integer> wanted = new ArrayList<>();
            for (int count = number(option.data, 2); count > 0; count--) {
                wanted.add(number(option.data, 2));
            }
            end(option.data);
            Optional<NbdExport> export = find(name);
            if (export.isEmpty()) {
                replies.error(option.code, Nbd.REP_ERR_UNKNOWN, "there is no export '%s'".formatted(printable(name)));
            } else {
                describe(option, export.get(), wanted);
                replies.ack(option.code);
            }
            return export;
        } catch (MalformedOptionException e) {
            replies.error(option.code, Nbd.REP_ERR_INVALID, String.valueOf(e.getMessage()));
            return Optional.empty();
        }
    }

    private void describe(Option option, NbdExport export, List<Integer> wanted) throws IOException {
        if (wanted.contains(Nbd.INFO_NAME)) {
            info(option, Nbd.INFO_NAME, ByteBuffer.wrap(utf8(export.name())));
        }
        if (wanted.contains(Nbd.INFO_DESCRIPTION) && !export.description().isEmpty()) {
            info(option, Nbd.INFO_DESCRIPTION, ByteBuffer.wrap(utf8(export.description())));
        }
        // Any length and place is served, so whoever does not ask needs not know.
        info(
                option,
                Nbd.INFO_BLOCK_SIZE,
                ByteBuffer.allocate(12)
                        .putInt(1)
                        .putInt(export.preferredBytes())
                        .putInt(Nbd.MAX_PAYLOAD_BYTES)
                        .flip());
        info(
                option,
                Nbd.INFO_EXPORT,
                ByteBuffer.allocate(10)
                        .putLong(export.disk().sizeBytes())
                        .putShort((short) flags(export))
                        .flip());
    }

    private void info(Option option, int kind, ByteBuffer content) throws IOException {
        replies.send(
                option.code,
                Nbd.REP_INFO,
                ByteBuffer.allocate(2 + content.remaining())
                        .putShort((short) kind)
                        .put(content)
                        .flip());
    }

    /// Answers LIST_META_CONTEXT and SET_META_CONTEXT.
    private void contexts(Option option) throws IOException {
        try {
            String name = string(option.data);
            List<String> queries = new ArrayList<>();
            int count = number(option.data, 4);
            if (count < 0 || count > MAX_QUERIES) {
                throw new MalformedOptionException(
                        "%s queries are too many".formatted(Integer.toUnsignedString(count)));
            }
            for (int i = 0; i < count; i++) {
                queries.add(string(option.data));
            }
            end(option.data);
            Optional<NbdExport> export = find(name);
            if (export.isEmpty()) {
                replies.error(option.code, Nbd.REP_ERR_UNKNOWN, "there is no export '%s'".formatted(printable(name)));
                return;
            }
            boolean listing = option.code == Nbd.OPT_LIST_META_CONTEXT;
            List<MetaContext> found = export.get().contexts().stream()
                    .filter(context -> listing && queries.isEmpty()
                            || queries.stream().anyMatch(query -> matches(query, context.name(), listing)))
                    .toList();
            for (int i = 0; i < found.size(); i++) {
                byte[] text = utf8(found.get(i).name());
                replies.send(
                        option.code,
                        Nbd.REP_META_CONTEXT,
                        ByteBuffer.allocate(4 + text.length)
                                .putInt(listing ? 0 : i)
                                .put(text)
                                .flip());
            }
            if (!listing) {
                chosen = found;
                chosenOf = export;
            }
            replies.ack(option.code);
        } catch (MalformedOptionException e) {
            replies.error(option.code, Nbd.REP_ERR_INVALID, String.valueOf(e.getMessage()));
        }
    }

    /// Whoever lists may ask for a whole namespace: `base:`, `qemu:`, `qemu:dirty-bitmap:`.
    private static boolean matches(String query, String name, boolean listing) {
        return name.equals(query) || listing && query.endsWith(":") && name.startsWith(query);
    }

    private static String string(ByteBuffer data) throws MalformedOptionException {
        int length = number(data, 4);
        if (length < 0 || length > data.remaining()) {
            throw new MalformedOptionException("a text is longer than its option");
        }
        if (length > Nbd.MAX_STRING_BYTES) {
            throw new MalformedOptionException("a text has more than %d bytes".formatted(Nbd.MAX_STRING_BYTES));
        }
        byte[] bytes = new byte[length];
        data.get(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private static int number(ByteBuffer data, int bytes) throws MalformedOptionException {
        if (data.remaining() < bytes) {
            throw new MalformedOptionException("the option ends too early");
        }
        return bytes == 2 ? Short.toUnsignedInt(data.getShort()) : data.getInt();
    }

    private static void end(ByteBuffer data) throws MalformedOptionException {
        if (data.hasRemaining()) {
            throw new MalformedOptionException("%d bytes follow the option's content".formatted(data.remaining()));
        }
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String printable(String name) {
        String shown = name.replaceAll("\\p{Cntrl}", "?");
        return shown.length() > 80 ? shown.substring(0, 80) + "…" : shown;
    }
}
