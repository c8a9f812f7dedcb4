package org.jvirt.cli.img;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// `jvirt img` and the real qemu-img say the same of the same images, and understand each other's.
class ImgAgainstQemuTest {
    @TempDir
    Path folder;

    private Img ours(String command) {
        return Img.ours(folder, command);
    }

    private Img qemus(String command) {
        return Img.qemus(folder, command);
    }

    private void expect(Img result) {
        assertThat(result.exitCode()).as(result.toString()).isZero();
    }

    /// A raw file with islands of data; a qcow2 image of it; an overlay on that with changes, a snapshot and a
    /// bitmap.
    @BeforeEach
    void makeImages() throws IOException {
        try (var file = new RandomAccessFile(folder.resolve("disk.raw").toFile(), "rw")) {
            file.setLength(8 << 20);
            byte[] island = new byte[200_000];
            for (int i = 0; i < island.length; i++) {
                island[i] = (byte) (i / 777 + 1);
            }
            file.seek(1 << 20);
            file.write(island);
            file.seek(5 << 20);
            file.write(island);
        }
        Files.write(folder.resolve("odd.raw"), new byte[] {1, 2, 3});
        expect(qemus("convert -f raw -O qcow2 @disk.raw @base.qcow2"));
        expect(qemus("create -q -f qcow2 -b base.qcow2 -F qcow2 @top.qcow2 12M"));
        expect(qemus("bitmap --add @top.qcow2 b0"));
        expect(qemus("dd -f raw -O qcow2 bs=64k count=40 if=@disk.raw of=@part.qcow2"));
        expect(qemus("snapshot -c before @top.qcow2"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "info --output=json @disk.raw",
                "info --output=json @odd.raw",
                "info --output=json @base.qcow2",
                "info --output=json @top.qcow2",
                "info --output=json --backing-chain @top.qcow2",
                "info --output=json -f qcow2 -U @part.qcow2",
                "info --output=json --image-opts driver=qcow2,file.filename=@base.qcow2",
                "map --output=json @disk.raw",
                "map --output=json @odd.raw",
                "map --output=json @base.qcow2",
                "map --output=json @top.qcow2",
                "map --output=json --start-offset=1M --max-length=4M @top.qcow2",
                "check --output=json @base.qcow2",
                "check --output=json @top.qcow2",
                "measure --output=json -O qcow2 @disk.raw",
                "measure --output=json -O qcow2 @top.qcow2",
                "measure --output=json -O raw @top.qcow2",
                "measure --output=json -O qcow2 -o cluster_size=4096 --size 3G"
            })
    void jsonIsTheSame(String command) {
        Img expected = qemus(command);
        Img actual = ours(command);
        assertThat(actual.exitCode()).as(actual.toString()).isEqualTo(expected.exitCode());
        assertThat(withoutExtras(actual.leaves())).isEqualTo(withoutExtras(expected.leaves()));
    }

    /// QEMU's later versions tell more of the files below and of the protocol.
    private static Map<String, String> withoutExtras(Map<String, String> leaves) {
        var kept = new TreeMap<>(leaves);
        kept.keySet().removeIf(key -> key.contains(".children.") || key.endsWith(".compressed"));
        if ("file".equals(kept.get("it.format-specific.type"))) {
            kept.keySet().removeIf(key -> key.startsWith("it.format-specific."));
        }
        return kept;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "info @disk.raw",
                "info @odd.raw",
                "info @base.qcow2",
                "info @top.qcow2",
                "info --backing-chain @top.qcow2",
                "snapshot -l @top.qcow2",
                "snapshot @base.qcow2",
                "map @base.qcow2",
                "map @top.qcow2",
                "check @base.qcow2",
                "check @top.qcow2",
                "measure -O qcow2 @top.qcow2",
                "compare @disk.raw @base.qcow2",
                "compare @disk.raw @top.qcow2",
                "compare @disk.raw @part.qcow2",
                "compare -s @disk.raw @top.qcow2",
                "compare -q @disk.raw @part.qcow2"
            })
    void linesAndExitCodesAreTheSame(String command) {
        Img expected = qemus(command);
        Img actual = ours(command);
        if (command.startsWith("info")) {
            // The order of what is specific to a format is that of a hash table in QEMU.
            assertThat(actual.out().lines())
                    .containsExactlyInAnyOrderElementsOf(expected.out().lines().toList());
        } else {
            assertThat(actual.out()).isEqualTo(expected.out());
        }
        assertThat(actual.exitCode()).isEqualTo(expected.exitCode());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "info @nothing",
                "info",
                "info --bogus @disk.raw",
                "info -f qcow2 @disk.raw",
                "check @disk.raw",
                "check @nothing",
                "compare @disk.raw @nothing",
                "compare @disk.raw",
                "create -f qcow2 @new",
                "create -f qcow2 @new 10X",
                "create -f qcow2 -b base.qcow2 @new",
                "create -f nothing @new 1M",
                "create -f qcow2 -o bogus=1 @new 1M",
                "convert -O qcow2 @disk.raw",
                "convert -c -O raw @disk.raw @new",
                "resize -f raw @disk.raw 1M",
                "resize -f raw @disk.raw -1M",
                "snapshot -a nothing @top.qcow2",
                "snapshot -c x -f raw @disk.raw",
                "commit @base.qcow2",
                "bitmap --remove @top.qcow2 nothing",
                "measure",
                "nothing"
            })
    void whatIsWrongEndsWithTheSameCodeAndOneLine(String command) {
        Img expected = qemus(command);
        Img actual = ours(command);
        assertThat(actual.exitCode()).as(actual.toString()).isEqualTo(expected.exitCode());
        assertThat(actual.err()).isNotBlank().doesNotContain("\tat ");
    }

    @Test
    void everyFormatIsConvertedBackAndForth() {
        for (String format : new String[] {"raw", "qcow2", "vmdk", "vdi", "vpc", "vhdx", "parallels"}) {
            expect(ours("convert -f raw -O %s @disk.raw @by-us.%s".formatted(format, format)));
            Img alike = qemus("compare -f raw -F %s @disk.raw @by-us.%s".formatted(format, format));
            assertThat(alike.exitCode()).as(format + alike).isZero();
            expect(ours("convert -f %s -O qcow2 -c @by-us.%s @again.qcow2".formatted(format, format)));
            expect(qemus("check @again.qcow2"));
            Img again = qemus("compare -f raw -F qcow2 @disk.raw @again.qcow2");
            assertThat(again.exitCode()).as(format + again).isZero();
        }
    }

    @Test
    void encryptedImagesAreConvertedWithTheirKeys() {
        String key = "--object secret,id=sec0,data=geheim ";
        expect(ours("convert " + key + "-O luks -o key-secret=sec0,iter-time=10 @disk.raw @disk.luks"));
        Img alike = qemus(
                "compare " + key
                        + "--image-opts driver=raw,file.filename=@disk.raw driver=luks,key-secret=sec0,file.filename=@disk.luks");
        assertThat(alike.exitCode()).as(alike.toString()).isZero();
        expect(ours("convert " + key
                + "--image-opts -O raw driver=luks,key-secret=sec0,file.filename=@disk.luks @back.raw"));
        expect(qemus("compare -f raw -F raw @disk.raw @back.raw"));
        Img withoutKey =
                ours("convert --image-opts -O raw driver=luks,key-secret=sec0,file.filename=@disk.luks @no.raw");
        assertThat(withoutKey.exitCode()).isEqualTo(1);
        assertThat(withoutKey.err()).contains("sec0");
    }

    @Test
    void layersAreRebasedAndCommittedAsQemuWouldReadThem() {
        expect(qemus("convert -O raw @top.qcow2 @before.raw"));
        expect(ours("create -q -f qcow2 @other.qcow2 12M"));
        expect(ours("snapshot -d before @top.qcow2"));
        expect(ours("rebase -b other.qcow2 -F qcow2 @top.qcow2"));
        expect(qemus("compare @before.raw @top.qcow2"));
        expect(ours("commit @top.qcow2"));
        expect(qemus("check @top.qcow2"));
        expect(qemus("compare @before.raw @other.qcow2"));
        expect(qemus("compare @before.raw @top.qcow2"));
        expect(ours("resize -q @other.qcow2 +4M"));
        assertThat(qemus("info @other.qcow2").out()).contains("(16777216 bytes)");
    }

    @Test
    void bitmapsAreMadeMergedAndCopied() {
        expect(ours("bitmap --add --disable -g 128k @base.qcow2 b1"));
        expect(ours("bitmap --merge b1 -b @base.qcow2 -F qcow2 @top.qcow2 b0"));
        expect(ours("convert --bitmaps -O qcow2 @base.qcow2 @copy.qcow2"));
        assertThat(qemus("info --output=json @copy.qcow2").leaves())
                .containsEntry("it.format-specific.data.bitmaps.0.name", "b1")
                .containsEntry("it.format-specific.data.bitmaps.0.granularity", "131072");
    }

    @Test
    void helpListsTheOptionsOfAFormat() {
        for (String format : new String[] {"raw", "qcow2", "luks", "vmdk", "vdi", "vpc", "vhdx", "parallels"}) {
            Img help = ours("create -f %s -o help".formatted(format));
            expect(help);
            qemus("create -f %s -o help".formatted(format))
                    .out()
                    .lines()
                    .filter(line -> line.contains("=<"))
                    .map(line -> line.strip().split("=")[0])
                    .filter(name -> !name.equals("encryption"))
                    .forEach(name -> assertThat(help.out()).as(format).contains("  " + name + "=<"));
        }
    }

    @Test
    void ddCopiesAWindow() {
        expect(ours("dd if=@base.qcow2 of=@ours.raw bs=64k skip=10 count=30"));
        expect(qemus("dd if=@base.qcow2 of=@theirs.raw bs=64k skip=10 count=30"));
        expect(qemus("compare -f raw -F raw @ours.raw @theirs.raw"));
    }
}
