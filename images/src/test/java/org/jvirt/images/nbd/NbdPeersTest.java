package org.jvirt.images.nbd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.DiskImages;
import org.jvirt.images.ImageAccess;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.nbd.server.NbdExport;
import org.jvirt.images.testing.Peer;
import org.jvirt.images.tool.BlockStatus;
import org.jvirt.images.tool.ChainMap;

/// Our server with clients of others, our client with servers of others.
@Timeout(180)
class NbdPeersTest {
    private static final int DISK_BYTES = 16 << 20;

    @TempDir
    Path folder;

    /// Two islands of data.
    private Path content() throws IOException {
        Path file = Served.rawFile(folder, DISK_BYTES);
        byte[] island = new byte[300_000];
        new Random(1).nextBytes(island);
        try (var made = new RandomAccessFile(file.toFile(), "rw")) {
            made.seek(1 << 20);
            made.write(island);
            made.seek(9 << 20);
            made.write(island);
        }
        return file;
    }

    private Path asQcow2(Path raw) {
        Peer.need("qemu-img", "qemu-utils");
        Path image = folder.resolve("disk.qcow2");
        Peer.expect(folder, "qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw.toString(), image.toString());
        return image;
    }

    @ParameterizedTest
    @EnumSource(
            value = ImageFormat.class,
            names = {"RAW", "QCOW2"})
    void qemuWritesToOurServerAndReadsItAgain(ImageFormat format) throws IOException {
        Peer.need("qemu-io", "qemu-utils");
        Path raw = content();
        Path file = format == ImageFormat.RAW ? raw : asQcow2(raw);
        try (Served served = Served.image(folder, file, format, false)) {
            String output = Peer.expect(
                    folder,
                    "qemu-io",
                    "-f",
                    "raw",
                    "-c",
                    "write -P 3 5M 2M",
                    "-c",
                    "read -P 3 5M 2M",
                    "-c",
                    "write -z -u 6M 64k",
                    "-c",
                    "write -z 7M 1M",
                    "-c",
                    "discard 1M 64k",
                    "-c",
                    "write -f -P 4 12M 513",
                    "-c",
                    "aio_write -P 6 13M 1M",
                    "-c",
                    "aio_write -P 7 14M 1M",
                    "-c",
                    "aio_flush",
                    "-c",
                    "flush",
                    "-c",
                    "read -P 0 6M 64k",
                    served.uri());
            assertThat(output).doesNotContain("failed").doesNotContain("rror");
        }
        try (DiskImage image = DiskImages.open(file, format, true)) {
            byte[] bytes = new byte[DISK_BYTES];
            image.read(0, List.of(MemorySegment.ofArray(bytes)));
            assertThat(bytes[5 << 20]).isEqualTo((byte) 3);
            assertThat(bytes[6 << 20]).isZero();
            assertThat(bytes[12 << 20]).isEqualTo((byte) 4);
            assertThat(bytes[(14 << 20) - 1]).isEqualTo((byte) 6);
            assertThat(bytes[14 << 20]).isEqualTo((byte) 7);
        }
        if (format == ImageFormat.QCOW2) {
            Peer.expect(folder, "qemu-img", "check", file.toString());
        }
    }

    @Test
    void qemuMapsAndConvertsWhatWeServeAsIfItWereTheFile() throws IOException {
        Path raw = content();
        Path image = asQcow2(raw);
        try (Served served = Served.image(folder, image, ImageFormat.QCOW2, true)) {
            assertThat(extents(Peer.expect(folder, "qemu-img", "map", "--output=json", served.uri())))
                    .isEqualTo(extents(Peer.expect(folder, "qemu-img", "map", "--output=json", image.toString())));
            Peer.expect(folder, "qemu-img", "convert", "-O", "raw", served.uri(), folder + "/back.raw");
            assertThat(Files.mismatch(folder.resolve("back.raw"), raw)).isEqualTo(-1);
            assertThat(Peer.expect(
                            folder, "qemu-nbd", "-L", "-k", served.socket().toString()))
                    .contains("exports available: 1", "base:allocation", "qemu:allocation-depth", "a disk");
        }
    }

    /// Where data begins and ends, and nothing else.
    private static List<String> extents(String json) {
        List<String> extents = new ArrayList<>();
        for (String line : json.split("\n")) {
            extents.add(line.replaceAll(".*\"start\": (\\d+), \"length\": (\\d+).*\"data\": (\\w+).*", "$1+$2 $3"));
        }
        return extents;
    }

    @Test
    void nbdcopyCopiesFromAndToOurServer() throws IOException {
        Peer.need("nbdcopy", "libnbd-bin");
        Path raw = content();
        try (Served served = Served.image(folder, raw, ImageFormat.RAW, false)) {
            Peer.expect(folder, "nbdcopy", served.uri(), "back.raw");
            assertThat(Files.mismatch(folder.resolve("back.raw"), raw)).isEqualTo(-1);
            byte[] other = new byte[DISK_BYTES];
            new Random(2).nextBytes(other);
            Arrays.fill(other, 2 << 20, 5 << 20, (byte) 0);
            Files.write(folder.resolve("other.raw"), other);
            Peer.expect(folder, "nbdcopy", "--flush", "other.raw", served.uri());
            assertThat(Files.mismatch(folder.resolve("other.raw"), raw)).isEqualTo(-1);
        }
    }

    @Test
    void nbdinfoShowsWhatWeServeAndWhatABitmapCallsDirty() throws IOException {
        Peer.need("nbdinfo", "libnbd-bin");
        Path image = asQcow2(content());
        Peer.expect(folder, "qemu-img", "bitmap", "--add", "-g", "64k", image.toString(), "b0");
        try (DiskImage disk = DiskImages.open(image, ImageFormat.QCOW2, false)) {
            disk.write(4 << 20, List.of(MemorySegment.ofArray(new byte[100_000])));
        }
        DiskImage disk = DiskImages.open(image, ImageFormat.QCOW2, true);
        NbdExport export = NbdExport.ofImage("", "", disk, true, List.of("b0"), true);
        try (Served served = Served.exports(folder, disk::close, export)) {
            String map = Peer.expect(folder, "nbdinfo", "--map=qemu:dirty-bitmap:b0", served.uri());
            assertThat(map.lines().map(line -> line.trim().replaceAll("\\s+", " ")))
                    .containsExactly("0 4194304 0 clean", "4194304 131072 1 dirty", "4325376 12451840 0 clean");
            assertThat(Peer.expect(folder, "nbdinfo", served.uri()))
                    .contains("export-size: 16777216", "is_read_only: true", "block_size_preferred: 65536");
            // QEMU's client sees dirty blocks as those that are not zero.
            String dirty = Peer.expect(
                    folder,
                    "qemu-img",
                    "map",
                    "--output=json",
                    "--image-opts",
                    "driver=nbd,server.type=unix,server.path=%s,x-dirty-bitmap=qemu:dirty-bitmap:b0"
                            .formatted(served.socket()));
            assertThat(extents(dirty)).contains("4194304+131072 false");
        }
    }

    @Test
    void allocationDepthTellsTheLayers() throws IOException {
        Peer.need("nbdinfo", "libnbd-bin");
        Path base = asQcow2(content());
        Path top = folder.resolve("top.qcow2");
        Peer.expect(folder, "qemu-img", "create", "-q", "-f", "qcow2", "-b", base + "", "-F", "qcow2", top + "");
        try (DiskImage disk = DiskImages.open(top, ImageFormat.QCOW2, false)) {
            disk.write(0, List.of(MemorySegment.ofArray(new byte[65536])));
        }
        try (Served served = Served.image(folder, top, ImageFormat.QCOW2, true)) {
            String map = Peer.expect(folder, "nbdinfo", "--map=qemu:allocation-depth", served.uri());
            List<String> lines =
                    map.lines().map(line -> line.trim().replaceAll("\\s+", " ")).toList();
            assertThat(lines.getFirst()).startsWith("0 65536 1 ");
            assertThat(lines).anyMatch(line -> line.startsWith("1048576 ") && line.contains(" 2 "));
        }
    }

    private Daemon qemuNbd(String... options) throws IOException, InterruptedException {
        Peer.need("qemu-nbd", "qemu-utils");
        Path socket = folder.resolve("qemu.sock");
        List<String> command = new ArrayList<>(List.of("qemu-nbd", "-t", "-e", "8", "-k", socket.toString()));
        command.addAll(List.of(options));
        return Daemon.start(folder, socket, command);
    }

    private String qemuUri() {
        return "nbd+unix:///?socket=" + folder.resolve("qemu.sock");
    }

    @Test
    void weReadWriteAndMapWhatQemuServes() throws Exception {
        Path raw = content();
        Path image = asQcow2(raw);
        try (Daemon daemon = qemuNbd("-f", "qcow2", image.toString());
                DiskImage disk = Served.open(qemuUri(), ImageFormat.RAW)) {
            assertThat(daemon.process().isAlive()).isTrue();
            byte[] bytes = new byte[DISK_BYTES];
            disk.read(0, List.of(MemorySegment.ofArray(bytes)));
            assertThat(bytes).isEqualTo(Files.readAllBytes(raw));
            List<BlockStatus> runs = new ArrayList<>();
            ChainMap.runs(disk, 0, DISK_BYTES, runs::add);
            assertThat(runs).extracting(BlockStatus::zero).containsExactly(true, false, true, false, true);
            byte[] island = new byte[70_000];
            new Random(3).nextBytes(island);
            disk.write(777, List.of(MemorySegment.ofArray(island)));
            disk.writeZeroes(9 << 20, 65536, true);
            disk.discard(1 << 20, 65536);
            disk.flush();
        }
        try (DiskImage disk = DiskImages.open(image, ImageFormat.QCOW2, true)) {
            byte[] island = new byte[70_000];
            disk.read(777, List.of(MemorySegment.ofArray(island)));
            byte[] expected = new byte[70_000];
            new Random(3).nextBytes(expected);
            assertThat(island).isEqualTo(expected);
            assertThat(ChainMap.at(disk, 9 << 20, 65536).zero()).isTrue();
        }
    }

    @Test
    void weFindAQemuServerAgainThatWasKilled() throws Exception {
        Path raw = content();
        String uri = qemuUri() + "&reconnect-delay=60";
        Daemon first = qemuNbd("-f", "raw", raw.toString());
        try (DiskImage disk = Served.open(uri, ImageFormat.RAW)) {
            disk.write(0, List.of(MemorySegment.ofArray(new byte[] {9})));
            first.kill();
            Files.delete(folder.resolve("qemu.sock"));
            try (Daemon second = qemuNbd("-f", "raw", raw.toString())) {
                assertThat(second.process().isAlive()).isTrue();
                byte[] content = new byte[1];
                disk.read(0, List.of(MemorySegment.ofArray(content)));
                assertThat(content).containsExactly(9);
            }
        }
    }

    private Daemon nbdkit(String... options) throws IOException, InterruptedException {
        Peer.need("nbdkit", "nbdkit");
        Path socket = folder.resolve("kit.sock");
        List<String> command = new ArrayList<>(List.of("nbdkit", "-f", "-U", socket.toString()));
        command.addAll(List.of(options));
        return Daemon.start(folder, socket, command);
    }

    private String kitUri() {
        return "nbd+unix:///?socket=" + folder.resolve("kit.sock");
    }

    /// Blocks of 4 KiB are kept to, though an image's tables are not made of them.
    @ParameterizedTest
    @ValueSource(ints = {1, 512, 4096})
    void imagesLieOnNbdkitsDisksOfAnyBlockSize(int block) throws Exception {
        try (Daemon daemon = nbdkit(
                "--filter=blocksize-policy",
                "memory",
                "32M",
                "blocksize-minimum=" + block,
                "blocksize-preferred=4096",
                "blocksize-maximum=65536",
                "blocksize-error-policy=error")) {
            assertThat(daemon.process().isAlive()).isTrue();
            new ImageAccess().create(ImageFormat.QCOW2, kitUri(), DISK_BYTES, Map.of());
            byte[] island = new byte[200_000];
            new Random(4).nextBytes(island);
            try (DiskImage image = Served.open(kitUri(), ImageFormat.QCOW2)) {
                image.write(12_345, List.of(MemorySegment.ofArray(island)));
                image.writeZeroes(5 << 20, 65536, true);
            }
            try (DiskImage image = Served.open(kitUri(), ImageFormat.QCOW2)) {
                byte[] read = new byte[island.length];
                image.read(12_345, List.of(MemorySegment.ofArray(read)));
                assertThat(read).isEqualTo(island);
            }
        }
    }

    @Test
    void aServerWithoutStructuredRepliesOrGoServes() throws Exception {
        try (Daemon daemon = nbdkit("--mask-handshake=0", "--no-sr", "memory", "4M");
                DiskImage disk = Served.open(kitUri(), ImageFormat.RAW)) {
            assertThat(daemon.process().isAlive()).isTrue();
            disk.write(100, List.of(MemorySegment.ofArray(new byte[] {1, 2, 3})));
            byte[] read = new byte[3];
            disk.read(100, List.of(MemorySegment.ofArray(read)));
            assertThat(read).containsExactly(1, 2, 3);
            assertThat(ChainMap.at(disk, 0, 4 << 20).data()).isTrue();
        }
    }

    @Test
    void anErrorOfNbdkitIsTold() throws Exception {
        try (Daemon daemon = nbdkit("--filter=error", "memory", "4M", "error-pread-rate=100%", "error-pread=ENOMEM");
                DiskImage disk = Served.open(kitUri(), ImageFormat.RAW)) {
            assertThat(daemon.process().isAlive()).isTrue();
            assertThatThrownBy(() -> disk.read(0, List.of(MemorySegment.ofArray(new byte[512]))))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("ENOMEM");
        }
    }

    @Test
    void aServerThatIsNotThereIsNamed() {
        assertThatThrownBy(() -> Served.open(kitUri(), ImageFormat.RAW))
                .isInstanceOf(UserErrorException.class)
                .hasMessageContaining(kitUri());
    }
}
