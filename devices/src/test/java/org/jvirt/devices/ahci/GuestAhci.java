package org.jvirt.devices.ahci;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.GuestMemory;
import org.jvirt.core.MemorySlot;
import org.jvirt.devices.pci.PciAddress;
import org.jvirt.devices.virtio.GuestPci;
import org.jvirt.devices.work.QueueRunner;
import org.jvirt.testkit.TestMemory;

/// A machine of one AHCI controller, with its driver. RAM: 0–8 MiB.
final class GuestAhci implements AutoCloseable {
    static final int RAM = 8 << 20;
    static final int LIST = 0x10_0000;
    static final int FIS = 0x10_8000;
    static final int TABLES = 0x11_0000;
    static final int DATA = 0x20_0000;
    static final long MSI_ADDRESS = 0xfee0_0000L;

    static final int CLB = 0x00;
    static final int FB = 0x08;
    static final int IS = 0x10;
    static final int IE = 0x14;
    static final int CMD = 0x18;
    static final int TFD = 0x20;
    static final int SIG = 0x24;
    static final int SSTS = 0x28;
    static final int SCTL = 0x2c;
    static final int SACT = 0x34;
    static final int CI = 0x38;

    final GuestPci pci = new GuestPci();
    final GuestMemory memory = TestMemory.of(RAM, List.of(new MemorySlot(0, 0, RAM, 0, false)));
    final AhciController controller;
    final PciAddress at;
    final long registers;

    /// A piece of memory for data.
    record Piece(long gpa, int length) {}

    GuestAhci(QueueRunner.Factory runners, @Nullable AtaDevice... devices) {
        controller = new AhciController("ahci0", devices, memory, runners);
        at = pci.add(31, controller);
        pci.assign();
        pci.write(at, 4, 2, pci.read(at, 4, 2) | 4);
        registers = pci.bar(at, 5);
    }

    int read(int register) {
        return (int) pci.mmio.read(registers + register, 4);
    }

    void write(int register, int value) {
        pci.mmio.write(registers + register, 4, value & 0xffff_ffffL);
    }

    int port(int port, int register) {
        return read(0x100 + 0x80 * port + register);
    }

    void port(int port, int register, int value) {
        write(0x100 + 0x80 * port + register, value);
    }

    void enableMsi() {
        int capability = pci.capability(at, 5, 0);
        pci.write(at, capability + 4, 4, MSI_ADDRESS);
        pci.write(at, capability + 0xc, 2, 0x51);
        pci.write(at, capability + 2, 2, 1);
    }

    /// Both engines of a port, and all its interrupts.
    void start(int port) {
        write(4, 2);
        port(port, CLB, LIST + 0x1000 * port);
        port(port, CLB + 4, 0);
        port(port, FB, FIS + 0x100 * port);
        port(port, FB + 4, 0);
        port(port, CMD, 0x10);
        port(port, IE, -1);
        port(port, IS, -1);
        port(port, CMD, 0x11);
    }

    /// Lays a command out, without issuing it.
    void prepare(int port, int slot, int[] fis, Piece... pieces) {
        long table = TABLES + 0x1_0000L * port + 0x400L * slot;
        long header = LIST + 0x1000L * port + 32L * slot;
        memory.writeInt(header, 5 | pieces.length << 16);
        memory.writeInt(header + 4, 0);
        memory.writeLong(header + 8, table);
        for (int i = 0; i < 20; i++) {
            memory.writeByte(table + i, i < fis.length ? fis[i] : 0);
        }
        for (int i = 0; i < pieces.length; i++) {
            memory.writeLong(table + 0x80 + 16L * i, pieces[i].gpa());
            memory.writeInt(table + 0x80 + 16L * i + 8, 0);
            memory.writeInt(table + 0x80 + 16L * i + 12, pieces[i].length() - 1);
        }
    }

    void packet(int port, int slot, int... cdb) {
        for (int i = 0; i < 16; i++) {
            memory.writeByte(TABLES + 0x1_0000L * port + 0x400L * slot + 0x40 + i, i < cdb.length ? cdb[i] : 0);
        }
    }

    void issue(int port, int slot) {
        port(port, CI, 1 << slot);
    }

    /// How many bytes were moved.
    int moved(int port, int slot) {
        return memory.readInt(LIST + 0x1000L * port + 32L * slot + 4);
    }

    /// Does a command in slot 0 and answers status and error as in PxTFD.
    int run(int port, int[] fis, Piece... pieces) {
        prepare(port, 0, fis, pieces);
        issue(port, 0);
        return port(port, TFD);
    }

    static int[] command(int command, int features, long lba, int count, int device) {
        return new int[] {
            0x27,
            0x80,
            command,
            features,
            (int) lba & 0xff,
            (int) (lba >> 8) & 0xff,
            (int) (lba >> 16) & 0xff,
            device,
            (int) (lba >> 24) & 0xff,
            (int) (lba >> 32) & 0xff,
            (int) (lba >> 40) & 0xff,
            features >> 8,
            count & 0xff,
            count >> 8
        };
    }

    byte[] get(long gpa, int length) {
        var content = new byte[length];
        memory.read(gpa, content);
        return content;
    }

    @Override
    public void close() {
        controller.close();
        memory.close();
    }
}
