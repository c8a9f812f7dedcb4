package org.jvirt.images.vmdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.format.CreateRequest;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.OpenRequest;
import org.jvirt.images.format.Repair;
import org.jvirt.images.testing.MemoryFile;
import org.jvirt.images.testing.MemoryOpener;
import org.jvirt.images.testing.Peer;

class VmdkTest {
    private static final int GRAIN_BYTES = 64 << 10;
    private static final int DISK_BYTES = 40 * GRAIN_BYTES + 4096;

    private final MemoryOpener opener = new MemoryOpener(new VmdkDriver());

    @TempDir
    Path folder;

    private MemoryFile create(String name, String... options) throws IOException {
        var file = new MemoryFile(name);
        opener.put(name, file);
        Map<String, String> all = new HashMap<>();
        for (String option : options) {
            all.put(option.split("=")[0], option.split("=")[1]);
        }
        new VmdkDriver().create(file, new CreateRequest(DISK_BYTES, all, opener));
        return file;
    }

    private DiskImage open(MemoryFile file, boolean readOnly) throws IOException {
        return new VmdkDriver().open(file, new OpenRequest(readOnly, true, false, Map.of(), opener));
    }

    private static byte[] read(DiskImage image) throws IOException {
        byte[] all = new byte[(int) image.sizeBytes()];
        image.read(0, List.of(MemorySegment.ofArray(all)));
        return all;
    }

    private static byte[] content() {
        byte[] content = new byte[DISK_BYTES];
        var random = new SplittableRandom(3);
        for (int grain = 0; grain < 41; grain += 1 + random.nextInt(3)) {
            byte[] piece = new byte[Math.min(GRAIN_BYTES, DISK_BYTES - grain * GRAIN_BYTES)];
            random.nextBytes(piece);
            Arrays.fill(piece, 0, random.nextInt(piece.length), (byte) grain);
            System.arraycopy(piece, 0, content, grain * GRAIN_BYTES, piece.length);
        }
        return content;
    }

    private void writeStream(MemoryFile file, byte[] content) throws IOException {
        try (DiskImage image = open(file, false)) {
            IntStream.range(0, 41).parallel().forEach(grain -> {
                int at = grain * GRAIN_BYTES;
                byte[] piece = Arrays.copyOfRange(content, at, Math.min(at + GRAIN_BYTES, content.length));
                if (!Arrays.equals(piece, new byte[piece.length])) {
                    try {
                        image.writeCompressed(at, MemorySegment.ofArray(piece));
                    } catch (IOException e) {
                        throw new AssertionError(e);
                    }
                }
            });
            assertThat(image.check(Repair.NONE).corruptions()).isZero();
        }
    }

    @Test
    void streamsGoToQemuAndBack() throws IOException {
        Peer.need("qemu-img", "qemu-utils");
        byte[] content = content();
        MemoryFile ours = create("ours.vmdk", "subformat=streamOptimized");
        writeStream(ours, content);
        ours.save(folder.resolve("ours.vmdk"));
        Peer.expect(folder, "qemu-img", "check", "-f", "vmdk", "ours.vmdk");
        Peer.expect(folder, "qemu-img", "convert", "-f", "vmdk", "-O", "raw", "ours.vmdk", "back");
        assertThat(Arrays.mismatch(Files.readAllBytes(folder.resolve("back")), content))
                .isEqualTo(-1);
        Files.write(folder.resolve("raw"), content);
        Peer.expect(folder, "qemu-img", "convert", "-O", "vmdk", "-o", "subformat=streamOptimized", "raw", "qemu.vmdk");
        try (DiskImage image = open(MemoryFile.load(folder.resolve("qemu.vmdk")), true)) {
            assertThat(Arrays.mismatch(read(image), content)).isEqualTo(-1);
            assertThat(image.info().specific()).containsEntry("create-type", "streamOptimized");
        }
    }

