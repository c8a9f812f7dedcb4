package org.jvirt.machine.firmware;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.jvirt.machine.layout.MemoryMap;

final class SmbiosTablesTest {
    private static final UUID ID = UUID.fromString("00112233-4455-6677-8899-aabbccddeeff");

    /// One structure.
    private record Structure(int type, int handle, byte[] body, List<String> strings) {}

    @Test
    void anchorAddsUpToZeroAndNamesTheTable() {
        Map<Long, byte[]> placed = tables(1, 512L << 20).place(0xf_0000);
        byte[] anchor = placed.get(0xf_0000L);
        assertThat(new String(anchor, 0, 5, StandardCharsets.US_ASCII)).isEqualTo("_SM3_");
        int sum = 0;
        for (byte b : anchor) {
            sum += b;
        }
        assertThat(sum & 0xff).isZero();
        ByteBuffer buffer = ByteBuffer.wrap(anchor).order(ByteOrder.LITTLE_ENDIAN);
        assertThat(placed.get(buffer.getLong(16))).hasSize(buffer.getInt(12));
    }

    @Test
    void everyKindOfStructureIsThereWithAHandleOfItsOwn() {
        List<Structure> structures = parse(tables(2, 40L << 30));
        assertThat(structures.stream().map(Structure::type))
                .containsExactly(0, 1, 3, 4, 4, 16, 17, 17, 17, 19, 19, 32, 127);
        assertThat(structures.stream().map(Structure::handle)).doesNotHaveDuplicates();
    }

    @Test
    void stringsAreAllReferredTo() {
        Structure system = parse(tables(1, 512L << 20)).get(1);
        assertThat(system.strings()).containsExactly("jvirt", "PC (Q35, ICH9)", "9", "guest");
        assertThat(system.body()).startsWith(1, 2, 3);
        assertThat(system.body()[22]).isEqualTo((byte) 4);
    }

    @Test
    void uuidHasItsFirstThreeGroupsLittleEndian() {
        byte[] body = parse(tables(1, 512L << 20)).get(1).body();
        assertThat(body[4]).isEqualTo((byte) 0x33);
        assertThat(body[8]).isEqualTo((byte) 0x55);
        assertThat(body[10]).isEqualTo((byte) 0x77);
        assertThat(body[12]).isEqualTo((byte) 0x88);
        assertThat(body[19]).isEqualTo((byte) 0xff);
    }

    @Test
    void structuresHaveTheLengthsOfTheirVersion() {
        List<Structure> structures = parse(tables(1, 512L << 20));
        assertThat(structures.stream().map(s -> s.body().length + 4))
                .containsExactly(24, 27, 22, 48, 23, 40, 31, 11, 4);
    }

    private static SmbiosTables tables(int cpus, long ramBytes) {
        return new SmbiosTables("guest", "9", ID, new MemoryMap(ramBytes, 0), cpus);
    }

    private static List<Structure> parse(SmbiosTables tables) {
        byte[] bytes = tables.files().get(SmbiosTables.TABLES_FILE);
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        var structures = new ArrayList<Structure>();
        int at = 0;
        while (at < bytes.length) {
            int length = buffer.get(at + 1) & 0xff;
            byte[] body = new byte[length - 4];
            buffer.get(at + 4, body);
            int type = buffer.get(at);
            int handle = buffer.getShort(at + 2) & 0xffff;
            at += length;
            var strings = new ArrayList<String>();
            while (bytes[at] != 0) {
                int end = at;
                while (bytes[end] != 0) {
                    end++;
                }
                strings.add(new String(bytes, at, end - at, StandardCharsets.UTF_8));
                at = end + 1;
            }
            at += strings.isEmpty() ? 2 : 1;
            structures.add(new Structure(type, handle, body, strings));
        }
        return structures;
    }
}
