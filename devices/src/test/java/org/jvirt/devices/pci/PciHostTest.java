package org.jvirt.devices.pci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.jvirt.core.Bus;
import org.jvirt.core.IoDevice;
import org.jvirt.devices.testdev.PciTestDevice;
import org.jvirt.devices.virtio.GuestPci;

class PciHostTest {
    private final GuestPci pci = new GuestPci();

    /// A register block that answers with its own number.
    private record Marked(int mark) implements IoDevice {
        @Override
        public long read(long offset, int size) {
            return mark;
        }

        @Override
        public void write(long offset, int size, long value) {}
    }

    private static final class Sample extends PciFunction {
        private final MsiCapability msi;

        Sample(int mark) {
            super("sample" + mark, new PciIdentity(0x1234, mark, 3, 0xff0000, 0x1234, 1));
            addBar(0, BarKind.MEMORY_32, 0x1000, new Marked(mark));
            addBar(1, BarKind.IO, 0x20, new Marked(mark));
            addBar(2, BarKind.MEMORY_64, 0x10000, new Marked(mark));
            usePin(1);
            msi = new MsiCapability(this, 4);
        }

        @Override
        protected void configWritten(int offset, int size) {
            msi.written();
        }

        @Override
        protected void configReading(int offset, int size) {
            msi.reading();
        }

        void pin(boolean level) {
            interrupt(level);
        }
    }

    @Test
    void configurationIsReachableInEveryWidthThroughPortsAndMemory() {
        var bridge = new Q35HostBridge(pci.host);
        PciAddress at = pci.add(0, bridge);
        bridge.enableEcam(Q35HostBridge.USUAL_ECAM_BASE);
        assertThat(pci.read(at, 0, 4)).isEqualTo(0x29c0_8086L);
        assertThat(pci.read(at, 1, 1)).isEqualTo(0x80);
        assertThat(pci.read(at, 2, 2)).isEqualTo(0x29c0);
        assertThat(pci.mmio.read(Q35HostBridge.USUAL_ECAM_BASE, 4)).isEqualTo(0x29c0_8086L);
        assertThat(pci.mmio.read(Q35HostBridge.USUAL_ECAM_BASE + 2, 2)).isEqualTo(0x29c0);
        assertThat(pci.mmio.read(Q35HostBridge.USUAL_ECAM_BASE + 8, 8) >>> 8 & 0xffffff)
                .isEqualTo(0x060000);
        assertThat(pci.mmio.read(Q35HostBridge.USUAL_ECAM_BASE + 0x8000, 4)).isEqualTo(0xffff_ffffL);
        assertThat(pci.read(PciAddress.of(7, 0), 0, 4)).isEqualTo(0xffff_ffffL);
        pci.ports.write(0xcf8, 4, 0);
        assertThat(pci.ports.read(0xcfc, 4)).as("without the enable bit").isEqualTo(0xffff_ffffL);
        pci.ports.write(0xcfb, 1, 0x80);
        assertThat(pci.ports.read(0xcf8, 4)).as("bytes do not reach the latch").isZero();
    }

