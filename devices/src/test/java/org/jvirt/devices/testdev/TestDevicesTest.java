package org.jvirt.devices.testdev;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.jvirt.devices.pci.PciAddress;
import org.jvirt.devices.virtio.GuestPci;

class TestDevicesTest {
    private final GuestPci pci = new GuestPci();

    @Test
    void theRegisterOfPcTestDeviceTakesEveryWidth() {
        var device = new PcTestDevice(pci.ports, pci.mmio, gsi -> pci.lines[gsi]);
        pci.ports.write(0xe0, 4, 0x1234_5678);
        assertThat(pci.ports.read(0xe0, 1)).isEqualTo(0x78);
        assertThat(pci.ports.read(0xe2, 2)).isEqualTo(0x1234);
        assertThat(pci.ports.read(0xe8, 4)).isEqualTo(0x1234_5678);
        pci.ports.write(0xe1, 1, 0xff);
        assertThat(pci.ports.read(0xe0, 4)).isEqualTo(0x1234_ff78);
        pci.ports.write(0xe4, 4, 0x1000);
        pci.ports.write(0x2005, 1, 1);
        assertThat(pci.lines[5].high()).isTrue();
        pci.ports.write(0x2005, 1, 0);
        assertThat(pci.lines[5].high()).isFalse();
        pci.mmio.write(0xff00_fff8L, 8, -2);
        assertThat(pci.mmio.read(0xff00_fff8L, 8)).isEqualTo(-2);
        assertThat(pci.mmio.read(0xff00_ffffL, 1)).isEqualTo(0xff);

        var other = new GuestPci();
        new PcTestDevice(other.ports, other.mmio, gsi -> other.lines[gsi], device.save());
        assertThat(other.ports.read(0xe0, 4)).isEqualTo(0x1234_ff78);
        assertThat(other.mmio.read(0xff00_fff8L, 8)).isEqualTo(-2);
    }

    @Test
    void pciTestDeviceCountsWhatItAnnounces() {
        PciAddress at = pci.add(6, new PciTestDevice());
        pci.assign();
        assertThat(pci.read(at, 0, 4)).isEqualTo(0x0005_1b36);
        long memory = pci.bar(at, 0);
        long ports = pci.bar(at, 1);
        for (int test = 0; test < 3; test++) {
            pci.mmio.write(memory, 1, test);
            pci.ports.write(ports, 1, test);
            assertThat(pci.mmio.read(memory + 1, 1)).isEqualTo(1);
            long data = pci.mmio.read(memory + 8, 4);
            long offset = pci.mmio.read(memory + 4, 4);
            long portOffset = pci.ports.read(ports + 4, 4);
            for (int i = 0; i < 5; i++) {
                pci.mmio.write(memory + offset, 1, data);
                pci.ports.write(ports + portOffset, 1, data);
            }
            pci.mmio.write(memory + offset, 1, data ^ 1);
            assertThat(pci.mmio.read(memory + 12, 4)).isEqualTo(test == 1 ? 6 : 5);
            assertThat(pci.ports.read(ports + 12, 4)).isEqualTo(5);
            assertThat(pci.mmio.read(memory + 16, 4)).isEqualTo(0x6f69_6d6d);
        }
        pci.mmio.write(memory, 1, 3);
        assertThat(pci.mmio.read(memory + 1, 1)).as("no such test").isZero();
    }
}