    @Test
    void aStreamWithItsDirectoryAtTheEndIsRead() throws IOException {
        byte[] content = content();
        MemoryFile file = create("stream.vmdk", "subformat=streamOptimized");
        writeStream(file, content);
        ByteBuffer header = ByteBuffer.allocate(512).order(ByteOrder.LITTLE_ENDIAN);
        file.read(0, MemorySegment.ofBuffer(header));
        ByteBuffer end = ByteBuffer.allocate(3 * 512).order(ByteOrder.LITTLE_ENDIAN);
        end.putLong(0, 1).putInt(12, 3).put(512, header.array());
        file.write(file.sizeBytes(), MemorySegment.ofBuffer(end));
        file.write(56, MemorySegment.ofArray(new byte[] {-1, -1, -1, -1, -1, -1, -1, -1}));
        try (DiskImage image = open(file, true)) {
            assertThat(Arrays.mismatch(read(image), content)).isEqualTo(-1);
        }
        file.truncate(file.sizeBytes() - 512);
        assertThatThrownBy(() -> open(file, true)).hasMessageContaining("truncated");
    }

    /// A file whose tables cannot be written as long as it is broken.
    private static final class BrokenFile extends MemoryFile {
        private boolean broken;

        BrokenFile(String name) {
            super(name);
        }

        @Override
        public synchronized void write(long offsetBytes, List<MemorySegment> from) throws IOException {
            if (broken && offsetBytes < GRAIN_BYTES) {
                throw new IOException("broken at " + offsetBytes);
            }
            super.write(offsetBytes, from);
        }
    }

    @Test
    void aTableOfAStreamThatCouldNotBeSavedIsSavedByTheNextFlush() throws IOException {
        var file = new BrokenFile("stream.vmdk");
        opener.put("stream.vmdk", file);
        new VmdkDriver().create(file, new CreateRequest(DISK_BYTES, Map.of("subformat", "streamOptimized"), opener));
        DiskImage image = open(file, false);
        image.write(GRAIN_BYTES, List.of(MemorySegment.ofArray(new byte[] {1, 2, 3})));
        file.broken = true;
        assertThatThrownBy(image::flush).hasMessageContaining("broken at");
        file.broken = false;
        image.flush();
        MemoryFile durable = file.copy();
        try (DiskImage again = open(durable, true)) {
            byte[] bytes = new byte[3];
            again.read(GRAIN_BYTES, List.of(MemorySegment.ofArray(bytes)));
            assertThat(bytes).containsExactly(1, 2, 3);
        }
        image.close();
    }

    @Test
    void aGrainOfAStreamIsWrittenOnce() throws IOException {
        MemoryFile file = create("stream.vmdk", "subformat=streamOptimized");
        try (DiskImage image = open(file, false)) {
            image.write(GRAIN_BYTES, List.of(MemorySegment.ofArray(new byte[] {1, 2, 3})));
            assertThatThrownBy(() -> image.write(GRAIN_BYTES, List.of(MemorySegment.ofArray(new byte[1]))))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("written once");
        }
    }

    /// A marker that claims more than it has, and data that inflates to more than a grain.
    @Test
    void brokenGrainsOfStreamsAreErrors() throws IOException {
        byte[] content = content();
        MemoryFile good = create("stream.vmdk", "subformat=streamOptimized");
        writeStream(good, content);
        long overhead = 128 * 512;
        for (int size : new int[] {0, -1, 1, 2 * GRAIN_BYTES, 2 * GRAIN_BYTES + 1, 20}) {
            MemoryFile bad = good.copy();
            ByteBuffer length =
                    ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(0, size);
            bad.write(overhead + 8, MemorySegment.ofBuffer(length));
            if (size == 2 * GRAIN_BYTES) {
                bad.write(overhead + 12, MemorySegment.ofArray(new byte[100]));
            }
            try (DiskImage image = open(bad, true)) {
                assertThatThrownBy(() -> read(image))
                        .isInstanceOf(IOException.class)
                        .hasMessageContaining("grain");
            }
        }
    }

