package org.jvirt.devices.virtio;

import java.util.ArrayList;
import java.util.List;
import org.jvirt.core.BlockBackend;
import org.jvirt.core.GuestMemory;
import org.jvirt.core.MemorySlot;
import org.jvirt.devices.pci.PciAddress;
import org.jvirt.devices.virtio.block.BlockOptions;
import org.jvirt.devices.virtio.block.VirtioBlock;
import org.jvirt.devices.work.QueueRunner;
import org.jvirt.testkit.TestMemory;

/// A machine of one virtio disk, with its driver. RAM: 0–8 MiB and 4 GiB–4 GiB+1 MiB, the first in two slots that
/// meet at 4 MiB.
public final class GuestDisk implements AutoCloseable {
    static final long RAM = 8 << 20;
    static final long HIGH = 1L << 32;
    static final long ALL_FEATURES = VirtioFeature.VIRTIO_F_VERSION_1
            | VirtioFeature.VIRTIO_F_INDIRECT_DESC
            | VirtioFeature.VIRTIO_F_EVENT_IDX
            | 1 << 9
            | 1 << 13
            | 1 << 14;

    final GuestPci pci;
    final GuestMemory memory;
    final VirtioPci function;
    final PciAddress at;
    final GuestDriver driver;
    private final long header;

    public GuestDisk(BlockBackend backend, BlockOptions options, QueueRunner.Factory runners) {
        this(ram(), new VirtioBlock(backend, options), runners);
    }

    GuestDisk(GuestMemory memory, VirtioDevice<?> device, QueueRunner.Factory runners) {
        this(new GuestPci(), memory, device, runners);
    }

    GuestDisk(GuestPci pci, GuestMemory memory, VirtioDevice<?> device, QueueRunner.Factory runners) {
        this.pci = pci;
        this.memory = memory;
        function = new VirtioPci("blk0", device, memory, runners);
        at = pci.add(3, function);
        pci.assign();
        driver = new GuestDriver(pci, at, memory);
        header = 0x8000;
    }

    static GuestMemory ram() {
        return TestMemory.of(
                RAM + (1 << 20),
                List.of(
                        new MemorySlot(0, 0, RAM / 2, 0, false),
                        new MemorySlot(1, RAM / 2, RAM / 2, RAM / 2, false),
                        new MemorySlot(2, HIGH, 1 << 20, RAM, false)));
    }

    /// Up and running with one queue on vector 1.
    GuestRing start(long features, int size) {
        if (!driver.negotiate(features)) {
            throw new AssertionError("The device refuses its own features");
        }
        driver.enableMsix(2);
        pci.mmio.write(driver.common + 0x10, 2, 0);
        GuestRing ring = driver.queue(0, size, 1);
        driver.driverOk();
        return ring;
    }

    /// Header at 0x8000 + 32·slot, status byte behind it.
    List<GuestRing.Buffer> request(int slot, int type, long sector, GuestRing.Buffer... data) {
        long gpa = header + 32L * slot;
        memory.writeInt(gpa, type);
        memory.writeInt(gpa + 4, 0);
        memory.writeLong(gpa + 8, sector);
        memory.writeByte(gpa + 16, 0xee);
        var buffers = new ArrayList<GuestRing.Buffer>();
        buffers.add(new GuestRing.Buffer(gpa, 16, false));
        buffers.addAll(List.of(data));
        buffers.add(new GuestRing.Buffer(gpa + 16, 1, true));
        return buffers;
    }

    /// Writes across a border between slots.
    void put(long gpa, byte[] content) {
        for (int i = 0; i < content.length; i++) {
            memory.writeByte(gpa + i, content[i]);
        }
    }

    byte[] get(long gpa, int length) {
        var content = new byte[length];
        for (int i = 0; i < length; i++) {
            content[i] = (byte) memory.readByte(gpa + i);
        }
        return content;
    }

    /// 0xee while there is none.
    int status(int slot) {
        return memory.readByte(header + 32L * slot + 16);
    }

    @Override
    public void close() {
        function.close();
        memory.close();
    }
}
