package org.jvirt.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class BusTest {
    /// Reads give the offset; writes are noted.
    private static final class Probe implements IoDevice {
        final List<String> writes = new ArrayList<>();

        @Override
        public long read(long offset, int size) {
            return offset + 1;
        }

        @Override
        public void write(long offset, int size, long value) {
            writes.add("%d/%d=%x".formatted(offset, size, value));
        }
    }

    @Test
    void devicesSharingAnAccessEachReceiveTheirOwnBytes() {
        var bus = new Bus("ports");
        var low = new Probe();
        var high = new Probe();
        bus.map("low", 0x10, 2, low);
        bus.map("high", 0x12, 2, high);
        bus.write(0x11, 2, 0xbbaa);
        assertThat(low.writes).containsExactly("1/1=aa");
        assertThat(high.writes).containsExactly("0/1=bb");
        assertThat(bus.read(0x11, 2)).isEqualTo(0x0102);
    }

    @Test
    void whereNothingAnswersReadsAreAllOnes() {
        var bus = new Bus("ports");
        assertThat(bus.read(0x80, 1)).isEqualTo(0xff);
        assertThat(bus.read(0x80, 4)).isEqualTo(0xffff_ffffL);
        assertThat(bus.read(0x80, 8)).isEqualTo(-1L);
        bus.map("one", 0x81, 1, new Probe());
        assertThat(bus.read(0x80, 4)).isEqualTo(0xffff_01ffL);
        bus.write(0x200, 4, 1);
    }

    @Test
    void anOverlapNamesBothDevices() {
        var bus = new Bus("mmio");
        bus.map("hpet", 0x1000, 0x400, new Probe());
        assertThatThrownBy(() -> bus.map("tpm", 0x13ff, 0x10, new Probe()))
                .hasMessageContaining("tpm")
                .hasMessageContaining("hpet");
    }

    @Test
    void aMovedDeviceLeavesItsOldPlace() {
        var bus = new Bus("mmio");
        Bus.Mapping old = bus.map("bar0", 0x1000, 0x100, new Probe());
        bus.unmap(old);
        bus.unmap(old);
        bus.map("bar0", 0x1080, 0x100, new Probe());
        assertThat(bus.read(0x1000, 1)).isEqualTo(0xff);
        assertThat(bus.read(0x1081, 1)).isEqualTo(2);
    }

    @Test
    void valuesAreCutToTheAccess() {
        var bus = new Bus("ports");
        bus.map("wide", 0, 8, (IoDevice) new IoDevice() {
            @Override
            public long read(long offset, int size) {
                return -1;
            }

            @Override
            public void write(long offset, int size, long value) {
                assertThat(value).isEqualTo(0xff);
            }
        });
        assertThat(bus.read(0, 2)).isEqualTo(0xffff);
        bus.write(0, 1, -1);
    }
}
