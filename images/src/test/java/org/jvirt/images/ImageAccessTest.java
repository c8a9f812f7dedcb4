package org.jvirt.images;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.ImageFormat;

class ImageAccessTest {
    private static final long SIZE = 1 << 20;

    @TempDir
    Path folder;

    private final ImageAccess access = new ImageAccess();

    private String name(String file) {
        return folder.resolve(file).toString();
    }

    private DiskImage open(String reference, ImageOpening opening) {
        return access.open(ImageReference.of(reference), Optional.empty(), opening);
    }

    private static byte[] bytes(DiskImage image, int length) throws IOException {
        byte[] read = new byte[length];
        image.read(0, List.of(MemorySegment.ofArray(read)));
        return read;
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "LUKS")
    void whatIsCreatedIsRecognisedAndReadsAsZeroes(ImageFormat format) throws IOException {
        access.create(format, name("disk"), SIZE, Map.of());
        try (DiskImage image = open(name("disk"), ImageOpening.reading())) {
            assertThat(image.format()).isEqualTo(format);
            assertThat(image.sizeBytes()).isGreaterThanOrEqualTo(SIZE);
            assertThat(bytes(image, 4096)).containsOnly(0);
        }
    }

    @Test
    void aGuestCannotTurnAnImageThatIsProbedAsRawIntoAnotherFormat() throws IOException {
        access.create(ImageFormat.RAW, name("disk"), SIZE, Map.of());
        byte[] sector = new byte[512];
        System.arraycopy("QFI\u00fb\0\0\0\3".getBytes(StandardCharsets.ISO_8859_1), 0, sector, 0, 8);
        try (DiskImage image = open(name("disk"), ImageOpening.writing())) {
            assertThatThrownBy(() -> image.write(0, List.of(MemorySegment.ofArray(sector))))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("format=raw");
            image.write(512, List.of(MemorySegment.ofArray(sector)));
            sector[0] = 'X';
            image.write(0, List.of(MemorySegment.ofArray(sector)));
            assertThatThrownBy(() -> image.write(0, List.of(MemorySegment.ofArray(new byte[] {'Q'}))))
                    .isInstanceOf(IOException.class);
        }
        try (DiskImage image = open(name("disk"), ImageOpening.reading())) {
            assertThat(image.format()).isEqualTo(ImageFormat.RAW);
        }
        sector[0] = 'Q';
        try (DiskImage image =
                access.open(ImageReference.of(name("disk")), Optional.of(ImageFormat.RAW), ImageOpening.writing())) {
            image.write(0, List.of(MemorySegment.ofArray(sector)));
        }
    }

    @Test
    void backingNamesStartAtTheFolderOfTheImageThatHasThem() throws IOException {
        Files.createDirectory(folder.resolve("inner"));
        Files.write(folder.resolve("base.raw"), new byte[(int) SIZE]);
        try (var base = new RandomAccessFile(name("base.raw"), "rw")) {
            base.write(42);
        }
        access.create(
                ImageFormat.QCOW2,
                name("inner/top"),
                SIZE,
                Map.of("backing_file", "../base.raw", "backing_fmt", "raw"));
        try (DiskImage image = open(name("inner/top"), ImageOpening.reading())) {
            assertThat(bytes(image, 2)).containsExactly(42, 0);
        }
    }

    @Test
    void anImageBelowItselfIsRefused() {
        access.create(ImageFormat.QCOW2, name("a"), SIZE, Map.of("backing_file", "b", "backing_fmt", "qcow2"));
        access.create(ImageFormat.QCOW2, name("b"), SIZE, Map.of("backing_file", "a", "backing_fmt", "qcow2"));
        assertThatThrownBy(() -> open(name("a"), ImageOpening.reading()))
                .isInstanceOf(UserErrorException.class)
                .hasMessageContaining("its own backing file");
    }

    @Test
    void aTreeOfOptionsSaysAllThatANameDoes() throws IOException {
        access.create(ImageFormat.QCOW2, name("top"), SIZE, Map.of());
        Files.write(folder.resolve("base.raw"), new byte[] {7});
        String json = "json:{\"driver\": \"qcow2\", \"file\": {\"driver\": \"file\", \"filename\": \"%s\"}, "
                        .formatted(name("top"))
                + "\"read-only\": true}";
        try (DiskImage image = open(json, ImageOpening.writing())) {
            assertThat(image.format()).isEqualTo(ImageFormat.QCOW2);
            assertThat(image.readOnly()).isTrue();
        }
        try (DiskImage image = open("file:" + name("top"), ImageOpening.reading())) {
            assertThat(image.sizeBytes()).isEqualTo(SIZE);
        }
    }

    @Test
    void formatsMayLieInEachOther() throws IOException {
        access.create(ImageFormat.QCOW2, name("outer"), 16 * SIZE, Map.of());
        access.create(ImageFormat.QCOW2, name("inner"), SIZE, Map.of());
        byte[] inner = Files.readAllBytes(folder.resolve("inner"));
        try (DiskImage outer = open(name("outer"), ImageOpening.writing())) {
            outer.write(0, List.of(MemorySegment.ofArray(inner)));
        }
        var nested = new ImageReference(
                "nested", Map.of("driver", "qcow2", "file.driver", "qcow2", "file.file.filename", name("outer")));
        try (DiskImage image = access.open(nested, Optional.empty(), ImageOpening.writing())) {
            assertThat(image.sizeBytes()).isEqualTo(SIZE);
            image.write(0, List.of(MemorySegment.ofArray(new byte[] {1, 2, 3})));
        }
        try (DiskImage image = access.open(nested, Optional.empty(), ImageOpening.reading())) {
            assertThat(bytes(image, 4)).containsExactly(1, 2, 3, 0);
        }
    }

    @Test
    void referencesThatLeadElsewhereAreRefusedWithTheReason() {
        for (String reference :
                List.of("nbd:localhost:10809", "http://host/disk", "json:[]", "json:{", "json:{\"a\": 1}")) {
            assertThatThrownBy(() -> open(reference, ImageOpening.reading()))
                    .as(reference)
                    .isInstanceOf(UserErrorException.class);
        }
        String deep = "json:" + "{\"a\":".repeat(500) + "1" + "}".repeat(500);
        assertThatThrownBy(() -> open(deep, ImageOpening.reading())).isInstanceOf(UserErrorException.class);
        assertThatThrownBy(() -> access.opener().secret("sec0"))
                .isInstanceOf(UserErrorException.class)
                .hasMessageContaining("id=sec0");
    }

    @Test
    void aLookAtAnImageOpensNoFileOfDataThatItNames() throws IOException {
        access.create(ImageFormat.QCOW2, name("disk"), SIZE, Map.of("data_file", "data", "data_file_raw", "on"));
        Files.delete(folder.resolve("data"));
        assertThatThrownBy(() -> open(name("disk"), ImageOpening.reading()))
                .isInstanceOf(UserErrorException.class)
                .hasMessageContaining("there is no such file");
        try (DiskImage image = open(name("disk"), ImageOpening.looking())) {
            assertThat(image.info().specific()).containsEntry("data-file", "data");
            assertThatThrownBy(() -> bytes(image, 512)).hasMessageContaining("metadata only");
        }
    }
}
