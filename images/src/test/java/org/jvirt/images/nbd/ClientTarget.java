package org.jvirt.images.nbd;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jvirt.images.fuzz.FuzzTarget;

/// The NBD client, with what a server says as input.
public final class ClientTarget implements FuzzTarget {
    private static final NbdTarget WANTED = new NbdTarget(
            "nbd://script",
            new NbdAddress.Tcp("script", 1),
            "",
            Optional.empty(),
            Duration.ZERO,
            Duration.ofSeconds(1));

    @Override
    public String toString() {
        return "NBD client";
    }

    @Override
    public List<byte[]> seeds() {
        return List.of(talk(true), talk(false));
    }

    private static byte[] talk(boolean structured) {
        return Wire.bytes(out -> {
            out.writeLong(Nbd.NBDMAGIC);
            out.writeLong(Nbd.IHAVEOPT);
            out.writeShort(3);
            out.write(reply(Nbd.OPT_STRUCTURED_REPLY, structured ? Nbd.REP_ACK : Nbd.REP_ERR_UNSUP, new byte[0]));
            if (structured) {
                out.write(reply(Nbd.OPT_SET_META_CONTEXT, Nbd.REP_META_CONTEXT, Wire.bytes(context -> {
                    context.writeInt(1);
                    context.writeBytes(Nbd.BASE_ALLOCATION);
                })));
                out.write(reply(Nbd.OPT_SET_META_CONTEXT, Nbd.REP_ACK, new byte[0]));
            }
            out.write(reply(Nbd.OPT_GO, Nbd.REP_INFO, Wire.bytes(info -> {
                info.writeShort(Nbd.INFO_EXPORT);
                info.writeLong(1 << 20);
                info.writeShort(0xffd);
            })));
            out.write(reply(Nbd.OPT_GO, Nbd.REP_INFO, Wire.bytes(info -> {
                info.writeShort(Nbd.INFO_BLOCK_SIZE);
                info.writeInt(1);
                info.writeInt(4096);
                info.writeInt(1 << 25);
            })));
            out.write(reply(Nbd.OPT_GO, Nbd.REP_ACK, new byte[0]));
            if (structured) {
                out.write(chunk(0, Nbd.REPLY_TYPE_OFFSET_HOLE, 0, Wire.bytes(hole -> {
                    hole.writeLong(0);
                    hole.writeInt(2048);
                })));
                out.write(chunk(1, Nbd.REPLY_TYPE_OFFSET_DATA, 0, Wire.bytes(data -> {
                    data.writeLong(2048);
                    data.write(new byte[2048]);
                })));
                out.write(chunk(1, Nbd.REPLY_TYPE_NONE, 1, new byte[0]));
                out.write(chunk(1, Nbd.REPLY_TYPE_BLOCK_STATUS, 2, Wire.bytes(status -> {
                    status.writeInt(1);
                    status.writeInt(65536);
                    status.writeInt(3);
                })));
                out.write(chunk(1, Nbd.REPLY_TYPE_ERROR, 3, Wire.bytes(error -> {
                    error.writeInt(Nbd.EIO);
                    error.writeShort(4);
                    error.writeBytes("oops");
                })));
            } else {
                for (int cookie = 0; cookie < 4; cookie++) {
                    out.writeInt(Nbd.SIMPLE_REPLY_MAGIC);
                    out.writeInt(0);
                    out.writeLong(cookie);
                    out.write(new byte[cookie == 0 ? 4096 : 0]);
                }
            }
        });
    }

    private static byte[] reply(int option, int type, byte[] data) {
        return Wire.bytes(out -> {
            out.writeLong(Nbd.OPTION_REPLY_MAGIC);
            out.writeInt(option);
            out.writeInt(type);
            out.writeInt(data.length);
            out.write(data);
        });
    }

    private static byte[] chunk(int flags, int type, long cookie, byte[] content) {
        return Wire.bytes(out -> {
            out.writeInt(Nbd.STRUCTURED_REPLY_MAGIC);
            out.writeShort(flags);
            out.writeShort(type);
            out.writeLong(cookie);
            out.writeInt(content.length);
            out.write(content);
        });
    }

    @Override
    public void run(byte[] input) throws IOException {
        try (Link link = Link.over(new Script(input), WANTED)) {
            attempt(() -> link.read(0, MemorySegment.ofArray(new byte[4096])));
            attempt(() -> link.write(0, 4096, MemorySegment.ofArray(new byte[512])));
            if (link.hasStatus()) {
                attempt(() -> {
                    var _ = link.status(0, 65536);
                });
            }
            link.command(Nbd.CMD_FLUSH, 0, 0, 0);
        }
    }

    private interface Request {
        void make() throws IOException;
    }

    private static void attempt(Request request) throws IOException {
        try {
            request.make();
        } catch (NbdException _) {
            // Refused by the server; the connection goes on.
        }
    }
}