    @Test
    void theMemoryWindowMovesAndItsSizeIsChosen() {
        var bridge = new Q35HostBridge(pci.host);
        PciAddress at = pci.add(0, bridge);
        bridge.enableEcam(0xe000_0000L);
        assertThat(pci.mmio.read(0xe000_0000L, 2)).isEqualTo(0x8086);
        pci.write(at, 0x60, 4, 0xb000_0000L | 2 << 1 | 1);
        assertThat(pci.mmio.read(0xe000_0000L, 2)).isEqualTo(0xffff);
        assertThat(pci.mmio.read(0xb000_0000L, 2)).isEqualTo(0x8086);
        assertThat(pci.mmio.mappings()).hasSize(1);
        assertThat(pci.mmio.mappings().getFirst().length()).isEqualTo(64L << 20);
        pci.write(at, 0x60, 4, 0);
        assertThat(pci.mmio.mappings()).isEmpty();
        assertThatThrownBy(() -> bridge.enableEcam(0x1234)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void byteAccessesToPortCf9BelongToResetControl() {
        var ports = new Bus("ports");
        new PciHost(ports, pci.mmio, pci.msi, pci.router, Optional.of(new Marked(0x42)));
        assertThat(ports.read(0xcf9, 1)).isEqualTo(0x42);
        assertThat(ports.read(0xcf8, 4)).isZero();
    }

    @Test
    void barsTellTheirSizeAndFollowTheCommandRegister() {
        PciAddress at = pci.add(4, new Sample(7));
        pci.write(at, 0x10, 4, 0xffff_ffffL);
        assertThat(pci.read(at, 0x10, 4)).isEqualTo(0xffff_f000L);
        pci.write(at, 0x14, 4, 0xffff_ffffL);
        assertThat(pci.read(at, 0x14, 4)).isEqualTo(0xffff_ffe1L);
        pci.write(at, 0x18, 4, 0xffff_ffffL);
        pci.write(at, 0x1c, 4, 0xffff_ffffL);
        assertThat(pci.read(at, 0x18, 4)).isEqualTo(0xffff_0004L);
        assertThat(pci.read(at, 0x1c, 4)).isEqualTo(0xffff_ffffL);
        assertThat(pci.read(at, 0x20, 4)).isZero();
        pci.write(at, 4, 2, 3);
        assertThat(pci.mmio.mappings()).as("sizing patterns decode nowhere").isEmpty();

        pci.write(at, 0x10, 4, 0xd000_0000L);
        assertThat(pci.mmio.read(0xd000_0ffcL, 4)).isEqualTo(7);
        pci.write(at, 0x10, 4, 0xd100_0000L);
        assertThat(pci.mmio.read(0xd000_0000L, 4)).isEqualTo(0xffff_ffffL);
        assertThat(pci.mmio.read(0xd100_0000L, 4)).isEqualTo(7);
        pci.write(at, 4, 2, 1);
        assertThat(pci.mmio.read(0xd100_0000L, 4)).isEqualTo(0xffff_ffffL);
        pci.write(at, 0x14, 4, 0xc001);
        assertThat(pci.ports.read(0xc01f, 1)).isEqualTo(7);
        pci.write(at, 0x18, 4, 0);
        pci.write(at, 0x1c, 4, 0x40);
        pci.write(at, 4, 2, 2);
        assertThat(pci.mmio.read(0x40_0000_0000L, 1)).isEqualTo(7);
        assertThat(pci.ports.read(0xc01f, 1)).isEqualTo(0xff);
    }

    @Test
    void overlappingBarsHideTheLaterOneUntilThePlaceIsFree() {
        PciAddress first = pci.add(4, new Sample(1));
        PciAddress second = pci.add(5, new Sample(2));
        pci.write(first, 4, 2, 2);
        pci.write(second, 4, 2, 2);
        pci.write(first, 0x10, 4, 0xd000_0000L);
        pci.write(second, 0x10, 4, 0xd000_0000L);
        assertThat(pci.mmio.read(0xd000_0000L, 1)).isEqualTo(1);
        pci.write(first, 0x10, 4, 0xd800_0000L);
        assertThat(pci.mmio.read(0xd000_0000L, 1)).isEqualTo(2);
        assertThat(pci.mmio.read(0xd800_0000L, 1)).isEqualTo(1);
    }

    @Test
    void theAllocatorPlacesEverythingApartAndAligned() {
        for (int i = 0; i < 10; i++) {
            pci.add(4 + i, new Sample(i));
        }
        pci.assign();
        for (int i = 0; i < 10; i++) {
            PciAddress at = PciAddress.of(4 + i, 0);
            assertThat(pci.mmio.read(pci.bar(at, 0), 1)).isEqualTo(i);
            assertThat(pci.ports.read(pci.bar(at, 1), 1)).isEqualTo(i);
            assertThat(pci.mmio.read(pci.bar(at, 2), 1)).isEqualTo(i);
            assertThat(pci.bar(at, 2) % 0x10000).isZero();
        }
        pci.host.reset();
        assertThat(pci.mmio.mappings()).isEmpty();
        assertThat(pci.ports.mappings()).hasSize(1);
    }

    @Test
    void pinsReachTheIoApicAlwaysAndTheIsaInterruptWhenRouted() {
        var lpc = new Ich9Lpc(pci.host, pci.router, Optional.empty());
        pci.host.add(PciAddress.of(31, 0), lpc);
        var one = new Sample(1);
        var two = new Sample(2);
        pci.add(1, one);
        pci.add(5, two);
        assertThat(PirqRouter.resetGsi(1, 0)).isEqualTo(21).isEqualTo(PirqRouter.resetGsi(5, 0));
        one.pin(true);
        assertThat(pci.lines[21].high()).isTrue();
        assertThat(pci.lines[10].high()).isFalse();
        lpc.programLikeFirmware(Ich9Lpc.USUAL_PM_BASE);
        assertThat(pci.lines[10].high()).isTrue();
        two.pin(true);
        one.pin(false);
        assertThat(pci.lines[21].high()).as("shared").isTrue();
        pci.write(PciAddress.of(31, 0), 0x69, 1, 0x0b);
        assertThat(pci.lines[10].high()).isFalse();
        assertThat(pci.lines[11].high()).isTrue();
        pci.write(PciAddress.of(31, 0), 0x69, 1, 0x80);
        assertThat(pci.lines[11].high()).isFalse();
        two.pin(false);
        assertThat(pci.lines[21].high()).isFalse();
    }

    @Test
    void theLpcBridgePlacesPowerManagementAndRootComplexRegisters() {
        var lpc = new Ich9Lpc(pci.host, pci.router, Optional.of(new Marked(0x99)));
        PciAddress at = PciAddress.of(31, 0);
        pci.host.add(at, lpc);
        lpc.programLikeFirmware(0x600);
        assertThat(pci.ports.read(0x608, 1)).isEqualTo(0x99);
        pci.write(at, 0x40, 4, 0xb001);
        assertThat(pci.ports.read(0x608, 1)).isEqualTo(0xff);
        assertThat(pci.ports.read(0xb008, 1)).isEqualTo(0x99);
        pci.write(at, 0xf0, 4, 0xfed1_c001L);
        assertThat(pci.mmio.read(0xfed1_f140L, 2)).isEqualTo(0x3210);
        pci.mmio.write(0xfed1_f140L, 2, 0x0123);
        assertThat(pci.router.deviceRoute(31)).isEqualTo(0x0123);
        Ich9Lpc.State state = lpc.save();
        var other = new GuestPci();
        var restored = new Ich9Lpc(other.host, other.router, Optional.of(new Marked(0x99)));
        other.host.add(at, restored);
        restored.restore(state);
        assertThat(other.ports.read(0xb008, 1)).isEqualTo(0x99);
        assertThat(other.router.deviceRoute(31)).isEqualTo(0x0123);
        pci.host.reset();
        assertThat(pci.ports.read(0xb008, 1)).isEqualTo(0xff);
        assertThat(pci.router.route(0)).isEqualTo(0x80);
    }

    @Test
    void msiKeepsMaskedVectorsPending() {
        var sample = new Sample(1);
        PciAddress at = pci.add(4, sample);
        int cap = pci.capability(at, 5, 0);
        pci.write(at, cap + 4, 4, 0xfee0_1000L);
        pci.write(at, cap + 12, 2, 0x4050);
        pci.write(at, cap + 2, 2, 0x0021);
        sample.msi.raise(1);
        assertThat(pci.msi.take()).as("no bus master").isEmpty();
        pci.write(at, 4, 2, 4);
        sample.msi.raise(3);
        assertThat(pci.msi.take().getFirst().data()).isEqualTo(0x4053);
        pci.write(at, cap + 0x10, 4, 0xf);
        sample.msi.raise(2);
        assertThat(pci.msi.take()).isEmpty();
        assertThat(pci.read(at, cap + 0x14, 4)).isEqualTo(4);
        pci.write(at, cap + 0x10, 4, 0);
        assertThat(pci.msi.take().getFirst().data()).isEqualTo(0x4052);
        assertThat(pci.read(at, cap + 0x14, 4)).isZero();
    }

    @Test
    void randomConfigurationWritesNeverThrow() {
        var bridge = new Q35HostBridge(pci.host);
        pci.add(0, bridge);
        pci.host.add(PciAddress.of(31, 0), new Ich9Lpc(pci.host, pci.router, Optional.of(new Marked(1))));
        pci.host.add(PciAddress.of(31, 3), new Ich9Smbus());
        pci.add(4, new Sample(1));
        pci.add(5, new PciTestDevice());
        var random = new Random(3);
        assertThatCode(() -> {
                    for (int i = 0; i < 50_000; i++) {
                        int device = new int[] {0, 4, 5, 31}[random.nextInt(4)];
                        PciAddress at = PciAddress.of(device, device == 31 ? random.nextInt(2) * 3 : 0);
                        int size = 1 << random.nextInt(3);
                        int offset = random.nextInt(256 / size) * size;
                        if (random.nextInt(4) > 0) {
                            pci.write(at, offset, size, random.nextInt());
                        } else {
                            pci.read(at, offset, size);
                        }
                        long somewhere = random.nextInt() & 0xffff_ffffL;
                        pci.mmio.write(somewhere, 4, random.nextInt());
                    }
                })
                .doesNotThrowAnyException();
    }
}
