package org.jvirt.devices.virtio;

import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.jvirt.core.Bus;
import org.jvirt.core.MsiSink;
import org.jvirt.devices.pci.PciAddress;
import org.jvirt.devices.pci.PciAllocator;
import org.jvirt.devices.pci.PciFunction;
import org.jvirt.devices.pci.PciHost;
import org.jvirt.devices.pci.PirqRouter;
import org.jvirt.testkit.RecordingLine;
import org.jvirt.testkit.RecordingMsi;

/// A PCI bus as a guest's processor sees it: ports and memory-mapped registers, nothing else.
public final class GuestPci {
    public final Bus ports = new Bus("ports");
    public final Bus mmio = new Bus("mmio");
    public final RecordingMsi msi = new RecordingMsi();
    public final RecordingLine[] lines =
            IntStream.range(0, 24).mapToObj(_ -> new RecordingLine()).toArray(RecordingLine[]::new);
    public final PirqRouter router = new PirqRouter(gsi -> lines[gsi]);
    public final PciHost host;

    public GuestPci() {
        this(msi -> msi);
    }

    /// @param engine what stands between the functions and [#msi]
    GuestPci(UnaryOperator<MsiSink> engine) {
        host = new PciHost(ports, mmio, engine.apply(msi), router, Optional.empty());
    }

    public PciAddress add(int device, PciFunction function) {
        PciAddress at = PciAddress.of(device, 0);
        host.add(at, function);
        return at;
    }

    public void assign() {
        new PciAllocator(
                        new PciAllocator.Window(0xc000, 0x10000),
                        new PciAllocator.Window(0xc000_0000L, 0xfec0_0000L),
                        new PciAllocator.Window(0x40_0000_0000L, 0x50_0000_0000L))
                .assign(host, router);
    }

    public long read(PciAddress at, int offset, int size) {
        ports.write(0xcf8, 4, latch(at, offset));
        return ports.read(0xcfc + (offset & 3), size);
    }

    public void write(PciAddress at, int offset, int size, long value) {
        ports.write(0xcf8, 4, latch(at, offset));
        ports.write(0xcfc + (offset & 3), size, value);
    }

    private static long latch(PciAddress at, int offset) {
        return 0x8000_0000L | at.bus() << 16 | at.device() << 11 | at.function() << 8 | offset & 0xfc;
    }

    /// The address in a base address register.
    public long bar(PciAddress at, int index) {
        long low = read(at, 0x10 + 4 * index, 4);
        if ((low & 1) != 0) {
            return low & ~3L;
        }
        long high = (low & 4) != 0 ? read(at, 0x14 + 4 * index, 4) << 32 : 0;
        return low & ~0xfL | high;
    }

    /// The first capability with this id behind `after` (0: from the start), or 0.
    public int capability(PciAddress at, int id, int after) {
        int next = (int) read(at, after == 0 ? 0x34 : after + 1, 1);
        for (int hops = 0; next != 0 && hops < 48; hops++) {
            if (read(at, next, 1) == id) {
                return next;
            }
            next = (int) read(at, next + 1, 1);
        }
        return 0;
    }
}
