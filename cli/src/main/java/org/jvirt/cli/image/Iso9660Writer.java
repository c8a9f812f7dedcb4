package org.jvirt.cli.image;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;

/// Writes an ISO 9660 file system with files in its root directory, as they come: a file's length need not be known
/// beforehand.
///
/// Source: ECMA-119, 4th edition (identical to ISO 9660). The dates are zero, "not specified" (8.4.26.1, 9.1.5).
/// Blocks:
///
/// ```
///  0–15  system area, zero       18  path table, little-endian   20…  root directory
///    16  primary descriptor      19  path table, big-endian       …   the files
///    17  set terminator
/// ```
///
/// Not thread-safe.
final class Iso9660Writer implements AutoCloseable {
    static final int BLOCK_BYTES = 2048;

    private static final Pattern NAME = Pattern.compile("[A-Z0-9_]{1,8}\\.[A-Z0-9_]{1,3}");
    private static final int ROOT_BLOCK = 20;
    private static final int PATH_TABLE_BYTES = 10;
    private static final int DIRECTORY_FLAG = 2;
    private static final byte[] SELF = {0};
    private static final byte[] PARENT = {1};

    /// A directory record's fixed part (9.1), a name of up to "8.3;1" and its padding.
    private static final int LARGEST_RECORD_BYTES = 48;

    private record Extent(byte[] name, int block, long bytes) {}

    private final FileChannel channel;
    private final String volume;
    private final int capacity;
    private final int rootBlocks;
    private final List<Extent> files = new ArrayList<>();
    private int nextBlock;

