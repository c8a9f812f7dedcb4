package org.jvirt.devices.fwcfg;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.jvirt.core.GuestMemory;
import org.jvirt.testkit.TestMemory;

final class FwCfgTest {
    private static final int READ = 2;
    private static final int SKIP = 4;
    private static final int SELECT = 8;
    private static final int WRITE = 16;
    private static final long DESCRIPTOR = 0x100;

    private final GuestMemory memory = TestMemory.ofBytes(1 << 16);
    private final List<byte[]> written = new ArrayList<>();
    private int made;
    private final FwCfg device = content().build(memory);

    private FwCfg.Builder content() {
        return FwCfg.builder()
                .item16(FwCfgKey.NB_CPUS, 4)
                .item64(FwCfgKey.RAM_SIZE, 0x1_2345_6789L)
                .file("opt/z", bytes("last"))
                .file("bootorder", bytes("first"))
                .file("etc/counter", 4, () -> new byte[] {(byte) ++made})
                .writableFile("etc/pointer", new byte[8], written::add);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    @AfterEach
    void close() {
        memory.close();
    }

    private void select(int key) {
        device.write(0, 2, key);
    }

    private String text(int length) {
        var out = new StringBuilder();
        for (int i = 0; i < length; i++) {
            out.append((char) device.read(1, 1));
        }
        return out.toString();
    }

    private int dma(int control, long length, long address) {
        memory.writeInt(DESCRIPTOR, Integer.reverseBytes(control));
        memory.writeInt(DESCRIPTOR + 4, Integer.reverseBytes((int) length));
        memory.writeLong(DESCRIPTOR + 8, Long.reverseBytes(address));
        device.write(4, 4, 0);
        device.write(8, 4, Integer.reverseBytes((int) DESCRIPTOR));
        return Integer.reverseBytes(memory.readInt(DESCRIPTOR));
    }

    @Test
    void signatureAndFeatures() {
        select(0);
        assertThat(text(6)).isEqualTo("QEMU\0\0");
        select(1);
        assertThat(device.read(1, 1)).isEqualTo(3);
        assertThat(device.read(4, 4)).isEqualTo(Integer.reverseBytes(0x51454d55) & 0xffff_ffffL);
        assertThat(device.read(8, 4)).isEqualTo(Integer.reverseBytes(0x20434647) & 0xffff_ffffL);
    }

    @Test
    void itemsAreLittleEndian() {
        select(FwCfgKey.NB_CPUS);
        assertThat(text(3)).isEqualTo("\4\0\0");
        select(FwCfgKey.RAM_SIZE);
        assertThat(text(5)).isEqualTo("\u0089\u0067\u0045\u0023\u0001");
    }

    @Test
    void theDirectoryIsSortedByName() {
        int status = dma(SELECT | READ | FwCfgKey.FILE_DIR << 16, 4 + 64 * 4, 0x1000);
        assertThat(status).isZero();
        byte[] directory = new byte[4 + 64 * 4];
        memory.read(0x1000, directory);
        ByteBuffer in = ByteBuffer.wrap(directory);
        assertThat(in.getInt()).isEqualTo(4);
        List<String> files = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            int size = in.getInt();
            int key = in.getShort();
            in.getShort();
            byte[] name = new byte[56];
            in.get(name);
            files.add("%s %d 0x%x".formatted(new String(name, StandardCharsets.US_ASCII).trim(), size, key));
        }
        assertThat(files)
                .containsExactly("bootorder 5 0x20", "etc/counter 4 0x21", "etc/pointer 8 0x22", "opt/z 4 0x23");
        assertThat(device.fileKey("opt/z")).isEqualTo(0x23);
    }

    @Test
    void suppliersAreAskedAtEachSelection() {
        select(0x21);
        assertThat(text(4)).isEqualTo("\1\0\0\0");
        select(0x21);
        assertThat(text(1)).isEqualTo("\2");
    }

    @Test
    void dmaReadsSkipsAndFillsWithZeroes() {
        memory.fill(0x2000, 16, (byte) 0xee);
        assertThat(dma(SELECT | SKIP | 0x20 << 16, 2, 0)).isZero();
        assertThat(dma(READ, 5, 0x2000)).isZero();
        byte[] got = new byte[6];
        memory.read(0x2000, got);
        assertThat(got).isEqualTo(new byte[] {'r', 's', 't', 0, 0, (byte) 0xee});
        assertThat(dma(SKIP, 0xffff_ffffL, 0)).isZero();
        assertThat(device.read(1, 1)).isZero();
    }

    @Test
    void dmaWritesOnlyWritableFilesWithinTheirSize() {
        memory.writeLong(0x3000, 0x0807_0605_0403_0201L);
        assertThat(dma(SELECT | WRITE | 0x20 << 16, 4, 0x3000)).isEqualTo(1);
        assertThat(dma(SELECT | WRITE | 0x22 << 16, 9, 0x3000)).isEqualTo(1);
        assertThat(dma(SELECT | WRITE | 0x22 << 16, 8, 0xffff_0000L)).isEqualTo(1);
        assertThat(written).isEmpty();
        assertThat(dma(SELECT | WRITE | 0x22 << 16, 4, 0x3000)).isZero();
        assertThat(written).hasSize(1);
        assertThat(written.getFirst()).isEqualTo(new byte[] {1, 2, 3, 4, 0, 0, 0, 0});
        select(0x22);
        assertThat(text(2)).isEqualTo("\1\2");
        FwCfg restored = content().build(memory, device.save());
        assertThat(restored.read(1, 1)).isEqualTo(3);
        device.reset();
        select(0x22);
        assertThat(device.read(1, 1)).isZero();
    }

    @Test
    void dmaOutsideRamIsAnErrorAndABadDescriptorIsIgnored() {
        assertThat(dma(SELECT | READ | 0x20 << 16, 5, 0xffff)).isEqualTo(1);
        assertThat(dma(SELECT | READ | 0x20 << 16, 5, -1)).isEqualTo(1);
        assertThat(dma(SELECT | READ | 0x20 << 16, 0xffff_ffffL, 0x1000)).isEqualTo(1);
        device.write(4, 4, -1);
        device.write(8, 4, -1);
        device.write(4, 8, 0xffff);
        select(0x20);
        assertThat(text(5)).isEqualTo("first");
    }

    @Test
    void unknownKeysAndTheEndReadZero() {
        select(0x7777);
        assertThat(text(2)).isEqualTo("\0\0");
        select(0x20);
        assertThat(text(7)).isEqualTo("first\0\0");
    }

    @Test
    void badNamesAreRefused() {
        var builder = FwCfg.builder().file("a", new byte[0]);
        assertThatThrownBy(() -> builder.file("a", new byte[0])).hasMessageContaining("exists");
        assertThatThrownBy(() -> builder.file("x".repeat(56), new byte[0])).hasMessageContaining("55");
        assertThatThrownBy(() -> builder.file("ü", new byte[0])).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> device.fileKey("b")).hasMessageContaining("No fw_cfg file b");
    }
}
