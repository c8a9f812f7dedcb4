package org.jvirt.cli.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.jvirt.images.DiskImages;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.format.ImageInfo;

class DebianImageBuilderTest {
    private static final int DISK_BYTES = 64 << 20;

    @TempDir
    Path folder;

    @ParameterizedTest
    @EnumSource(
            value = ImageFormat.class,
            names = {"LUKS"},
            mode = EnumSource.Mode.EXCLUDE)
    void theBuiltDiskBecomesAnImageOfAnyFormatWithItsHoles(ImageFormat format) throws IOException {
        Path raw = folder.resolve("disk");
        byte[] boot = "boot sector".getBytes(java.nio.charset.StandardCharsets.UTF_8);
        try (var file = new RandomAccessFile(raw.toFile(), "rw")) {
            file.write(boot);
            file.setLength(DISK_BYTES);
        }
        Path image = DebianImageBuilder.inFormat(raw, format);
        assertThat(Files.exists(raw)).isEqualTo(format == ImageFormat.RAW);
        try (DiskImage disk = DiskImages.open(image, format, true)) {
            assertThat(disk.sizeBytes()).isGreaterThanOrEqualTo(DISK_BYTES);
            byte[] read = new byte[boot.length];
            disk.read(0, List.of(MemorySegment.ofArray(read)));
            assertThat(read).isEqualTo(boot);
            ImageInfo info = disk.info();
            assertThat(info.actualSizeBytes()).isLessThan(DISK_BYTES / 4);
        }
    }
}
