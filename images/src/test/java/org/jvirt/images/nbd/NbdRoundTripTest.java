package org.jvirt.images.nbd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.jvirt.core.BlockBackend;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.DiskImages;
import org.jvirt.images.ImageAccess;
import org.jvirt.images.ImageOpening;
import org.jvirt.images.ImageReference;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.ImageBitmaps;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.nbd.server.NbdExport;
import org.jvirt.images.tool.BlockStatus;
import org.jvirt.images.tool.ChainMap;

/// Our client and our server.
@Timeout(120)
class NbdRoundTripTest {
    private static final int DISK_BYTES = 8 << 20;

    @TempDir
    Path folder;

    @ParameterizedTest
    @EnumSource(
            value = ImageFormat.class,
            names = {"RAW", "QCOW2"})
    void randomRequestsKeepServerAndClientInAgreement(ImageFormat format) throws Exception {
        Path file = folder.resolve("disk");
        new ImageAccess().create(format, file.toString(), DISK_BYTES, Map.of());
        byte[] model = new byte[DISK_BYTES];
        try (Served served = Served.image(folder, file, format, false);
                DiskImage disk = served.open()) {
            // Each thread has its own part of the disk, so that the model is clear.
            try (var threads = Executors.newFixedThreadPool(4)) {
                List<Future<?>> running = new ArrayList<>();
                for (int i = 0; i < 4; i++) {
                    int part = i;
                    running.add(threads.submit(() -> {
                        randomRequests(disk, model, part * (DISK_BYTES / 4), DISK_BYTES / 4, new Random(part));
                        return null;
                    }));
                }
                for (Future<?> each : running) {
                    each.get();
                }
            }
            byte[] all = new byte[DISK_BYTES];
            disk.read(0, List.of(MemorySegment.ofArray(all)));
            assertThat(Arrays.mismatch(all, model)).isEqualTo(-1);
            disk.flush();
        }
        try (DiskImage image = DiskImages.open(file, format, true)) {
            byte[] all = new byte[DISK_BYTES];
            image.read(0, List.of(MemorySegment.ofArray(all)));
            assertThat(Arrays.mismatch(all, model)).isEqualTo(-1);
        }
    }

    private static void randomRequests(DiskImage disk, byte[] model, int start, int length, Random random)
            throws IOException {
        for (int i = 0; i < 300; i++) {
            int count = 1 + random.nextInt(random.nextInt(8) == 0 ? length / 2 : 9000);
            int at = start + random.nextInt(length - count);
            switch (random.nextInt(6)) {
                case 0, 1 -> {
                    byte[] bytes = new byte[count];
                    random.nextBytes(bytes);
                    disk.write(at, List.of(MemorySegment.ofArray(bytes)));
                    System.arraycopy(bytes, 0, model, at, count);
                }
                case 2 -> {
                    disk.writeZeroes(at, count, random.nextBoolean());
                    Arrays.fill(model, at, at + count, (byte) 0);
                }
                case 3 -> disk.flush();
                default -> {
                    // Memory that only this thread may touch, whoever reads the socket.
                    try (Arena arena = Arena.ofConfined()) {
                        MemorySegment first = arena.allocate(count / 2 + 1);
                        MemorySegment second = arena.allocate(count - count / 2);
                        MemorySegment head = first.asSlice(0, count / 2);
                        disk.read(at, List.of(head, second));
                        var expected = MemorySegment.ofArray(model);
                        assertThat(head.mismatch(expected.asSlice(at, count / 2)))
                                .isEqualTo(-1);
                        assertThat(second.mismatch(expected.asSlice(at + count / 2, count - count / 2)))
                                .isEqualTo(-1);
                    }
                }
            }
        }
    }

    @Test
    void holesAndDataAreToldApart() throws IOException {
        Path file = Served.rawFile(folder, DISK_BYTES);
        try (Served served = Served.image(folder, file, ImageFormat.RAW, false);
                DiskImage disk = served.open()) {
            disk.write(1 << 20, List.of(MemorySegment.ofArray(new byte[] {1}).asSlice(0, 1)));
            List<BlockStatus> runs = new ArrayList<>();
            ChainMap.runs(disk, 0, DISK_BYTES, runs::add);
            assertThat(runs).extracting(BlockStatus::zero).containsExactly(true, false, true);
            assertThat(runs.get(1).offsetBytes()).isEqualTo(1 << 20);
            disk.discard(1 << 20, 4096);
            assertThat(ChainMap.at(disk, 0, DISK_BYTES).lengthBytes()).isEqualTo(DISK_BYTES);
        }
    }

