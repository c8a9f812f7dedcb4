package org.jvirt.devices.nvme;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import org.jvirt.core.BlockBackend;
import org.jvirt.core.GuestAddressException;
import org.jvirt.devices.pci.GuestErrors;

/// The blocks behind the controller, and the commands of I/O queues on them (NVMe §6). Several queues' workers at
/// once.
final class Namespace {
    static final int ID = 1;
    static final int ALL = -1;
    /// As a power of two of pages of 4 KiB: 512 KiB in one command.
    static final int MAX_TRANSFER_EXPONENT = 7;

    private static final int FLUSH = 0x00;
    private static final int WRITE = 0x01;
    private static final int READ = 0x02;
    private static final int COMPARE = 0x05;
    private static final int WRITE_ZEROES = 0x08;
    private static final int DATASET_MANAGEMENT = 0x09;
    private static final int FORCE_UNIT_ACCESS = 1 << 30;
    private static final int DEALLOCATE_ZEROES = 1 << 25;
    private static final int DEALLOCATE = 1 << 2;
    private static final int RANGE_BYTES = 16;
    private static final long MAX_TRANSFER_BYTES = 4096L << MAX_TRANSFER_EXPONENT;
    private static final long UNIT_BYTES = 512_000;

    private final BlockBackend backend;
    private final String name;
    private final int blockBytes;
    private final int physicalBlocks;
    private final GuestErrors failures;
    private final AtomicLong bytesRead = new AtomicLong();
    private final AtomicLong bytesWritten = new AtomicLong();
    private final AtomicLong reads = new AtomicLong();
    private final AtomicLong writes = new AtomicLong();
    private volatile long blocks;
    private volatile boolean writeCache = true;

    /// @param name               unique: the identity of the namespace is made of it
    /// @param physicalBlockBytes a power of two, at least a block
    Namespace(BlockBackend backend, String name, int blockBytes, int physicalBlockBytes) {
        this.backend = backend;
        this.name = name;
        this.blockBytes = blockBytes;
        physicalBlocks = physicalBlockBytes / blockBytes;
        failures = new GuestErrors("disk " + backend.name());
        measure();
    }

    /// Takes the backend's size of now.
    void measure() {
        blocks = backend.sizeBytes() / blockBytes;
    }

    boolean writeCache() {
        return writeCache;
    }

    void writeCache(boolean on) {
        writeCache = on;
    }

    void flush() throws IOException {
        if (!backend.readOnly()) {
            backend.flush();
        }
    }

    /// Carries a command out and answers its status.
    ///
    /// @throws GuestAddressException if it names memory that is not RAM
    int execute(NvmeCommand command) {
        int operation = command.operation();
        if (!command.plain()) {
            return NvmeStatus.INVALID_FIELD;
        }
        int namespace = command.namespace();
        if (namespace != ID && !(operation == FLUSH && namespace == ALL)) {
            return NvmeStatus.INVALID_NAMESPACE;
        }
        try {
            return switch (operation) {
                case FLUSH -> {
                    flush();
                    yield NvmeStatus.SUCCESS;
                }
                case READ -> read(command);
                case WRITE -> write(command);
                case COMPARE -> compare(command);
                case WRITE_ZEROES -> writeZeroes(command);
                case DATASET_MANAGEMENT -> manage(command);
                default -> NvmeStatus.INVALID_OPERATION;
            };
        } catch (IOException e) {
            failures.report(() ->
                    "command 0x%02x at block %d failed: %s".formatted(operation, command.words(10), e.getMessage()));
            return operation == READ || operation == COMPARE ? NvmeStatus.READ_ERROR : NvmeStatus.WRITE_FAULT;
        }
    }

    private static int count(NvmeCommand command) {
        return (command.word(12) & 0xffff) + 1;
    }

    private boolean outside(long block, long count) {
        long end = blocks;
        return block < 0 || block > end || count > end - block;
    }

    /// Checks range and length of a transfer, and collects its memory.
    private int prepare(NvmeCommand command, long length) {
        if (length > MAX_TRANSFER_BYTES) {
            return NvmeStatus.INVALID_FIELD;
        }
        if (outside(command.words(10), count(command))) {
            return NvmeStatus.LBA_OUT_OF_RANGE;
        }
        return command.collect(length);
    }

    private int read(NvmeCommand command) throws IOException {
        long length = (long) count(command) * blockBytes;
        int status = prepare(command, length);
        if (status != NvmeStatus.SUCCESS) {
            return status;
        }
        try {
            backend.read(command.words(10) * blockBytes, command.buffers().in(0, length));
        } finally {
            // A failed read may have written a part.
            command.buffers().filled(0, length);
        }
        reads.incrementAndGet();
        bytesRead.addAndGet(length);
        return NvmeStatus.SUCCESS;
    }

