package org.jvirt.engine.soft.translate.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.function.LongConsumer;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/// A file of stored blocks that several processes read and append to.
///
/// ```
/// 0   magic      8 bytes
/// 8   committed  8 bytes: where the next record goes; all before it is complete
/// 16  checksum   4 bytes, of the committed length
/// 32  records    length, checksum, block
/// ```
///
/// Who appends holds the file's lock, writes records behind the committed length, and then that length. So a writer
/// that dies leaves nothing but bytes that the next one overwrites, and readers see complete records only. Each
/// record has a checksum, which is looked at when the record is used. The file is the user's alone.
final class StoreFile {
    static final long MOST_BYTES = 128L << 20;
    private static final long MOST_BYTES_OF_ALL = 256L << 20;
    private static final long MAGIC = 0x4A56_4952_5443_4F31L;
    private static final int HEADER = 32;
    private static final int RECORD_HEADER = 8;
    private static final int MOST_RECORD_BYTES = 1 << 20;
    private static final String SUFFIX = ".blocks";

    private final Path path;
    private final long mostBytes;
    private ByteBuffer mapped = ByteBuffer.allocate(0);
    private long known = HEADER;

    StoreFile(Path directory, String version, long mostBytes) throws IOException {
        this.mostBytes = mostBytes;
        Files.createDirectories(
                directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        path = directory.resolve(version + SUFFIX);
        if (Files.exists(path)) {
            Files.setLastModifiedTime(path, FileTime.fromMillis(System.currentTimeMillis()));
        }
        evict(directory);
    }

    private FileChannel open() throws IOException {
        return FileChannel.open(
                path,
                EnumSet.of(StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    }

    /// Removes files of other versions, those unused for longest first, until the rest is small enough.
    private void evict(Path directory) throws IOException {
        List<Path> others = new ArrayList<>();
        try (Stream<Path> files = Files.list(directory)) {
            files.filter(file -> file.toString().endsWith(SUFFIX) && !file.equals(path))
                    .forEach(others::add);
        }
        others.sort(Comparator.comparing(StoreFile::lastUse).reversed());
        long sum = mostBytes;
        for (Path file : others) {
            sum += Files.exists(file) ? Files.size(file) : 0;
            if (sum > Math.max(MOST_BYTES_OF_ALL, 2 * mostBytes)) {
                Files.deleteIfExists(file);
            }
        }
    }

    private static FileTime lastUse(Path file) {
        try {
            return Files.getLastModifiedTime(file);
        } catch (IOException e) {
            // gone meanwhile
            return FileTime.fromMillis(0);
        }
    }

    /// Finds the records that have come since the last call, by position; [#read] reads one.
    void refresh(LongConsumer position) throws IOException {
        if (!Files.exists(path)) {
            return;
        }
        try (FileChannel channel = open()) {
            scan(channel, committed(channel), position);
        }
    }

    private void scan(FileChannel channel, long end, LongConsumer position) throws IOException {
        if (end <= known) {
            return;
        }
        mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, end);
        while (known + RECORD_HEADER < end) {
            int length = mapped.getInt((int) known);
            if (length <= 0 || length > MOST_RECORD_BYTES || known + RECORD_HEADER + length > end) {
                // damaged: what follows cannot be found
                known = end;
                return;
            }
            position.accept(known);
            known += RECORD_HEADER + length;
        }
    }

    /// The key of a record: not to be relied on before [#read] has found it undamaged.
    long key(long position) {
        return mapped.getLong((int) position + RECORD_HEADER);
    }

    /// A record's block, encoded; perhaps damaged.
    ByteBuffer encoded(long position) {
        return mapped.slice((int) position + RECORD_HEADER, mapped.getInt((int) position));
    }

    /// The block of a record; empty if it is damaged.
    Optional<StoredBlock> read(long position) {
        int at = (int) position;
        ByteBuffer record = encoded(position);
        var crc = new CRC32C();
        crc.update(record.duplicate());
        return (int) crc.getValue() == mapped.getInt(at + 4) ? StoredBlock.decode(record) : Optional.empty();
    }

    private static int checksum(long committed) {
        var crc = new CRC32C();
        crc.update(ByteBuffer.allocate(8).putLong(0, committed));
        return (int) crc.getValue();
    }

    /// Up to where records are complete; [#HEADER] for a file that is new or none of ours.
    private static long committed(FileChannel channel) throws IOException {
        ByteBuffer header = ByteBuffer.allocate(HEADER);
        if (channel.read(header, 0) < HEADER || header.getLong(0) != MAGIC) {
            return HEADER;
        }
        long committed = header.getLong(8);
        boolean whole = header.getInt(16) == checksum(committed);
        return whole && committed >= HEADER && committed <= Math.min(channel.size(), Integer.MAX_VALUE)
                ? committed
                : HEADER;
    }

    private static void commit(FileChannel channel, long committed) throws IOException {
        ByteBuffer header = ByteBuffer.allocate(HEADER);
        header.putLong(0, MAGIC).putLong(8, committed).putInt(16, checksum(committed));
        channel.write(header, 0);
    }

    /// Appends blocks. A full file loses its older half first.
    void append(List<StoredBlock> blocks) throws IOException {
        int bytes = 0;
        for (StoredBlock block : blocks) {
            bytes += RECORD_HEADER + block.encodedBytes();
        }
        ByteBuffer records = ByteBuffer.allocate(bytes);
        for (StoredBlock block : blocks) {
            int length = block.encodedBytes();
            int at = records.position();
            records.putInt(length).putInt(0);
            block.encode(records);
            var crc = new CRC32C();
            crc.update(records.slice(at + RECORD_HEADER, length));
            records.putInt(at + 4, (int) crc.getValue());
        }
        records.flip();
        try (FileChannel channel = open();
                FileLock _ = channel.lock()) {
            long end = committed(channel);
            if (end + bytes > mostBytes) {
                halve(channel, end);
                return;
            }
            while (records.hasRemaining()) {
                channel.write(records, end + records.position());
            }
            commit(channel, end + bytes);
        }
    }

    /// Replaces the file by one with the younger half of its records. Who has it open goes on with the old one.
    private void halve(FileChannel channel, long end) throws IOException {
        ByteBuffer all = channel.map(FileChannel.MapMode.READ_ONLY, 0, end);
        int from = HEADER;
        while (from < end / 2) {
            int length = all.getInt(from);
            if (length <= 0 || length > MOST_RECORD_BYTES) {
                from = (int) end;
                break;
            }
            from += RECORD_HEADER + length;
        }
        Path young = Files.createTempFile(path.getParent(), "halving", ".tmp");
        try (FileChannel to = FileChannel.open(young, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            ByteBuffer rest = all.slice(from, (int) end - from);
            int length = rest.remaining();
            while (rest.hasRemaining()) {
                to.write(rest, HEADER + (long) rest.position());
            }
            commit(to, HEADER + (long) length);
        }
        Files.move(young, path, StandardCopyOption.ATOMIC_MOVE);
    }
}
