package org.jvirt.images.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.jvirt.images.DiskImages;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.nbd.server.NbdExport;
import org.jvirt.images.nbd.server.ServerSettings;

/// Clients that do not keep to the protocol get errors or lose their connection; others are served on.
@Timeout(60)
class HostileNbdClientTest {
    private static final long DISK_BYTES = 1 << 20;

    @TempDir
    Path folder;

    private Served served;

    @BeforeEach
    void serve() throws IOException {
        DiskImage image = DiskImages.open(Served.rawFile(folder, DISK_BYTES), ImageFormat.RAW, false);
        NbdExport export = NbdExport.ofImage("", "", image, true, List.of(), false);
        served = Served.settings(
                folder, image::close, new ServerSettings(List.of(export), Optional.empty(), 2, Duration.ofMillis(700)));
    }

    @AfterEach
    void stop() throws IOException {
        stillServes();
        served.close();
    }

    private void stillServes() throws IOException {
        try (Wire wire = Wire.over(served.connect()).go(false)) {
            wire.request(0, Nbd.CMD_FLUSH, 5, 0, 0);
            assertThat(wire.simpleReply(5)).isZero();
        }
    }

    static Stream<Arguments> openings() {
        byte[] hugeOption = Wire.bytes(out -> {
            out.writeInt(3);
            out.writeLong(Nbd.IHAVEOPT);
            out.writeInt(Nbd.OPT_GO);
            out.writeInt(-1);
        });
        byte[] longExportName = Wire.bytes(out -> {
            out.writeInt(3);
            out.writeLong(Nbd.IHAVEOPT);
            out.writeInt(Nbd.OPT_EXPORT_NAME);
            out.writeInt(100_000);
            out.write(new byte[100_000]);
        });
        byte[] noSuchExport = Wire.bytes(out -> {
            out.writeInt(3);
            out.writeLong(Nbd.IHAVEOPT);
            out.writeInt(Nbd.OPT_EXPORT_NAME);
            out.writeInt(1);
            out.writeByte('x');
        });
        return Stream.of(
                Arguments.of("unknown flags", Wire.bytes(out -> out.writeInt(0x8000_0003))),
                Arguments.of("no magic", Wire.bytes(out -> {
                    out.writeInt(3);
                    out.writeLong(0);
                })),
                Arguments.of("an option of 4 GiB", hugeOption),
                Arguments.of("a name of 100 kB", longExportName),
                Arguments.of("no such export", noSuchExport),
                Arguments.of(
                        "an HTTP request", "GET / HTTP/1.0\r\n\r\n".getBytes(java.nio.charset.StandardCharsets.UTF_8)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("openings")
    void nonsenseEndsTheConnection(String what, byte[] bytes) throws IOException {
        try (Wire wire = Wire.over(served.connect())) {
            wire.in().readNBytes(18);
            wire.out().write(bytes);
            assertThat(wire.ended()).as(what).isTrue();
        }
    }

    @Test
    void aSilentClientIsSentAwayAndAWaitingOneTakesItsPlace() throws IOException {
        try (Wire first = Wire.over(served.connect());
                Wire second = Wire.over(served.connect())) {
            first.greet();
            // Both places are taken: this one waits until the time of one of them is over.
            stillServes();
            assertThat(first.ended()).isTrue();
            assertThat(second.ended()).isTrue();
        }
    }

    static Stream<Arguments> options() {
        return Stream.of(
                Arguments.of(Nbd.OPT_LIST, new byte[1], Nbd.REP_ERR_INVALID),
                Arguments.of(Nbd.OPT_STRUCTURED_REPLY, new byte[1], Nbd.REP_ERR_INVALID),
                Arguments.of(Nbd.OPT_STARTTLS, new byte[0], Nbd.REP_ERR_POLICY),
                Arguments.of(11, new byte[0], Nbd.REP_ERR_UNSUP),
                Arguments.of(-1, new byte[9], Nbd.REP_ERR_UNSUP),
                Arguments.of(Nbd.OPT_INFO, new byte[0], Nbd.REP_ERR_INVALID),
                Arguments.of(Nbd.OPT_GO, Wire.bytes(out -> out.writeInt(-1)), Nbd.REP_ERR_INVALID),
                Arguments.of(Nbd.OPT_GO, Wire.bytes(out -> out.writeInt(5)), Nbd.REP_ERR_INVALID),
                Arguments.of(
                        Nbd.OPT_GO,
                        Wire.bytes(out -> {
                            out.writeInt(5000);
                            out.write(new byte[5000]);
                            out.writeShort(0);
                        }),
                        Nbd.REP_ERR_INVALID),
                Arguments.of(
                        Nbd.OPT_GO,
                        Wire.bytes(out -> {
                            out.writeInt(0);
                            out.writeShort(65535);
                        }),
                        Nbd.REP_ERR_INVALID),
                Arguments.of(
                        Nbd.OPT_GO,
                        Wire.bytes(out -> {
                            out.writeInt(0);
                            out.writeShort(0);
                            out.writeByte(0);
                        }),
                        Nbd.REP_ERR_INVALID),
                Arguments.of(
                        Nbd.OPT_GO,
                        Wire.bytes(out -> {
                            out.write(Wire.text("none"));
                            out.writeShort(0);
                        }),
                        Nbd.REP_ERR_UNKNOWN),
                Arguments.of(
                        Nbd.OPT_GO,
                        Wire.bytes(out -> {
                            out.write(Wire.text("x".repeat(4096)));
                            out.writeShort(0);
                        }),
                        Nbd.REP_ERR_UNKNOWN),
                Arguments.of(Nbd.OPT_LIST_META_CONTEXT, new byte[3], Nbd.REP_ERR_INVALID),
                Arguments.of(
                        Nbd.OPT_LIST_META_CONTEXT,
                        Wire.bytes(out -> {
                            out.writeInt(0);
                            out.writeInt(-1);
                        }),
                        Nbd.REP_ERR_INVALID),
                Arguments.of(
                        Nbd.OPT_LIST_META_CONTEXT,
                        Wire.bytes(out -> {
                            out.writeInt(0);
                            out.writeInt(2);
                            out.writeInt(1);
                            out.writeByte('b');
                        }),
                        Nbd.REP_ERR_INVALID),
                Arguments.of(
                        Nbd.OPT_SET_META_CONTEXT,
                        Wire.bytes(out -> {
                            out.writeInt(0);
                            out.writeInt(0);
                        }),
                        Nbd.REP_ERR_INVALID),
                Arguments.of(Nbd.OPT_INFO, new byte[70_000], Nbd.REP_ERR_TOO_BIG));
    }

    @ParameterizedTest
    @MethodSource("options")
    void anOptionThatMakesNoSenseIsAnsweredAndTheNextOneServed(int option, byte[] data, int error) throws IOException {
        try (Wire wire = Wire.over(served.connect()).greet().option(option, data)) {
            assertThat(wire.lastReply(option)).isEqualTo(error);
            wire.option(Nbd.OPT_LIST, new byte[0]);
            assertThat(wire.lastReply(Nbd.OPT_LIST)).isEqualTo(Nbd.REP_ACK);
        }
    }

    static Stream<Arguments> requests() {
        return Stream.of(
                Arguments.of(0, Nbd.CMD_READ, DISK_BYTES, 1L, Nbd.EINVAL),
                Arguments.of(0, Nbd.CMD_READ, -1L, 512L, Nbd.EINVAL),
                Arguments.of(0, Nbd.CMD_READ, Long.MAX_VALUE, 512L, Nbd.EINVAL),
                Arguments.of(0, Nbd.CMD_READ, 1L, DISK_BYTES, Nbd.EINVAL),
                Arguments.of(0, Nbd.CMD_READ, 0L, 0xffff_ffffL, Nbd.EINVAL),
                Arguments.of(Nbd.CMD_FLAG_DF, Nbd.CMD_READ, 0L, 512L, Nbd.EINVAL),
                Arguments.of(0x8000, Nbd.CMD_READ, 0L, 512L, Nbd.EINVAL),
                Arguments.of(0, Nbd.CMD_TRIM, DISK_BYTES - 1, 2L, Nbd.ENOSPC),
                Arguments.of(0, Nbd.CMD_WRITE_ZEROES, 0L, 0xffff_ffffL, Nbd.ENOSPC),
                Arguments.of(Nbd.CMD_FLAG_FAST_ZERO, Nbd.CMD_WRITE_ZEROES, 0L, 512L, Nbd.ENOTSUP),
                Arguments.of(0, Nbd.CMD_CACHE, DISK_BYTES, 1L, Nbd.EINVAL),
                Arguments.of(0, Nbd.CMD_BLOCK_STATUS, 0L, 512L, Nbd.EINVAL),
                Arguments.of(0, 8, 0L, 512L, Nbd.EINVAL),
                Arguments.of(0, 0xffff, 0L, 0L, Nbd.EINVAL));
    }

    @ParameterizedTest
    @MethodSource("requests")
    void aRequestThatMakesNoSenseIsAnsweredAndTheNextOneServed(int flags, int type, long offset, long length, int error)
            throws IOException {
        try (Wire wire = Wire.over(served.connect()).go(false)) {
            wire.request(flags, type, 0x1234_5678_9abc_def0L, offset, length);
            assertThat(wire.simpleReply(0x1234_5678_9abc_def0L)).isEqualTo(error);
            wire.request(0, Nbd.CMD_FLUSH, 2, 0, 0);
            assertThat(wire.simpleReply(2)).isZero();
        }
    }

    @Test
    void aWriteBehindTheEndIsTakenAndRefused() throws IOException {
        try (Wire wire = Wire.over(served.connect()).go(false)) {
            wire.request(0, Nbd.CMD_WRITE, 1, DISK_BYTES - 100, 200);
            wire.out().write(new byte[200]);
            assertThat(wire.simpleReply(1)).isEqualTo(Nbd.ENOSPC);
            wire.request(0, Nbd.CMD_FLUSH, 2, 0, 0);
            assertThat(wire.simpleReply(2)).isZero();
        }
    }

    @Test
    void aWriteLongerThanAllowedAndARequestWithoutMagicEndTheConnection() throws IOException {
        try (Wire wire = Wire.over(served.connect()).go(true)) {
            wire.request(0, Nbd.CMD_WRITE, 1, 0, Nbd.MAX_PAYLOAD_BYTES + 1);
            assertThat(wire.ended()).isTrue();
        }
        try (Wire wire = Wire.over(served.connect()).go(true)) {
            wire.out().write(new byte[28]);
            assertThat(wire.ended()).isTrue();
        }
    }

    @Test
    void blockStatusStaysInsideOfWhatWasAskedFor() throws IOException {
        try (Wire wire = Wire.over(served.connect()).go(true)) {
            wire.request(Nbd.CMD_FLAG_REQ_ONE, Nbd.CMD_BLOCK_STATUS, 1, 100, 50);
            Wire.Chunk status = wire.chunk();
            assertThat(status.type()).isEqualTo(Nbd.REPLY_TYPE_BLOCK_STATUS);
            ByteBuffer content = ByteBuffer.wrap(status.content());
            assertThat(content.getInt()).isZero();
            assertThat(content.getInt()).isEqualTo(50);
            assertThat(content.getInt()).isEqualTo(Nbd.STATE_HOLE | Nbd.STATE_ZERO);
            assertThat(content.hasRemaining()).isFalse();
            wire.request(0, Nbd.CMD_BLOCK_STATUS, 2, 0, 0);
            assertThat(wire.chunk().type()).isEqualTo(Nbd.REPLY_TYPE_ERROR);
        }
    }

    @Test
    void holesAreSentAsHolesUnlessOnePieceIsAskedFor() throws IOException {
        try (Wire wire = Wire.over(served.connect()).go(true)) {
            wire.request(0, Nbd.CMD_WRITE, 1, 65536, 3);
            wire.out().write(new byte[] {1, 2, 3});
            assertThat(wire.chunk().type()).isEqualTo(Nbd.REPLY_TYPE_NONE);
            wire.request(0, Nbd.CMD_READ, 2, 0, 131_072);
            assertThat(wire.chunk().type()).isEqualTo(Nbd.REPLY_TYPE_OFFSET_HOLE);
            assertThat(wire.chunk().type()).isEqualTo(Nbd.REPLY_TYPE_OFFSET_DATA);
            Wire.Chunk last = wire.chunk();
            assertThat(last.type()).isEqualTo(Nbd.REPLY_TYPE_OFFSET_HOLE);
            assertThat(last.flags()).isEqualTo(Nbd.REPLY_FLAG_DONE);
            wire.request(Nbd.CMD_FLAG_DF, Nbd.CMD_READ, 3, 0, 131_072);
            Wire.Chunk whole = wire.chunk();
            assertThat(whole.type()).isEqualTo(Nbd.REPLY_TYPE_OFFSET_DATA);
            assertThat(whole.content()).hasSize(131_072 + 8);
        }
    }

    /// Its answers wait in the kernel and in threads, its further requests in its own socket.
    @Test
    void aClientThatNeverReadsItsAnswersIsHeldBackAndHarmsNobody() throws IOException {
        try (Wire wire = Wire.over(served.connect()).go(true)) {
            wire.channel().configureBlocking(false);
            byte[] read = Wire.bytes(out -> {
                out.writeInt(Nbd.REQUEST_MAGIC);
                out.writeShort(Nbd.CMD_FLAG_DF);
                out.writeShort(Nbd.CMD_READ);
                out.writeLong(1);
                out.writeLong(0);
                out.writeInt((int) DISK_BYTES);
            });
            int sent = 0;
            long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
            long idleSince = System.nanoTime();
            while (System.nanoTime() - idleSince < Duration.ofSeconds(1).toNanos()) {
                assertThat(System.nanoTime())
                        .as("requests are taken without end")
                        .isLessThan(deadline);
                if (wire.channel().write(ByteBuffer.wrap(read)) > 0) {
                    sent++;
                    idleSince = System.nanoTime();
                }
                if (sent % 100 == 0) {
                    stillServes();
                }
            }
            assertThat(sent).isPositive();
            stillServes();
        }
    }

    @Test
    void aClientThatGoesInMidRequestLeavesNothingBehind() throws IOException {
        for (int i = 0; i < 20; i++) {
            try (Wire wire = Wire.over(served.connect()).go(i % 2 == 0)) {
                wire.request(0, Nbd.CMD_WRITE, 1, 0, 65536);
                wire.out().write(new byte[100]);
            }
        }
        stillServes();
    }
}