    /// @param target   must not exist
    /// @param volume   name of the volume: capitals, digits and underscores
    /// @param capacity how many files there may be
    Iso9660Writer(Path target, String volume, int capacity) throws IOException {
        channel = FileChannel.open(target, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        this.volume = volume;
        this.capacity = capacity;
        int perBlock = BLOCK_BYTES / LARGEST_RECORD_BYTES;
        rootBlocks = (capacity + 2 + perBlock - 1) / perBlock;
        nextBlock = ROOT_BLOCK + rootBlocks;
    }

    /// What a file's content is written with.
    interface Content {
        /// @param into where to write; positioned at the file's start
        void writeTo(PositionedOutput into) throws IOException;
    }

    /// A file's content as it grows. What was written before can be changed.
    final class PositionedOutput {
        private final long start;

        private PositionedOutput(long start) {
            this.start = start;
        }

        /// Bytes from the file's start to where the next go.
        long position() throws IOException {
            return channel.position() - start;
        }

        /// Appends; closing it has no effect.
        OutputStream stream() {
            OutputStream out = Channels.newOutputStream(channel);
            return new OutputStream() {
                @Override
                public void write(int value) throws IOException {
                    out.write(value);
                }

                @Override
                public void write(byte[] bytes, int offset, int length) throws IOException {
                    out.write(bytes, offset, length);
                }
            };
        }

        /// Replaces bytes that have been written.
        void replace(long position, byte[] bytes) throws IOException {
            writeFully(start + position, ByteBuffer.wrap(bytes));
        }
    }

    /// Adds a file.
    ///
    /// @param name such as `P0001.DEB`; Linux shows it in small letters
    void file(String name, Content content) throws IOException {
        if (!NAME.matcher(name).matches() || files.size() == capacity) {
            throw new IllegalStateException(
                    "No place for '%s' among %d of %d files".formatted(name, files.size(), capacity));
        }
        long start = (long) nextBlock * BLOCK_BYTES;
        channel.position(start);
        content.writeTo(new PositionedOutput(start));
        long bytes = channel.position() - start;
        if (bytes > 0xffff_ffffL) {
            throw new IOException("%s has %d bytes, ISO 9660 takes 2^32 - 1".formatted(name, bytes));
        }
        files.add(new Extent((name + ";1").getBytes(StandardCharsets.US_ASCII), nextBlock, bytes));
        nextBlock = Math.addExact(nextBlock, Math.toIntExact(Math.ceilDiv(bytes, BLOCK_BYTES)));
    }

    /// Writes the directory and what leads to it. Without this call the volume is not valid.
    void finish() throws IOException {
        files.sort((one, other) -> Arrays.compare(one.name, other.name));
        write(16, primaryDescriptor());
        write(17, descriptor(255));
        write(18, pathTable(ByteOrder.LITTLE_ENDIAN));
        write(19, pathTable(ByteOrder.BIG_ENDIAN));
        write(ROOT_BLOCK, root());
        // The last block is whole.
        writeFully((long) nextBlock * BLOCK_BYTES - 1, ByteBuffer.allocate(1));
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    /// 8.4.
    private ByteBuffer primaryDescriptor() {
        ByteBuffer block = descriptor(1);
        text(block, 8, 32, "");
        text(block, 40, 32, volume);
        both(block, 80, nextBlock);
        both16(block, 120, 1);
        both16(block, 124, 1);
        both16(block, 128, BLOCK_BYTES);
        both(block, 132, PATH_TABLE_BYTES);
        block.order(ByteOrder.LITTLE_ENDIAN).putInt(140, 18);
        block.order(ByteOrder.BIG_ENDIAN).putInt(148, 19);
        record(block, 156, new Extent(SELF, ROOT_BLOCK, (long) rootBlocks * BLOCK_BYTES), DIRECTORY_FLAG);
        text(block, 190, 813 - 190, "");
        for (int date = 813; date < 881; date += 17) {
            text(block, date, 16, "0".repeat(16));
        }
        block.put(881, (byte) 1);
        return block;
    }

    /// 8.1.
    private static ByteBuffer descriptor(int type) {
        ByteBuffer block = ByteBuffer.allocate(BLOCK_BYTES);
        block.put(0, (byte) type);
        text(block, 1, 5, "CD001");
        block.put(6, (byte) 1);
        return block;
    }

    /// 9.4: the root, its own parent.
    private static ByteBuffer pathTable(ByteOrder order) {
        ByteBuffer block = ByteBuffer.allocate(BLOCK_BYTES).order(order);
        block.put(0, (byte) 1);
        block.putInt(2, ROOT_BLOCK);
        block.putShort(6, (short) 1);
        return block;
    }

    /// 9.1; no record crosses a block's end (6.8.1.1).
    private ByteBuffer root() {
        ByteBuffer blocks = ByteBuffer.allocate(rootBlocks * BLOCK_BYTES);
        long bytes = (long) rootBlocks * BLOCK_BYTES;
        int at = record(blocks, 0, new Extent(SELF, ROOT_BLOCK, bytes), DIRECTORY_FLAG);
        at = record(blocks, at, new Extent(PARENT, ROOT_BLOCK, bytes), DIRECTORY_FLAG);
        for (Extent file : files) {
            if (at / BLOCK_BYTES != (at + LARGEST_RECORD_BYTES - 1) / BLOCK_BYTES) {
                at = (at / BLOCK_BYTES + 1) * BLOCK_BYTES;
            }
            at = record(blocks, at, file, 0);
        }
        return blocks;
    }

    private static int record(ByteBuffer buffer, int at, Extent extent, int flags) {
        int length = (33 + extent.name.length + 1) & ~1;
        buffer.put(at, (byte) length);
        both(buffer, at + 2, extent.block);
        both(buffer, at + 10, (int) extent.bytes);
        buffer.put(at + 25, (byte) flags);
        both16(buffer, at + 28, 1);
        buffer.put(at + 32, (byte) extent.name.length);
        buffer.put(at + 33, extent.name);
        return at + length;
    }

    /// 7.3.3: little-endian, then big-endian.
    private static void both(ByteBuffer buffer, int at, int value) {
        buffer.order(ByteOrder.LITTLE_ENDIAN).putInt(at, value);
        buffer.order(ByteOrder.BIG_ENDIAN).putInt(at + 4, value);
    }

    /// 7.2.3.
    private static void both16(ByteBuffer buffer, int at, int value) {
        buffer.order(ByteOrder.LITTLE_ENDIAN).putShort(at, (short) value);
        buffer.order(ByteOrder.BIG_ENDIAN).putShort(at + 2, (short) value);
    }

    private static void text(ByteBuffer buffer, int at, int length, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        for (int i = 0; i < length; i++) {
            buffer.put(at + i, i < bytes.length ? bytes[i] : (byte) ' ');
        }
    }

    private void write(int block, ByteBuffer bytes) throws IOException {
        writeFully((long) block * BLOCK_BYTES, bytes.rewind());
    }

    private void writeFully(long position, ByteBuffer bytes) throws IOException {
        long at = position;
        while (bytes.hasRemaining()) {
            at += channel.write(bytes, at);
        }
    }
}