    private int write(NvmeCommand command) throws IOException {
        if (backend.readOnly()) {
            return NvmeStatus.WRITE_PROTECTED;
        }
        long length = (long) count(command) * blockBytes;
        int status = prepare(command, length);
        if (status != NvmeStatus.SUCCESS) {
            return status;
        }
        backend.write(command.words(10) * blockBytes, command.buffers().out(0, length));
        if (!writeCache || (command.word(12) & FORCE_UNIT_ACCESS) != 0) {
            backend.flush();
        }
        writes.incrementAndGet();
        bytesWritten.addAndGet(length);
        return NvmeStatus.SUCCESS;
    }

    private int compare(NvmeCommand command) throws IOException {
        int length = count(command) * blockBytes;
        int status = prepare(command, length);
        if (status != NvmeStatus.SUCCESS) {
            return status;
        }
        var there = MemorySegment.ofArray(new byte[length]);
        backend.read(command.words(10) * blockBytes, List.of(there));
        byte[] given = command.buffers().get(0, length);
        return there.mismatch(MemorySegment.ofArray(given)) < 0 ? NvmeStatus.SUCCESS : NvmeStatus.COMPARE_FAILURE;
    }

    private int writeZeroes(NvmeCommand command) throws IOException {
        if (backend.readOnly()) {
            return NvmeStatus.WRITE_PROTECTED;
        }
        long block = command.words(10);
        if (outside(block, count(command))) {
            return NvmeStatus.LBA_OUT_OF_RANGE;
        }
        boolean unmap = (command.word(12) & DEALLOCATE_ZEROES) != 0;
        backend.writeZeroes(block * blockBytes, (long) count(command) * blockBytes, unmap);
        if (!writeCache || (command.word(12) & FORCE_UNIT_ACCESS) != 0) {
            backend.flush();
        }
        return NvmeStatus.SUCCESS;
    }

    private int manage(NvmeCommand command) throws IOException {
        if (backend.readOnly()) {
            return NvmeStatus.WRITE_PROTECTED;
        }
        int ranges = (command.word(10) & 0xff) + 1;
        int status = command.collect((long) ranges * RANGE_BYTES);
        if (status != NvmeStatus.SUCCESS) {
            return status;
        }
        ByteBuffer list =
                ByteBuffer.wrap(command.buffers().get(0, ranges * RANGE_BYTES)).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 0; at < list.capacity(); at += RANGE_BYTES) {
            if (outside(list.getLong(at + 8), list.getInt(at + 4) & 0xffff_ffffL)) {
                return NvmeStatus.LBA_OUT_OF_RANGE;
            }
        }
        if ((command.word(11) & DEALLOCATE) != 0) {
            for (int at = 0; at < list.capacity(); at += RANGE_BYTES) {
                long count = list.getInt(at + 4) & 0xffff_ffffL;
                backend.discard(list.getLong(at + 8) * blockBytes, count * blockBytes);
            }
        }
        return NvmeStatus.SUCCESS;
    }

    // ---- what it tells of itself (NVMe §5.15.2)

    byte[] identify() {
        long count = blocks;
        ByteBuffer data = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN);
        data.putLong(0, count).putLong(8, count).putLong(16, count);
        data.put(24, (byte) 0x11); // thin; preferred sizes below
        data.put(33, (byte) 0x08); // Write Zeroes may deallocate
        data.putShort(64, (short) (physicalBlocks - 1));
        data.putShort(66, (short) (physicalBlocks - 1));
        data.putShort(68, (short) (physicalBlocks - 1));
        data.putShort(70, (short) (physicalBlocks - 1));
        data.put(99, (byte) (backend.readOnly() ? 1 : 0));
        data.put(128 + 2, (byte) Integer.numberOfTrailingZeros(blockBytes));
        return data.array();
    }

    /// The list of identities: a UUID made of the name.
    byte[] identities() {
        UUID uuid = UUID.nameUUIDFromBytes(name.getBytes(StandardCharsets.UTF_8));
        ByteBuffer data = ByteBuffer.allocate(4096);
        data.put(0, (byte) 3).put(1, (byte) 16);
        data.putLong(4, uuid.getMostSignificantBits()).putLong(12, uuid.getLeastSignificantBits());
        return data.array();
    }

    /// Adds the counts of work to a health log page.
    void count(ByteBuffer page) {
        page.putLong(32, (bytesRead.get() + UNIT_BYTES - 1) / UNIT_BYTES);
        page.putLong(48, (bytesWritten.get() + UNIT_BYTES - 1) / UNIT_BYTES);
        page.putLong(64, reads.get());
        page.putLong(80, writes.get());
    }
}
