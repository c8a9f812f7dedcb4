package org.jvirt.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.jvirt.core.BlockBackend;
import org.jvirt.images.DiskImages;
import org.jvirt.images.ImageAccess;
import org.jvirt.images.ImageReference;
import org.jvirt.images.Secrets;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.nbd.NbdAddress;
import org.jvirt.images.nbd.server.NbdExport;
import org.jvirt.images.nbd.server.NbdServer;
import org.jvirt.images.nbd.server.ServerSettings;

/// A guest's disks that need a key, and one that another program serves.
@Tag("acceptance")
final class EncryptedAndServedDisksTest {
    private static final long DISK_BYTES = 16 << 20;
    private static final ImageAccess ACCESS =
            new ImageAccess().withSecrets(Secrets.none().with("key", "correct horse".getBytes(StandardCharsets.UTF_8)));

    @TempDir
    private Path folder;

    private static BlockBackend open(ImageReference reference, ImageFormat format) {
        return DiskImages.openDisk(ACCESS, reference, Optional.of(format), false);
    }

    private ImageReference create(String name, ImageFormat format, Map<String, String> options, String key) {
        Path file = folder.resolve(name);
        ACCESS.create(format, file.toString(), DISK_BYTES, options);
        return key.isEmpty()
                ? ImageReference.ofFile(file)
                : new ImageReference(name, Map.of("filename", file.toString(), key, "key"));
    }

    @Test
    void whatAGuestWritesIsInTheEncryptedImagesAndAtTheServer() throws Exception {
        ImageReference qcow2 = create(
                "disk.qcow2",
                ImageFormat.QCOW2,
                Map.of("encrypt.format", "luks", "encrypt.key-secret", "key", "encrypt.iter-time", "20"),
                "encrypt.key-secret");
        ImageReference luks =
                create("disk.luks", ImageFormat.LUKS, Map.of("key-secret", "key", "iter-time", "20"), "key-secret");
        ImageReference plain = create("served.qcow2", ImageFormat.QCOW2, Map.of(), "");
        Path socket = folder.resolve("nbd.sock");
        try (DiskImage served = DiskImages.open(folder.resolve("served.qcow2"), ImageFormat.QCOW2, false)) {
            NbdExport export = NbdExport.ofImage("disk", "", served, true, List.of(), false);
            try (NbdServer server = NbdServer.start(new NbdAddress.Unix(socket), ServerSettings.of(export));
                    BlockBackend first = open(qcow2, ImageFormat.QCOW2);
                    BlockBackend second = open(luks, ImageFormat.LUKS);
                    BlockBackend third = open(ImageReference.of("nbd+unix:///disk?socket=" + socket), ImageFormat.RAW);
                    Guest guest = Guest.start(
                            builder -> builder.disk(first).disk(second).disk(third))) {
                assertThat(server.clients()).isEqualTo(1);
                Shell shell = guest.shell();
                for (String disk : List.of("vda", "vdb", "vdc")) {
                    shell.run("echo words-of-%s | dd of=/dev/%s bs=512 seek=9 conv=fsync".formatted(disk, disk));
                }
                guest.powerOff();
            }
        }
        assertThat(words(qcow2, ImageFormat.QCOW2)).isEqualTo("words-of-vda");
        assertThat(words(luks, ImageFormat.LUKS)).isEqualTo("words-of-vdb");
        assertThat(words(plain, ImageFormat.QCOW2)).isEqualTo("words-of-vdc");
        for (String file : List.of("disk.qcow2", "disk.luks")) {
            assertThat(Files.readString(folder.resolve(file), StandardCharsets.ISO_8859_1))
                    .doesNotContain("words-of");
        }
    }

    private static String words(ImageReference reference, ImageFormat format) throws IOException {
        byte[] bytes = new byte["words-of-vda".length()];
        try (BlockBackend disk = open(reference, format)) {
            disk.read(9 * 512, List.of(MemorySegment.ofArray(bytes)));
        }
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
