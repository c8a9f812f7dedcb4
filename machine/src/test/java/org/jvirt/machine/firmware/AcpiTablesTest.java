package org.jvirt.machine.firmware;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.jvirt.machine.firmware.Platform.IsaDevice;
import org.jvirt.machine.firmware.Platform.PinRouting;
import org.jvirt.machine.firmware.Platform.PowerRegisters;
import org.jvirt.machine.layout.MemoryMap;

final class AcpiTablesTest {
    private static final long PLACE = 0xe_1000;

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 16, 255, 300})
    void everyTableIsReachedFromTheRootAndAddsUpToZero(int cpus) {
        Map<Long, byte[]> placed = tables(cpus, 512L << 20).place(PLACE);
        Map<String, ByteBuffer> found = walk(placed);
        assertThat(found.keySet()).containsExactlyInAnyOrder("XSDT", "FACP", "APIC", "MCFG", "HPET", "DSDT", "FACS");
        found.forEach((signature, table) -> {
            if (!signature.equals("FACS")) {
                assertThat(sum(table, table.limit())).as(signature).isZero();
            }
        });
        assertThat(found.get("FACP").limit()).isEqualTo(268);
        assertThat(found.get("FACS").limit()).isEqualTo(64);
    }

    @Test
    void rootPointerAddsUpToZeroInBothLengths() {
        byte[] rsdp = rsdp(tables(1, 512L << 20).place(PLACE));
        ByteBuffer buffer = ByteBuffer.wrap(rsdp);
        assertThat(rsdp).hasSize(36);
        assertThat(new String(rsdp, 0, 8, StandardCharsets.US_ASCII)).isEqualTo("RSD PTR ");
        assertThat(sum(buffer, 20)).isZero();
        assertThat(sum(buffer, 36)).isZero();
    }

    @Test
    void madtDescribesEachProcessorOnce() {
        ByteBuffer madt = walk(tables(3, 512L << 20).place(PLACE)).get("APIC");
        int processors = 0;
        int overrides = 0;
        for (int at = 44; at < madt.limit(); at += madt.get(at + 1)) {
            int type = madt.get(at);
            if (type == 0) {
                assertThat(madt.get(at + 3)).isEqualTo((byte) processors);
                assertThat(madt.getInt(at + 4)).isEqualTo(1);
                processors++;
            } else if (type == 2) {
                overrides++;
            }
        }
        assertThat(processors).isEqualTo(3);
        assertThat(overrides).isEqualTo(2);
    }

    @Test
    void mcfgNamesTheConfigurationWindow() {
        ByteBuffer mcfg = walk(tables(1, 512L << 20).place(PLACE)).get("MCFG");
        assertThat(mcfg.getLong(44)).isEqualTo(MemoryMap.ECAM);
        assertThat(mcfg.get(55)).isEqualTo((byte) 255);
    }

    @Test
    void theLoaderScriptGivesWhatDirectPlacementGives() {
        AcpiTables tables = tables(2, 6L << 30);
        Map<String, byte[]> files = tables.files();
        byte[] script = files.get(AcpiTables.LOADER_FILE);
        assertThat(script.length % 128).isZero();
        Map<String, Long> addresses = new TreeMap<>();
        Map<String, byte[]> contents = new TreeMap<>();
        long next = PLACE;
        ByteBuffer buffer = ByteBuffer.wrap(script).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 0; at < script.length; at += 128) {
            String file = text(buffer, at + 4);
            switch (buffer.getInt(at)) {
                case 1 -> {
                    int alignment = buffer.getInt(at + 60);
                    long address = Math.ceilDiv(next, alignment) * alignment;
                    addresses.put(file, address);
                    contents.put(file, files.get(file).clone());
                    next = address + files.get(file).length;
                }
                case 2 -> {
                    String target = text(buffer, at + 60);
                    ByteBuffer content = ByteBuffer.wrap(contents.get(file)).order(ByteOrder.LITTLE_ENDIAN);
                    int offset = buffer.getInt(at + 116);
                    if (buffer.get(at + 120) == 4) {
                        content.putInt(offset, (int) (content.getInt(offset) + addresses.get(target)));
                    } else {
                        content.putLong(offset, content.getLong(offset) + addresses.get(target));
                    }
                }
                case 3 -> {
                    ByteBuffer content = ByteBuffer.wrap(contents.get(file));
                    int start = buffer.getInt(at + 64);
                    int length = buffer.getInt(at + 68);
                    int sum = sum(content.slice(start, length), length);
                    int offset = buffer.getInt(at + 60);
                    content.put(offset, (byte) (content.get(offset) - sum));
                }
                default -> throw new AssertionError("unknown command " + buffer.getInt(at));
            }
        }
        Map<Long, byte[]> placed = tables.place(PLACE);
        addresses.forEach(
                (file, address) -> assertThat(placed.get(address)).as(file).isEqualTo(contents.get(file)));
    }

    @ParameterizedTest
    @ValueSource(longs = {64L << 20, 6L << 30})
    void iaslReadsEveryTable(long ramBytes, @TempDir Path directory) throws IOException, InterruptedException {
        Assumptions.assumeTrue(iaslExists(), "iasl is missing: apt-get install acpica-tools");
        for (Map.Entry<String, ByteBuffer> table :
                walk(tables(4, ramBytes).place(PLACE)).entrySet()) {
            Path file = directory.resolve(table.getKey().toLowerCase(Locale.ROOT) + ".aml");
            byte[] bytes = new byte[table.getValue().limit()];
            table.getValue().get(0, bytes);
            Files.write(file, bytes);
            String output = run("iasl", "-d", file.toString());
            assertThat(output)
                    .as(output)
                    .contains(".dsl - ")
                    .doesNotContainIgnoringCase("error")
                    .doesNotContain("Warning", "Invalid");
        }
        String recompiled = run("iasl", "-oa", directory.resolve("dsdt.dsl").toString());
        assertThat(recompiled).as(recompiled).contains("Compilation successful. 0 Errors, 0 Warnings");
    }

    @Test
    void theDsdtRoutesPinsAsTheSouthBridgeDoes() {
        assertThat(PinRouting.ich9(0, 0)).isEqualTo(20);
        assertThat(PinRouting.ich9(3, 2)).isEqualTo(21);
        assertThat(PinRouting.ich9(31, 1)).isEqualTo(17);
    }

    private static AcpiTables tables(int cpus, long ramBytes) {
        return new AcpiTables(new Platform(
                new MemoryMap(ramBytes, 0),
                cpus,
                List.of(
                        IsaDevice.serial(1, 0x3f8, 4),
                        IsaDevice.keyboard(),
                        IsaDevice.mouse(),
                        IsaDevice.realTimeClock()),
                PinRouting::ich9,
                PowerRegisters.ICH9));
    }

    private static Map<String, ByteBuffer> walk(Map<Long, byte[]> placed) {
        ByteBuffer rsdp = ByteBuffer.wrap(rsdp(placed)).order(ByteOrder.LITTLE_ENDIAN);
        Map<String, ByteBuffer> found = new TreeMap<>();
        ByteBuffer rsdt = at(placed, rsdp.getInt(16));
        ByteBuffer xsdt = at(placed, rsdp.getLong(24));
        found.put("XSDT", xsdt);
        for (int i = 36, j = 36; i < xsdt.limit(); i += 8, j += 4) {
            assertThat((long) rsdt.getInt(j)).isEqualTo(xsdt.getLong(i));
            ByteBuffer table = at(placed, xsdt.getLong(i));
            found.put(signature(table), table);
        }
        ByteBuffer fadt = found.get("FACP");
        assertThat((long) fadt.getInt(40)).isEqualTo(fadt.getLong(140));
        ByteBuffer dsdt = at(placed, fadt.getLong(140));
        found.put(signature(dsdt), dsdt);
        ByteBuffer facs = at(placed, fadt.getInt(36));
        found.put(signature(facs), facs);
        return found;
    }

    private static byte[] rsdp(Map<Long, byte[]> placed) {
        return List.copyOf(placed.values()).getLast();
    }

    private static ByteBuffer at(Map<Long, byte[]> placed, long address) {
        for (Map.Entry<Long, byte[]> file : placed.entrySet()) {
            long offset = address - file.getKey();
            if (offset >= 0 && offset < file.getValue().length) {
                ByteBuffer all = ByteBuffer.wrap(file.getValue()).order(ByteOrder.LITTLE_ENDIAN);
                return all.slice((int) offset, all.getInt((int) offset + 4)).order(ByteOrder.LITTLE_ENDIAN);
            }
        }
        throw new AssertionError("nothing lies at 0x%x".formatted(address));
    }

    private static String signature(ByteBuffer table) {
        byte[] bytes = new byte[4];
        table.get(0, bytes);
        return new String(bytes, StandardCharsets.US_ASCII);
    }

    private static String text(ByteBuffer buffer, int offset) {
        byte[] bytes = new byte[56];
        buffer.get(offset, bytes);
        return new String(bytes, StandardCharsets.US_ASCII).replace("\0", "");
    }

    private static int sum(ByteBuffer buffer, int length) {
        int sum = 0;
        for (int i = 0; i < length; i++) {
            sum += buffer.get(i);
        }
        return sum & 0xff;
    }

    private static boolean iaslExists() {
        return List.of(System.getenv("PATH").split(":", -1)).stream()
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, "iasl")));
    }

    private static String run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(output).isZero();
        return output;
    }
}
