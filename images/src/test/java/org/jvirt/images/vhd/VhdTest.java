package org.jvirt.images.vhd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.file.ImageFile;
import org.jvirt.images.format.CreateRequest;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.ImageOpener;
import org.jvirt.images.format.OpenRequest;
import org.jvirt.images.testing.MemoryFile;
import org.jvirt.images.testing.Peer;

class VhdTest {
    private static final long GIB = 1L << 30;
    private static final int BLOCK_BYTES = 2 << 20;

    @TempDir
    Path folder;

    private final MemoryFile parent = new MemoryFile("parent.vhd");

    private final ImageOpener opener = new ImageOpener() {
        @Override
        public DiskImage openBacking(ImageFile from, String reference, Optional<String> format) throws IOException {
            assertThat(reference).isEqualTo("folder/parent.vhd");
            assertThat(format).contains("vpc");
            return open(parent, true);
        }

        @Override
        public ImageFile openFile(ImageFile from, String reference, boolean readOnly) {
            throw new IllegalStateException();
        }

        @Override
        public ImageFile createFile(ImageFile from, String reference) {
            throw new IllegalStateException();
        }

        @Override
        public byte[] secret(String id) {
            throw new IllegalStateException();
        }
    };

    private MemoryFile create(MemoryFile file, long size, Map<String, String> options) throws IOException {
        new VhdDriver().create(file, new CreateRequest(size, options, opener));
        return file;
    }

    private DiskImage open(MemoryFile file, boolean readOnly) throws IOException {
        return new VhdDriver().open(file, new OpenRequest(readOnly, true, false, Map.of(), opener));
    }

    /// Sizes of every branch of the geometry scheme, with and without `force_size`.
    @Test
    void sizesAreRoundedAsQemuRoundsThem() throws IOException {
        Peer.need("qemu-img", "qemu-utils");
        long[] sizes = {512, 1 << 20, (64 << 20) + 512, 504L << 20, 3 * GIB + 77 * 512, 32 * GIB, 136 * GIB, 2040 * GIB
        };
        for (long size : sizes) {
            for (String force : List.of("on", "off")) {
                Peer.expect(
                        folder, "qemu-img", "create", "-q", "-f", "vpc", "-o", "force_size=" + force, "q", "" + size);
                String info = Peer.expect(folder, "qemu-img", "info", "--output=json", "-f", "vpc", "q");
                MemoryFile ours = create(new MemoryFile("disk.vhd"), size, Map.of("force_size", force));
                try (DiskImage image = open(ours, true);
                        DiskImage theirs = open(MemoryFile.load(folder.resolve("q")), true)) {
                    assertThat(info).contains("\"virtual-size\": " + image.sizeBytes());
                    assertThat(theirs.sizeBytes()).isEqualTo(image.sizeBytes());
                }
            }
        }
        assertThatThrownBy(() -> create(new MemoryFile("large"), 2041 * GIB, Map.of()))
                .isInstanceOf(UserErrorException.class)
                .hasMessageContaining("2040 GiB");
    }

    @Test
    void theCopyAtTheStartStandsInForALostFooter() throws IOException {
        MemoryFile file = create(new MemoryFile("disk.vhd"), 8 << 20, Map.of());
        file.write(file.sizeBytes() - 512, MemorySegment.ofArray(new byte[512]));
        try (DiskImage image = open(file, false)) {
            image.write(5, List.of(MemorySegment.ofArray(new byte[] {1})));
        }
        file.write(0, MemorySegment.ofArray(new byte[512]));
        assertThatThrownBy(() -> open(file, true)).hasMessageContaining("neither its start nor its end");
    }

