package org.jvirt.devices.nvme;

import java.util.List;
import org.jvirt.core.BlockBackend;
import org.jvirt.core.GuestMemory;
import org.jvirt.core.MemorySlot;
import org.jvirt.devices.pci.PciAddress;
import org.jvirt.devices.virtio.GuestPci;
import org.jvirt.devices.work.QueueRunner;
import org.jvirt.testkit.TestMemory;

/// A machine of one NVMe controller, with its driver. RAM: 0–8 MiB.
final class GuestNvme implements AutoCloseable {
    static final int RAM = 8 << 20;
    static final int ENTRIES = 8;
    static final int DATA = 0x40_0000;
    static final long MSI_ADDRESS = 0xfee0_0000L;
    private static final int QUEUES = 0x10_0000;

    final GuestPci pci = new GuestPci();
    final GuestMemory memory = TestMemory.of(RAM, List.of(new MemorySlot(0, 0, RAM, 0, false)));
    final NvmeController controller;
    final PciAddress at;
    final long registers;
    private final int[] tail = new int[8];
    private final int[] head = new int[8];
    private final int[] phase = new int[8];
    private int nextId = 1;

    /// How a command ended.
    ///
    /// @param status without the phase bit
    record Outcome(int id, int status, int result) {}

    GuestNvme(BlockBackend disk, int queues, QueueRunner.Factory runners) {
        controller = new NvmeController("nvme0", disk, "N-1", queues, 512, 512, memory, runners);
        at = pci.add(8, controller);
        pci.assign();
        pci.write(at, 4, 2, pci.read(at, 4, 2) | 4);
        registers = pci.bar(at, 0);
    }

    int read(int register) {
        return (int) pci.mmio.read(registers + register, 4);
    }

    void write(int register, int value) {
        pci.mmio.write(registers + register, 4, value & 0xffff_ffffL);
    }

    static long submissions(int queue) {
        return QUEUES + 0x2000L * queue;
    }

    static long completions(int queue) {
        return QUEUES + 0x2000L * queue + 0x1000;
    }

    void enable() {
        write(0x24, ENTRIES - 1 | ENTRIES - 1 << 16);
        pci.mmio.write(registers + 0x28, 8, submissions(0));
        pci.mmio.write(registers + 0x30, 8, completions(0));
        forget(0);
        write(0x14, 0x0046_0001);
    }

    private void forget(int queue) {
        tail[queue] = 0;
        head[queue] = 0;
        phase[queue] = 1;
        memory.fill(completions(queue), 0x1000, (byte) 0);
    }

    void enableMsix(int vectors) {
        int capability = pci.capability(at, 0x11, 0);
        long table = pci.bar(at, 4);
        for (int i = 0; i < vectors; i++) {
            pci.mmio.write(table + 16L * i, 8, MSI_ADDRESS);
            pci.mmio.write(table + 16L * i + 8, 8, 0x60 + i);
        }
        pci.write(at, capability + 2, 2, 0x8000);
    }

    /// Both halves of an I/O queue.
    void createQueue(int id) {
        forget(id);
        expectSuccess(admin(5, 0, completions(id), 0, id | ENTRIES - 1 << 16, 3 | id << 16));
        expectSuccess(admin(1, 0, submissions(id), 0, id | ENTRIES - 1 << 16, 1 | id << 16));
    }

    static void expectSuccess(Outcome outcome) {
        if (outcome.status() != 0) {
            throw new AssertionError("status 0x%x".formatted(outcome.status()));
        }
    }

    /// Puts a command into a queue and rings.
    int submit(int queue, int operation, int namespace, long prp1, long prp2, int... words) {
        int id = nextId++;
        long entry = submissions(queue) + 64L * tail[queue];
        memory.fill(entry, 64, (byte) 0);
        memory.writeInt(entry, operation | id << 16);
        memory.writeInt(entry + 4, namespace);
        memory.writeLong(entry + 24, prp1);
        memory.writeLong(entry + 32, prp2);
        for (int i = 0; i < words.length; i++) {
            memory.writeInt(entry + 40 + 4L * i, words[i]);
        }
        tail[queue] = (tail[queue] + 1) % ENTRIES;
        write(0x1000 + 8 * queue, tail[queue]);
        return id;
    }

    /// The next completion, taken off the queue, or null.
    Outcome poll(int queue) {
        long entry = completions(queue) + 16L * head[queue];
        int last = memory.readInt(entry + 12);
        if ((last >> 16 & 1) != phase[queue]) {
            return null;
        }
        var outcome = new Outcome(last & 0xffff, last >>> 17 & 0x7ff, memory.readInt(entry));
        head[queue]++;
        if (head[queue] == ENTRIES) {
            head[queue] = 0;
            phase[queue] ^= 1;
        }
        write(0x1004 + 8 * queue, head[queue]);
        return outcome;
    }

    Outcome admin(int operation, int namespace, long prp1, long prp2, int... words) {
        submit(0, operation, namespace, prp1, prp2, words);
        return await(0);
    }

    Outcome io(int queue, int operation, long prp1, long prp2, int... words) {
        submit(queue, operation, 1, prp1, prp2, words);
        return await(queue);
    }

    Outcome await(int queue) {
        while (true) {
            Outcome outcome = poll(queue);
            if (outcome != null) {
                return outcome;
            }
            Thread.onSpinWait();
        }
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