    @Test
    void whatIsNotInTheDiskShowsThroughFromItsParent() throws IOException {
        Peer.need("qemu-img", "qemu-utils");
        MemoryFile base = create("base.vmdk");
        byte[] model = content();
        try (DiskImage image = open(base, false)) {
            image.write(0, List.of(MemorySegment.ofArray(model)));
        }
        MemoryFile top = create("top.vmdk", "backing_file=base.vmdk", "zeroed_grain=on");
        try (DiskImage image = open(top, false)) {
            byte[] piece = new byte[GRAIN_BYTES + 777];
            Arrays.fill(piece, (byte) 0x5a);
            image.write(3 * GRAIN_BYTES + 100, List.of(MemorySegment.ofArray(piece)));
            System.arraycopy(piece, 0, model, 3 * GRAIN_BYTES + 100, piece.length);
            image.writeZeroes(9 * GRAIN_BYTES - 50, 2 * GRAIN_BYTES + 100, true);
            Arrays.fill(model, 9 * GRAIN_BYTES - 50, 11 * GRAIN_BYTES + 50, (byte) 0);
            assertThat(Arrays.mismatch(read(image), model)).isEqualTo(-1);
        }
        base.save(folder.resolve("base.vmdk"));
        top.save(folder.resolve("top.vmdk"));
        Peer.expect(folder, "qemu-img", "check", "-f", "vmdk", "top.vmdk");
        Peer.expect(folder, "qemu-img", "convert", "-f", "vmdk", "-O", "raw", "top.vmdk", "back");
        assertThat(Arrays.mismatch(Files.readAllBytes(folder.resolve("back")), model))
                .isEqualTo(-1);

        try (DiskImage image = open(base, false)) {
            image.write(0, List.of(MemorySegment.ofArray(new byte[512])));
        }
        assertThatThrownBy(() -> open(top, true))
                .isInstanceOf(UserErrorException.class)
                .hasMessageContaining("CIDs differ");
    }

    @Test
    void descriptorsThatAskForTooMuchAreRefused() {
        String start = "# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType=\"x\"\n";
        refused(start, "names no extents");
        refused(start + "RW 99999999999999999 FLAT \"a\" 0\n", "names no extents");
        refused(start + "RW 0 FLAT \"a\" 0\n", "0 sectors");
        refused(start + "RW 10 FLAT \"a\"\n", "lacks the file or offset");
        refused(start + "RW 10 VMFSSPARSE \"a\"\n", "VMFSSPARSE");
        refused(start + "RW 10 SPARSE \"a\"\n", "no file a");
        refused(start + "RW 9007199254740992 ZERO\n".repeat(2000), "larger than any disk");
        refused(start + "RW 1 ZERO\n".repeat(5000), "more than 4096");
        refused(start.replace("CID=1\n", "CID=zz\n") + "RW 1 ZERO\n", "CID");
        refused(start.replace("=ffffffff", "=1") + "RW 1 ZERO\n", "does not name the parent");
    }

    private void refused(String descriptor, String because) {
        assertThatThrownBy(() -> {
                    var file = new MemoryFile("d.vmdk");
                    file.write(0, MemorySegment.ofArray(descriptor.getBytes(StandardCharsets.UTF_8)));
                    open(file, true).close();
                })
                .isInstanceOf(UserErrorException.class)
                .hasMessageContaining(because);
    }

    @Test
    void extentsOfZeroesAndFlatOnesMakeOneDisk() throws IOException {
        var flat = new MemoryFile("flat");
        byte[] bytes = new byte[4096];
        Arrays.fill(bytes, (byte) 9);
        flat.write(0, MemorySegment.ofArray(bytes));
        opener.put("flat", flat);
        var file = new MemoryFile("d.vmdk");
        String text = "version=1\nCID=1\nparentCID=ffffffff\ncreateType=\"custom\"\nRW 8 ZERO\nRW 4 FLAT \"flat\" 2\n";
        file.write(0, MemorySegment.ofArray(text.getBytes(StandardCharsets.UTF_8)));
        try (DiskImage image = open(file, false)) {
            image.write(4096, List.of(MemorySegment.ofArray(new byte[] {1})));
            byte[] all = read(image);
            assertThat(all).hasSize(12 * 512);
            assertThat(Arrays.copyOf(all, 4096)).isEqualTo(new byte[4096]);
            assertThat(all[4096]).isEqualTo((byte) 1);
            assertThat(all[4097]).isEqualTo((byte) 9);
            assertThatThrownBy(() -> image.write(0, List.of(MemorySegment.ofArray(new byte[1]))))
                    .hasMessageContaining("zeroes");
        }
    }
}
