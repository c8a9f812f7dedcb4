package org.jvirt.engine.soft.translate.store;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.jvirt.linux.PositionalFile;

/// A file of stored blocks that several processes read and append to.
///
/// ```
/// 0   magic      8 bytes
/// 8   committed  8 bytes: where the next batch goes; all before it is complete
/// 16  checksum   4 bytes, of the committed length
/// 32  batches    count, bytes in all, checksum of the list, 0;
///                list: key of each record, its length, shape and hash of its Opening;
///                records: length, checksum of what follows, back, forth, block
/// ```
///
/// Blocks of one page of guest code stand next to each other in a batch: `back` and `forth` are how far it is to
/// the record before and after that one, 0 for none of the same page. What is of a record has its lowest byte
/// first.
///
/// Batches and records begin at multiples of 8. Who appends holds the file's lock, writes a batch behind the
/// committed length, and then that length. So a writer that dies leaves nothing but bytes that the next one
/// overwrites, and readers see complete records only. Each record has a checksum, which is looked at when the
/// record is used. The file is the user's alone.
///
/// Of a file only the lists are read at first, and records by a [StoreReader]: nothing is mapped, so that nothing
/// of it counts as memory of the process. Thread-safe.
final class StoreFile implements AutoCloseable {
    static final long MOST_BYTES = 128L << 20;
    private static final long MOST_BYTES_OF_ALL = 256L << 20;
    private static final long MAGIC = 0x4A56_4952_5443_4F33L;
    private static final int HEADER = 32;
    private static final int BATCH_HEADER = 16;
    private static final int ENTRY_BYTES = 20;
    static final int ALIGNMENT = 8;
    static final int MOST_RECORD_BYTES = 1 << 20;
    // what a record begins with
    static final int RECORD_BYTES = 0;
    static final int RECORD_CHECKSUM = 4;
    static final int RECORD_BACK = 8;
    static final int RECORD_FORTH = 12;
    static final int RECORD_HEADER = 16;
    /// A batch with more is divided.
    private static final int BATCH_BYTES = 1 << 18;

    private static final int PAGE_SHIFT = 12;

    private static final int MOST_LIST_BYTES = 1 << 22;
    private static final String SUFFIX = ".blocks";

    private final Path path;
    private final long mostBytes;
    private volatile @Nullable Opened opened;
    private boolean closed;
    /// Up to where records are known to be complete in the file that is opened.
    private volatile long knownEnd;
    /// Held while appending: a file's lock is the process's. Never by who looks for something.
    private final Object appending = new Object();

    /// Takes what is in a file.
    interface Listing {
        /// @param shape    as [Opening] has it, and hash
        /// @param position of the record
        void add(long key, int shape, int hash, int position);
    }

    /// The file that the path meant when it was opened; perhaps replaced since.
    ///
    /// @param identity what tells it from another at the same path
    private record Opened(PositionalFile file, Object identity) {}

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

    private Object identity() throws IOException {
        return Objects.requireNonNullElse(
                Files.readAttributes(path, BasicFileAttributes.class).fileKey(), path);
    }