    /// A disk of which the first read waits for the second.
    private record WaitingDisk(BlockBackend below, CountDownLatch first, CountDownLatch second)
            implements BlockBackend {
        @Override
        public String name() {
            return "waiting";
        }

        @Override
        public long sizeBytes() {
            return below.sizeBytes();
        }

        @Override
        public boolean readOnly() {
            return false;
        }

        @Override
        public void read(long offsetBytes, List<MemorySegment> into) throws IOException {
            try {
                if (offsetBytes == 0) {
                    first.countDown();
                    assertThat(second.await(60, TimeUnit.SECONDS)).isTrue();
                } else {
                    second.countDown();
                }
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
            below.read(offsetBytes, into);
        }

        @Override
        public void write(long offsetBytes, List<MemorySegment> from) throws IOException {
            below.write(offsetBytes, from);
        }

        @Override
        public void flush() throws IOException {
            throw new IOException("the medium is broken");
        }

        @Override
        public void discard(long offsetBytes, long lengthBytes) throws IOException {
            below.discard(offsetBytes, lengthBytes);
        }

        @Override
        public void writeZeroes(long offsetBytes, long lengthBytes, boolean mayUnmap) throws IOException {
            below.writeZeroes(offsetBytes, lengthBytes, mayUnmap);
        }

        @Override
        public void close() throws IOException {
            below.close();
        }
    }

    private WaitingDisk waitingDisk() throws IOException {
        Path file = Served.rawFile(folder, DISK_BYTES);
        return new WaitingDisk(
                DiskImages.open(file, ImageFormat.RAW, false), new CountDownLatch(1), new CountDownLatch(1));
    }

    @Test
    void aSlowRequestDoesNotHoldUpTheNextOne() throws Exception {
        WaitingDisk slow = waitingDisk();
        try (Served served = Served.exports(folder, slow::close, NbdExport.ofDisk("", "", slow, false));
                DiskImage disk = served.open();
                var threads = Executors.newFixedThreadPool(1)) {
            Future<?> waiting = threads.submit(() -> {
                disk.read(0, List.of(MemorySegment.ofArray(new byte[512])));
                return null;
            });
            assertThat(slow.first.await(60, TimeUnit.SECONDS)).isTrue();
            disk.read(4096, List.of(MemorySegment.ofArray(new byte[512])));
            waiting.get();
        }
    }

    @Test
    void anErrorOfTheDiskReachesWhoAskedAndTheConnectionGoesOn() throws IOException {
        WaitingDisk broken = waitingDisk();
        try (Served served = Served.exports(folder, broken::close, NbdExport.ofDisk("", "", broken, false));
                DiskImage disk = served.open()) {
            assertThatThrownBy(disk::flush)
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("EIO")
                    .hasMessageContaining("the medium is broken");
            disk.read(4096, List.of(MemorySegment.ofArray(new byte[512])));
        }
    }

    @Test
    void exportsAreChosenByName() throws IOException {
        Path one = folder.resolve("one");
        Path two = folder.resolve("two");
        Files.write(one, new byte[4096]);
        Files.write(two, new byte[8192]);
        DiskImage first = DiskImages.open(one, ImageFormat.RAW, false);
        DiskImage second = DiskImages.open(two, ImageFormat.RAW, true);
        try (Served served = Served.exports(
                folder,
                () -> {
                    first.close();
                    second.close();
                },
                NbdExport.ofImage("first disk/ä", "", first, true, List.of(), false),
                NbdExport.ofImage("two", "the second", second, true, List.of(), false))) {
            String place = "?socket=" + served.socket();
            try (DiskImage disk = Served.open("nbd+unix:///first%20disk/%C3%A4" + place, ImageFormat.RAW)) {
                assertThat(disk.sizeBytes()).isEqualTo(4096);
            }
            assertThatThrownBy(() -> Served.open("nbd+unix:///two" + place, ImageFormat.RAW))
                    .isInstanceOf(UserErrorException.class)
                    .hasMessageContaining("open it read-only");
            assertThatThrownBy(() -> Served.open("nbd+unix:///none" + place, ImageFormat.RAW))
                    .isInstanceOf(UserErrorException.class)
                    .hasMessageContaining("no such export");
            List<ExportDetails> listed =
                    NbdListing.of(NbdTarget.of(new NbdAddress.Unix(served.socket()), Optional.empty()));
            assertThat(listed).extracting(ExportDetails::name).containsExactly("first disk/ä", "two");
            assertThat(listed.get(1).description()).isEqualTo("the second");
            assertThat(listed.get(1).has(Nbd.FLAG_READ_ONLY)).isTrue();
        }
    }

    @Test
    void theSocketIsPrivateAndGoesWithTheServer() throws IOException {
        Path file = Served.rawFile(folder, 4096);
        Served served = Served.image(folder, file, ImageFormat.RAW, false);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(served.socket())))
                .isEqualTo("rw-------");
        assertThatThrownBy(() -> Served.image(folder, file, ImageFormat.RAW, false))
                .isInstanceOf(UserErrorException.class);
        served.close();
        assertThat(served.socket()).doesNotExist();
        try (var left = Files.list(folder)) {
            assertThat(left).containsExactly(file);
        }
    }

    @Test
    void aServerEndsThoughClientsHoldOnToTheirConnections() throws IOException {
        Path file = Served.rawFile(folder, DISK_BYTES);
        Served served = Served.image(folder, file, ImageFormat.RAW, false);
        try (Wire silent = Wire.over(served.connect());
                Wire greeting = Wire.over(served.connect()).greet();
                Wire reading = Wire.over(served.connect()).go(true)) {
            for (int cookie = 0; cookie < 8; cookie++) {
                reading.request(Nbd.CMD_FLAG_DF, Nbd.CMD_READ, cookie, 0, 4 << 20);
            }
            served.close();
            assertThat(silent.ended()).isTrue();
            assertThat(greeting.ended()).isTrue();
            assertThat(reading.ended()).isTrue();
        }
    }

    @Test
    void aServerThatComesBackIsFoundAgain() throws Exception {
        Path file = Served.rawFile(folder, DISK_BYTES);
        Served before = Served.image(folder, file, ImageFormat.RAW, false);
        try (DiskImage disk = Served.open(before.uri() + "&reconnect-delay=60", ImageFormat.RAW);
                var threads = Executors.newFixedThreadPool(1)) {
            disk.write(0, List.of(MemorySegment.ofArray(new byte[] {42})));
            before.close();
            byte[] content = new byte[1];
            Future<?> waiting = threads.submit(() -> {
                disk.read(0, List.of(MemorySegment.ofArray(content)));
                return null;
            });
            try (Served after = Served.image(folder, file, ImageFormat.RAW, false)) {
                assertThat(after.uri()).isEqualTo(before.uri());
                waiting.get();
                assertThat(content).containsExactly(42);
            }
        }
    }

    @Test
    void aServerThatStaysAwayIsAnErrorAndALaterOneOfTheSameDiskServes() throws IOException {
        Path file = Served.rawFile(folder, DISK_BYTES);
        Served before = Served.image(folder, file, ImageFormat.RAW, false);
        byte[] content = new byte[512];
        try (DiskImage disk = before.open()) {
            before.close();
            for (int i = 0; i < 3; i++) {
                assertThatThrownBy(() -> disk.read(0, List.of(MemorySegment.ofArray(content))))
                        .isInstanceOf(IOException.class)
                        .hasMessageContaining("has gone")
                        .hasMessageContaining(before.uri());
            }
            try (Served after = Served.image(folder, file, ImageFormat.RAW, false)) {
                assertThat(after.server().clients()).isZero();
                readWhenAllowed(disk, content);
            }
        }
    }

    /// Attempts are at least a second apart.
    private static void readWhenAllowed(DiskImage disk, byte[] content) throws IOException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (true) {
            try {
                disk.read(0, List.of(MemorySegment.ofArray(content)));
                return;
            } catch (IOException e) {
                if (System.nanoTime() > end) {
                    throw e;
                }
                Thread.onSpinWait();
            }
        }
    }

    @Test
    void aDiskThatHasChangedItsSizeIsNotTheSame() throws IOException {
        Path file = Served.rawFile(folder, DISK_BYTES);
        Served before = Served.image(folder, file, ImageFormat.RAW, false);
        try (DiskImage disk = Served.open(before.uri() + "&reconnect-delay=20", ImageFormat.RAW)) {
            before.close();
            Path other = Served.rawFile(folder, DISK_BYTES / 2);
            try (Served after = Served.image(folder, other, ImageFormat.RAW, false)) {
                assertThat(after.server().clients()).isZero();
                assertThatThrownBy(() -> disk.read(0, List.of(MemorySegment.ofArray(new byte[512]))))
                        .hasMessageContaining("not the same disk");
            }
        }
    }

    @Test
    void anInterruptedThreadDoesNotLoseTheDisk() throws Exception {
        Path file = Served.rawFile(folder, DISK_BYTES);
        try (Served served = Served.image(folder, file, ImageFormat.RAW, false);
                DiskImage disk = served.open();
                var threads = Executors.newFixedThreadPool(1)) {
            Future<Boolean> result = threads.submit(() -> {
                Thread.currentThread().interrupt();
                disk.write(0, List.of(MemorySegment.ofArray(new byte[] {7})));
                return Thread.interrupted();
            });
            assertThat(result.get()).isTrue();
            byte[] content = new byte[1];
            disk.read(0, List.of(MemorySegment.ofArray(content)));
            assertThat(content).containsExactly(7);
        }
    }

    @Test
    void imagesLieOnServedDisksAndNameOthersOnlyWhereAllowed() throws IOException {
        Path base = folder.resolve("base.raw");
        Files.write(base, new byte[DISK_BYTES]);
        try (Served served = Served.image(folder, base, ImageFormat.RAW, false)) {
            Path top = folder.resolve("top.qcow2");
            new ImageAccess()
                    .create(
                            ImageFormat.QCOW2,
                            top.toString(),
                            DISK_BYTES,
                            Map.of("backing_file", served.uri(), "backing_fmt", "raw"));
            var reference = ImageReference.ofFile(top);
            assertThatThrownBy(() -> new ImageAccess().open(reference, Optional.empty(), ImageOpening.writing()))
                    .isInstanceOf(UserErrorException.class)
                    .hasMessageContaining("--allow-network-backing");
            var access =
                    new ImageAccess().withNetwork(new ImageAccess().network().allowingImages());
            try (DiskImage image = access.open(reference, Optional.empty(), ImageOpening.writing())) {
                image.write(0, List.of(MemorySegment.ofArray(new byte[] {1, 2, 3})));
                assertThat(image.backing()).isPresent();
            }
            var named = ImageReference.of(
                    "json:{\"driver\":\"qcow2\",\"file\":{\"driver\":\"file\",\"filename\":\"%s\"},\"backing\":{\"driver\":\"raw\",\"file\":{\"driver\":\"nbd\",\"server\":{\"type\":\"unix\",\"path\":\"%s\"}}}}"
                            .formatted(top, served.socket()));
            try (DiskImage image = new ImageAccess().open(named, Optional.empty(), ImageOpening.reading())) {
                assertThat(image.backing()).isPresent();
            }
        }
    }

    @Test
    void aServedImageReachesNoFileOfItsReader() throws IOException {
        Path secret = folder.resolve("secret.raw");
        Files.write(secret, new byte[DISK_BYTES]);
        Path top = folder.resolve("top.qcow2");
        new ImageAccess()
                .create(
                        ImageFormat.QCOW2,
                        top.toString(),
                        DISK_BYTES,
                        Map.of("backing_file", secret.toString(), "backing_fmt", "raw"));
        try (Served served = Served.image(folder, top, ImageFormat.RAW, true)) {
            var reference = ImageReference.of(served.uri());
            assertThatThrownBy(() ->
                            new ImageAccess().open(reference, Optional.of(ImageFormat.QCOW2), ImageOpening.reading()))
                    .isInstanceOf(UserErrorException.class)
                    .hasMessageContaining("from host to host");
        }
    }

    @Test
    void aBitmapTellsWhatIsDirty() throws IOException {
        Path file = folder.resolve("disk.qcow2");
        new ImageAccess().create(ImageFormat.QCOW2, file.toString(), DISK_BYTES, Map.of());
        try (DiskImage image = DiskImages.open(file, ImageFormat.QCOW2, false)) {
            ImageBitmaps bitmaps = image.bitmaps().orElseThrow();
            bitmaps.add("b0", 0, true);
            image.write(3 << 20, List.of(MemorySegment.ofArray(new byte[100_000])));
        }
        DiskImage image = DiskImages.open(file, ImageFormat.QCOW2, true);
        NbdExport export = NbdExport.ofImage("", "", image, true, List.of("b0"), true);
        try (Served served = Served.exports(folder, image::close, export)) {
            var target = NbdTarget.of(new NbdAddress.Unix(served.socket()), Optional.empty());
            assertThat(NbdListing.of(target).getFirst().contexts())
                    .extracting(ExportDetails.Context::name)
                    .containsExactly("base:allocation", "qemu:allocation-depth", "qemu:dirty-bitmap:b0");
        }
        DiskImage again = DiskImages.open(file, ImageFormat.QCOW2, true);
        assertThatThrownBy(() -> NbdExport.ofImage("", "", again, true, List.of("b1"), false))
                .isInstanceOf(UserErrorException.class)
                .hasMessageContaining("b1");
        again.close();
    }
}