    @Test
    void aDifferencingDiskShowsItsParentWhereItHasNoSectors() throws IOException {
        create(parent, 6 << 20, Map.of("force_size", "on"));
        byte[] model = new byte[6 << 20];
        Arrays.fill(model, (byte) 1);
        try (DiskImage image = open(parent, false)) {
            image.write(0, List.of(MemorySegment.ofArray(model)));
        }
        MemoryFile child = differencing(parentUuid());
        for (int sector : new int[] {0, 3, 4095}) {
            Arrays.fill(model, BLOCK_BYTES + sector * 512, BLOCK_BYTES + (sector + 1) * 512, (byte) 2);
        }
        try (DiskImage image = open(child, true)) {
            byte[] all = new byte[model.length];
            image.read(0, List.of(MemorySegment.ofArray(all)));
            assertThat(Arrays.mismatch(all, model)).isEqualTo(-1);
            assertThat(image.info().backingReference()).contains("folder/parent.vhd");
            assertThat(image.extent(BLOCK_BYTES, 1 << 20).lengthBytes()).isEqualTo(512);
        }
        assertThatThrownBy(() -> open(child, false)).hasMessageContaining("read-only");
        MemoryFile orphan = differencing(new byte[16]);
        assertThatThrownBy(() -> open(orphan, true)).hasMessageContaining("not the parent");
    }

    private byte[] parentUuid() throws IOException {
        byte[] uuid = new byte[16];
        parent.read(68, MemorySegment.ofArray(uuid));
        return uuid;
    }

    /// Footer, header, table, name of the parent, and one block with three sectors of its own.
    private MemoryFile differencing(byte[] uuid) throws IOException {
        MemoryFile file = create(new MemoryFile("child.vhd"), 6 << 20, Map.of("force_size", "on"));
        ByteBuffer footer = ByteBuffer.allocate(512);
        file.read(0, MemorySegment.ofBuffer(footer));
        footer.putInt(60, 4);
        footer.putInt(64, VhdFooter.checksum(footer.array(), 512, 64));
        ByteBuffer header = ByteBuffer.allocate(1024);
        file.read(512, MemorySegment.ofBuffer(header));
        byte[] name = ".\\folder\\parent.vhd".getBytes(StandardCharsets.UTF_16LE);
        header.put(40, uuid).putInt(576 + 24, 0x57327275).putInt(576 + 28, 1);
        header.putInt(576 + 32, name.length).putLong(576 + 40, 4096);
        header.putInt(36, VhdFooter.checksum(header.array(), 1024, 36));
        file.write(0, MemorySegment.ofBuffer(footer));
        file.write(512, MemorySegment.ofBuffer(header));
        file.write(4096, MemorySegment.ofArray(name));
        ByteBuffer entry = ByteBuffer.allocate(4).putInt(0, 16);
        file.write(1536 + 4, MemorySegment.ofBuffer(entry));
        byte[] bitmap = new byte[512];
        bitmap[0] = (byte) 0x90;
        bitmap[511] = 1;
        file.write(16 * 512, MemorySegment.ofArray(bitmap));
        byte[] block = new byte[BLOCK_BYTES];
        Arrays.fill(block, (byte) 2);
        file.write(17 * 512, MemorySegment.ofArray(block));
        file.write(17 * 512 + BLOCK_BYTES, MemorySegment.ofBuffer(footer));
        return file;
    }

    @Test
    void writingMarksEverySectorOfABlockAsInUse() throws IOException {
        MemoryFile file = create(new MemoryFile("disk.vhd"), 8 << 20, Map.of());
        try (DiskImage image = open(file, false)) {
            image.write(0, List.of(MemorySegment.ofArray(new byte[] {7})));
        }
        ByteBuffer entry = ByteBuffer.allocate(4);
        file.read(1536, MemorySegment.ofBuffer(entry));
        long bitmapAt = entry.getInt(0) * 512L;
        file.write(bitmapAt, MemorySegment.ofArray(new byte[512]));
        try (DiskImage image = open(file, false)) {
            image.write(4096, List.of(MemorySegment.ofArray(new byte[] {8})));
        }
        byte[] bitmap = new byte[512];
        file.read(bitmapAt, MemorySegment.ofArray(bitmap));
        byte[] full = new byte[512];
        Arrays.fill(full, (byte) -1);
        assertThat(bitmap).isEqualTo(full);
    }
}