    /// Opens the file for reading unless it is; empty if it changes at this moment.
    private synchronized Optional<Opened> opened() throws IOException {
        if (opened == null && !closed) {
            Object before = identity();
            PositionalFile file = PositionalFile.open(path, Set.of());
            if (!before.equals(identity())) {
                file.close();
                return Optional.empty();
            }
            opened = new Opened(file, before);
        }
        return Optional.ofNullable(opened);
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

    /// Tells what records there are.
    void list(Listing listing) throws IOException {
        if (!Files.exists(path)) {
            return;
        }
        Optional<Opened> source = opened();
        if (source.isPresent()) {
            try (Arena arena = Arena.ofConfined()) {
                knownEnd = scan(source.get().file, arena, listing);
            }
        }
    }

    /// Answers up to where it has found batches.
    private static long scan(PositionalFile file, Arena arena, Listing listing) throws IOException {
        MemorySegment room = arena.allocate(MOST_LIST_BYTES, ALIGNMENT);
        ByteBuffer bytes = room.asByteBuffer();
        long end = file.read(0, room.asSlice(0, HEADER)) < HEADER ? HEADER : committed(bytes, file.sizeBytes());
        long at = HEADER;
        while (at + BATCH_HEADER < end && file.read(at, room.asSlice(0, BATCH_HEADER)) == BATCH_HEADER) {
            int count = bytes.getInt(0);
            int length = bytes.getInt(4);
            long listBytes = (long) count * ENTRY_BYTES;
            if (count <= 0
                    || listBytes > MOST_LIST_BYTES - BATCH_HEADER
                    || length < listBytes
                    || at + length > end
                    || file.read(at + BATCH_HEADER, room.asSlice(BATCH_HEADER, listBytes)) != listBytes
                    || checksum(bytes, count) != bytes.getInt(8)) {
                // damaged: what follows cannot be found
                return at;
            }
            long position = at + aligned(BATCH_HEADER + (int) listBytes);
            for (int i = 0; i < count; i++) {
                int entry = BATCH_HEADER + i * ENTRY_BYTES;
                int recordBytes = bytes.getInt(entry + 8);
                listing.add(bytes.getLong(entry), bytes.getInt(entry + 12), bytes.getInt(entry + 16), (int) position);
                position += aligned(recordBytes);
            }
            at += length;
        }
        return at;
    }

    private static int aligned(int bytes) {
        return bytes + ALIGNMENT - 1 & -ALIGNMENT;
    }

    /// Of a batch: of its count and length, and of its list.
    private static int checksum(ByteBuffer batch, int count) {
        var crc = new CRC32C();
        crc.update(batch.slice(0, 8));
        crc.update(batch.slice(BATCH_HEADER, count * ENTRY_BYTES));
        return (int) crc.getValue();
    }

    /// Reads what is at a position of the file that was opened first, complete records only; answers how many
    /// bytes.
    long read(long position, MemorySegment into) throws IOException {
        Opened source = opened;
        long most = knownEnd - position;
        return source == null || most <= 0
                ? 0
                : source.file.read(position, into.asSlice(0, Math.min(most, into.byteSize())));
    }

    private static int checksum(long committed) {
        var crc = new CRC32C();
        crc.update(ByteBuffer.allocate(8).putLong(0, committed));
        return (int) crc.getValue();
    }

    /// Up to where batches are complete; [#HEADER] for a file that is new or none of ours.
    private static long committed(FileChannel channel) throws IOException {
        ByteBuffer header = ByteBuffer.allocate(HEADER);
        return channel.read(header, 0) < HEADER ? HEADER : committed(header, channel.size());
    }

    private static long committed(ByteBuffer header, long sizeBytes) {
        long committed = header.getLong(8);
        boolean whole = header.getLong(0) == MAGIC && header.getInt(16) == checksum(committed);
        return whole && committed >= HEADER && committed <= Math.min(sizeBytes, Integer.MAX_VALUE) ? committed : HEADER;
    }

    private static void commit(FileChannel channel, long committed) throws IOException {
        ByteBuffer header = ByteBuffer.allocate(HEADER);
        header.putLong(0, MAGIC).putLong(8, committed).putInt(16, checksum(committed));
        channel.write(header, 0);
    }

    /// Appends blocks, and answers where they are, 0 for each that cannot be read here. A full file loses its older
    /// half instead.
    int[] append(List<StoredBlock> blocks) throws IOException {
        int[] positions = new int[blocks.size()];
        int from = 0;
        while (from < blocks.size()) {
            int to = from;
            int bytes = 0;
            while (to < blocks.size() && (to == from || bytes + recordBytes(blocks.get(to)) <= BATCH_BYTES)) {
                bytes += aligned(recordBytes(blocks.get(to++)));
            }
            int first;
            synchronized (appending) {
                first = appendBatch(blocks.subList(from, to), bytes);
            }
            for (int i = from; i < to && first != 0; i++) {
                positions[i] = first;
                first += aligned(recordBytes(blocks.get(i)));
            }
            from = to;
        }
        return positions;
    }

    static int recordBytes(StoredBlock block) {
        return RECORD_HEADER + block.encodedBytes();
    }

    /// Whether two blocks are of the same page, for the same rights.
    private static boolean isNextTo(StoredBlock one, StoredBlock other) {
        return one.rip() >>> PAGE_SHIFT == other.rip() >>> PAGE_SHIFT && one.context() == other.context();
    }

    private static void put(ByteBuffer batch, StoredBlock block, int back, int forth) {
        int at = batch.position();
        int length = block.encodedBytes();
        ByteBuffer record = batch.slice(at, RECORD_HEADER + length).order(ByteOrder.LITTLE_ENDIAN);
        record.position(RECORD_BACK).putInt(back).putInt(forth);
        block.encode(record);
        var crc = new CRC32C();
        crc.update(record.flip().position(RECORD_BACK));
        record.putInt(RECORD_BYTES, length).putInt(RECORD_CHECKSUM, (int) crc.getValue());
        batch.position(at + aligned(RECORD_HEADER + length));
    }

    /// Appends a batch; answers where its first record can be read here, or 0.
    private int appendBatch(List<StoredBlock> blocks, int recordBytes) throws IOException {
        int listBytes = aligned(BATCH_HEADER + blocks.size() * ENTRY_BYTES);
        ByteBuffer batch = ByteBuffer.allocate(listBytes + recordBytes);
        batch.putInt(blocks.size()).putInt(batch.capacity()).position(BATCH_HEADER);
        for (StoredBlock block : blocks) {
            batch.putLong(block.key()).putInt(recordBytes(block));
            batch.putInt(Opening.shape(block)).putInt(Opening.hash(block));
        }
        batch.putInt(8, checksum(batch, blocks.size()));
        batch.position(listBytes);
        for (int i = 0; i < blocks.size(); i++) {
            int back = i > 0 && isNextTo(blocks.get(i - 1), blocks.get(i)) ? recordBytes(blocks.get(i - 1)) : 0;
            boolean more = i + 1 < blocks.size() && isNextTo(blocks.get(i), blocks.get(i + 1));
            put(batch, blocks.get(i), aligned(back), more ? aligned(recordBytes(blocks.get(i))) : 0);
        }
        batch.flip();
        try (FileChannel channel = open();
                FileLock _ = channel.lock()) {
            long end = committed(channel);
            if (end + batch.limit() > mostBytes) {
                halve(channel, end);
                return 0;
            }
            while (batch.hasRemaining()) {
                channel.write(batch, end + batch.position());
            }
            commit(channel, end + batch.limit());
            // nobody can replace the file now
            Optional<Opened> source = opened();
            if (source.isEmpty() || !source.get().identity.equals(identity())) {
                return 0;
            }
            knownEnd = Math.max(knownEnd, end + batch.limit());
            return (int) end + listBytes;
        }
    }

    /// Replaces the file by one with the younger half of its batches. Who has it open goes on with the old one.
    private void halve(FileChannel channel, long end) throws IOException {
        ByteBuffer header = ByteBuffer.allocate(BATCH_HEADER);
        long from = HEADER;
        while (from < end / 2) {
            int length = channel.read(header.clear(), from) < BATCH_HEADER ? 0 : header.getInt(4);
            from = length <= 0 || length > end - from ? end : from + length;
        }
        Path young = Files.createTempFile(path.getParent(), "halving", ".tmp");
        try (FileChannel to = FileChannel.open(young, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            to.position(HEADER);
            for (long at = from; at < end; ) {
                long moved = channel.transferTo(at, end - at, to);
                if (moved <= 0) {
                    throw new IOException("%s has become shorter than %d bytes".formatted(path, end));
                }
                at += moved;
            }
            commit(to, HEADER + end - from);
        }
        Files.move(young, path, StandardCopyOption.ATOMIC_MOVE);
    }

    @Override
    public synchronized void close() throws IOException {
        closed = true;
        if (opened != null) {
            opened.file.close();
            opened = null;
        }
    }
}
