package org.jvirt.images.nbd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.ImageFormat;

/// Servers that do not keep to the protocol give errors, in bounded time and memory.
@Timeout(60)
class HostileNbdServerTest {
    private static final long DISK_BYTES = 1 << 20;
    private static final int FLAGS =
            Nbd.FLAG_HAS_FLAGS | Nbd.FLAG_SEND_FLUSH | Nbd.FLAG_SEND_DF | Nbd.FLAG_SEND_WRITE_ZEROES;

    @TempDir
    Path folder;

    /// What a server does with one client.
    private interface Script {
        void play(Wire wire) throws IOException;
    }

    private String serve(Script script) throws IOException {
        Path socket = folder.resolve("hostile.sock");
        ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(socket));
        Thread.ofVirtual().start(() -> {
            try (server;
                    Wire wire = Wire.over(server.accept())) {
                script.play(wire);
                wire.ended();
            } catch (IOException e) {
                // The client has had enough.
                assertThat(e).isNotNull();
            }
        });
        return "nbd+unix:///?socket=%s&open-timeout=2".formatted(socket);
    }

    private static void greet(Wire wire) throws IOException {
        wire.send(out -> {
            out.writeLong(Nbd.NBDMAGIC);
            out.writeLong(Nbd.IHAVEOPT);
            out.writeShort(3);
        });
        wire.in().readInt();
    }

    private static int option(Wire wire) throws IOException {
        wire.in().readLong();
        int code = wire.in().readInt();
        wire.in().readNBytes(wire.in().readInt());
        return code;
    }

    private static void reply(Wire wire, int option, int type, byte[] data) throws IOException {
        wire.send(out -> {
            out.writeLong(Nbd.OPTION_REPLY_MAGIC);
            out.writeInt(option);
            out.writeInt(type);
            out.writeInt(data.length);
            out.write(data);
        });
    }

    private static void info(Wire wire, long size, int[] blocks) throws IOException {
        reply(wire, Nbd.OPT_GO, Nbd.REP_INFO, Wire.bytes(out -> {
            out.writeShort(Nbd.INFO_EXPORT);
            out.writeLong(size);
            out.writeShort(FLAGS);
        }));
        reply(wire, Nbd.OPT_GO, Nbd.REP_INFO, Wire.bytes(out -> {
            out.writeShort(Nbd.INFO_BLOCK_SIZE);
            for (int each : blocks) {
                out.writeInt(each);
            }
        }));
        reply(wire, Nbd.OPT_GO, Nbd.REP_ACK, new byte[0]);
    }

    /// A sound handshake, with structured replies and `base:allocation` under the number 9.
    private static void shakeHands(Wire wire, boolean structured) throws IOException {
        greet(wire);
        assertThat(option(wire)).isEqualTo(Nbd.OPT_STRUCTURED_REPLY);
        reply(wire, Nbd.OPT_STRUCTURED_REPLY, structured ? Nbd.REP_ACK : Nbd.REP_ERR_UNSUP, new byte[0]);
        if (structured) {
            assertThat(option(wire)).isEqualTo(Nbd.OPT_SET_META_CONTEXT);
            reply(wire, Nbd.OPT_SET_META_CONTEXT, Nbd.REP_META_CONTEXT, Wire.bytes(out -> {
                out.writeInt(9);
                out.writeBytes(Nbd.BASE_ALLOCATION);
            }));
            reply(wire, Nbd.OPT_SET_META_CONTEXT, Nbd.REP_ACK, new byte[0]);
        }
        assertThat(option(wire)).isEqualTo(Nbd.OPT_GO);
        info(wire, DISK_BYTES, new int[] {1, 4096, 1 << 25});
    }

    static Stream<Arguments> handshakes() {
        Script endlessInfo = wire -> {
            shakeUpToGo(wire);
            while (true) {
                reply(wire, Nbd.OPT_GO, Nbd.REP_INFO, Wire.bytes(out -> out.writeShort(77)));
            }
        };
        return Stream.of(
                Arguments.of("silence", (Script) wire -> {}, "has not answered within"),
                Arguments.of("HTTP", (Script) wire -> wire.out().writeBytes("HTTP/1.0 400 Bad\r\n"), "no NBD server"),
                Arguments.of(
                        "oldstyle",
                        (Script) wire -> wire.send(out -> {
                            out.writeLong(Nbd.NBDMAGIC);
                            out.writeLong(0x0042_0281_8612_53L);
                            out.write(new byte[136]);
                        }),
                        "oldstyle"),
                Arguments.of(
                        "an answer of 4 GiB",
                        (Script) wire -> {
                            greet(wire);
                            option(wire);
                            wire.send(out -> {
                                out.writeLong(Nbd.OPTION_REPLY_MAGIC);
                                out.writeInt(Nbd.OPT_STRUCTURED_REPLY);
                                out.writeInt(Nbd.REP_ACK);
                                out.writeInt(-1);
                            });
                        },
                        "bytes"),
                Arguments.of(
                        "an answer to another option",
                        (Script) wire -> {
                            greet(wire);
                            option(wire);
                            reply(wire, 77, Nbd.REP_ACK, new byte[0]);
                        },
                        "does not answer"),
                Arguments.of("no end of information", endlessInfo, "does not stop"),
                Arguments.of("no size", go(wire -> reply(wire, Nbd.OPT_GO, Nbd.REP_ACK, new byte[0])), "size"),
                Arguments.of("a negative size", go(wire -> info(wire, -512, new int[] {1, 1, 1 << 20})), "size"),
                Arguments.of(
                        "a disk of 2^63-1 bytes",
                        go(wire -> info(wire, Long.MAX_VALUE, new int[] {1, 1, 1 << 20})),
                        "more than can be addressed"),
                Arguments.of("blocks of nothing", go(wire -> info(wire, 4096, new int[] {0, 0, 0})), "make no sense"),
                Arguments.of("blocks of 3 bytes", go(wire -> info(wire, 4096, new int[] {3, 3, 3})), "make no sense"),
                Arguments.of(
                        "blocks larger than the largest",
                        go(wire -> info(wire, 4096, new int[] {4096, 4096, 512})),
                        "make no sense"),
                Arguments.of(
                        "blocks of 2 GiB",
                        go(wire -> info(wire, 4096, new int[] {1 << 31, 1 << 31, -1})),
                        "make no sense"),
                Arguments.of(
                        "half a block at the end",
                        go(wire -> info(wire, 4096 + 512, new int[] {4096, 4096, 1 << 20})),
                        "not made of blocks"));
    }

    private static void shakeUpToGo(Wire wire) throws IOException {
        greet(wire);
        option(wire);
        reply(wire, Nbd.OPT_STRUCTURED_REPLY, Nbd.REP_ERR_UNSUP, new byte[0]);
        option(wire);
    }

    private static Script go(Script then) {
        return wire -> {
            shakeUpToGo(wire);
            then.play(wire);
        };
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("handshakes")
    void anUnsoundHandshakeIsRefused(String what, Object script, String message) throws IOException {
        String uri = serve((Script) script);
        assertThatThrownBy(() -> Served.open(uri, ImageFormat.RAW))
                .as(what)
                .isInstanceOf(UserErrorException.class)
                .hasMessageContaining(message);
    }

    private static Script answer(boolean structured, Answer answer) {
        return wire -> {
            shakeHands(wire, structured);
            wire.in().readInt();
            wire.in().readUnsignedShort();
            wire.in().readUnsignedShort();
            answer.play(wire, wire.in().readLong());
        };
    }

    /// What is said to the first request, by its cookie.
    private interface Answer {
        void play(Wire wire, long cookie) throws IOException;
    }

    private static void chunk(Wire wire, int flags, int type, long cookie, byte[] content) throws IOException {
        wire.send(out -> {
            out.writeInt(Nbd.STRUCTURED_REPLY_MAGIC);
            out.writeShort(flags);
            out.writeShort(type);
            out.writeLong(cookie);
            out.writeInt(content.length);
            out.write(content);
        });
    }

    private static byte[] data(long offset, int length) {
        return Wire.bytes(out -> {
            out.writeLong(offset);
            out.write(new byte[length]);
        });
    }

    private static byte[] hole(long offset, int length) {
        return Wire.bytes(out -> {
            out.writeLong(offset);
            out.writeInt(length);
        });
    }

    static Stream<Arguments> answers() {
        return Stream.of(
                Arguments.of(
                        "no magic", answer(true, (wire, cookie) -> wire.out().write(new byte[16]))),
                Arguments.of(
                        "another cookie",
                        answer(
                                false,
                                (wire, cookie) -> wire.send(out -> {
                                    out.writeInt(Nbd.SIMPLE_REPLY_MAGIC);
                                    out.writeInt(0);
                                    out.writeLong(cookie + 1);
                                }))),
                Arguments.of(
                        "a simple reply where structured ones were agreed",
                        answer(
                                true,
                                (wire, cookie) -> wire.send(out -> {
                                    out.writeInt(Nbd.SIMPLE_REPLY_MAGIC);
                                    out.writeInt(0);
                                    out.writeLong(cookie);
                                    out.write(new byte[4096]);
                                }))),
                Arguments.of(
                        "a structured reply that was not agreed",
                        answer(false, (wire, cookie) -> chunk(wire, 1, 1, cookie, data(0, 4096)))),
                Arguments.of(
                        "bytes before what was asked for",
                        answer(true, (wire, cookie) -> chunk(wire, 1, 1, cookie, data(-1, 4096)))),
                Arguments.of(
                        "bytes behind what was asked for",
                        answer(true, (wire, cookie) -> chunk(wire, 1, 1, cookie, data(1, 4096)))),
                Arguments.of(
                        "more than was asked for",
                        answer(true, (wire, cookie) -> chunk(wire, 1, 1, cookie, data(0, 4097)))),
                Arguments.of(
                        "less than was asked for",
                        answer(true, (wire, cookie) -> chunk(wire, 1, 1, cookie, data(0, 4095)))),
                Arguments.of("nothing", answer(true, (wire, cookie) -> chunk(wire, 1, 0, cookie, new byte[0]))),
                Arguments.of("the same bytes twice", answer(true, (wire, cookie) -> {
                    chunk(wire, 0, 1, cookie, data(0, 2048));
                    chunk(wire, 1, 1, cookie, data(0, 2048));
                })),
                Arguments.of("one byte at a time", answer(true, (wire, cookie) -> {
                    for (int i = 0; i < 4096; i++) {
                        chunk(wire, i == 4095 ? 1 : 0, 1, cookie, data(i, 1));
                    }
                })),
                Arguments.of(
                        "data of no bytes", answer(true, (wire, cookie) -> chunk(wire, 1, 1, cookie, new byte[8]))),
                Arguments.of("a hole of 4 GiB", answer(true, (wire, cookie) -> chunk(wire, 1, 2, cookie, hole(0, -1)))),
                Arguments.of(
                        "a hole of no bytes", answer(true, (wire, cookie) -> chunk(wire, 1, 2, cookie, hole(0, 0)))),
                Arguments.of("block status", answer(true, (wire, cookie) -> chunk(wire, 1, 5, cookie, new byte[12]))),
                Arguments.of(
                        "an unknown chunk", answer(true, (wire, cookie) -> chunk(wire, 1, 77, cookie, new byte[12]))),
                Arguments.of(
                        "an error of 4 GiB",
                        answer(
                                true,
                                (wire, cookie) -> wire.send(out -> {
                                    out.writeInt(Nbd.STRUCTURED_REPLY_MAGIC);
                                    out.writeShort(1);
                                    out.writeShort(Nbd.REPLY_TYPE_ERROR);
                                    out.writeLong(cookie);
                                    out.writeInt(-1);
                                }))),
                Arguments.of(
                        "an error whose message is longer than itself",
                        answer(
                                true,
                                (wire, cookie) ->
                                        chunk(wire, 1, Nbd.REPLY_TYPE_ERROR, cookie, new byte[] {0, 0, 0, 5, 1, 1}))),
                Arguments.of(
                        "an error without error",
                        answer(true, (wire, cookie) -> chunk(wire, 1, Nbd.REPLY_TYPE_ERROR, cookie, new byte[6]))));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("answers")
    void anUnsoundAnswerFailsTheRequest(String what, Object script) throws IOException {
        String uri = serve((Script) script);
        try (DiskImage disk = Served.open(uri, ImageFormat.RAW)) {
            assertThatThrownBy(() -> disk.read(0, List.of(MemorySegment.ofArray(new byte[4096]))))
                    .as(what)
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("not served soundly");
        }
    }

    @Test
    void anErrorOfTheServerIsToldWithItsWords() throws IOException {
        String uri = serve(answer(
                true,
                (wire, cookie) -> chunk(wire, 1, Nbd.REPLY_TYPE_ERROR, cookie, Wire.bytes(out -> {
                    out.writeInt(Nbd.ENOSPC);
                    out.writeShort(4);
                    out.writeBytes("full");
                }))));
        try (DiskImage disk = Served.open(uri, ImageFormat.RAW)) {
            assertThatThrownBy(() -> disk.write(0, List.of(MemorySegment.ofArray(new byte[4096]))))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("ENOSPC")
                    .hasMessageContaining("full");
        }
    }

    @Test
    void anEmptyRunOfBlocksIsRefused() throws IOException {
        String uri = serve(answer(
                true,
                (wire, cookie) -> chunk(wire, 1, Nbd.REPLY_TYPE_BLOCK_STATUS, cookie, Wire.bytes(out -> {
                    out.writeInt(9);
                    out.writeLong(0);
                }))));
        try (DiskImage disk = Served.open(uri, ImageFormat.RAW)) {
            assertThatThrownBy(() -> disk.extent(0, DISK_BYTES)).hasMessageContaining("not served soundly");
        }
    }

    @Test
    void aServerThatVanishesInMidAnswerIsAnErrorAtOnce() throws IOException {
        String uri = serve(answer(true, (wire, cookie) -> wire.channel().close()));
        try (DiskImage disk = Served.open(uri, ImageFormat.RAW)) {
            long start = System.nanoTime();
            assertThatThrownBy(() -> disk.read(0, List.of(MemorySegment.ofArray(new byte[4096]))))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("has gone");
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(10));
        }
    }
}
