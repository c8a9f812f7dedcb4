package org.jvirt.images.qcow2;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jvirt.images.file.ImageFile;

/// Tables of 64-bit numbers, as qcow2 has them.
final class BigEndian {
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

    private BigEndian() {}

    static long get(byte[] bytes, int at) {
        return (long) LONGS.get(bytes, at);
    }

    static void put(byte[] bytes, int at, long value) {
        LONGS.set(bytes, at, value);
    }

    /// Reads a table; what lies behind the file's end is zero.
    static long[] readTable(ImageFile file, long offset, int entries) throws IOException {
        long[] table = new long[entries];
        byte[] bytes = new byte[(int) Math.min(1 << 20, entries * 8L)];
        for (int done = 0; done < entries; ) {
            int part = Math.min(bytes.length / 8, entries - done);
            file.readPadded(offset + done * 8L, MemorySegment.ofArray(bytes).asSlice(0, part * 8L));
            ByteBuffer.wrap(bytes).asLongBuffer().get(table, done, part);
            done += part;
        }
        return table;
    }

    static byte[] encode(long[] table, int from, int to) {
        byte[] bytes = new byte[(to - from) * 8];
        ByteBuffer.wrap(bytes).asLongBuffer().put(table, from, to - from);
        return bytes;
    }

    static byte[] read(ImageFile file, long offset, long length) throws IOException {
        byte[] bytes = new byte[Math.toIntExact(length)];
        file.readPadded(offset, MemorySegment.ofArray(bytes));
        return bytes;
    }

    static void write(ImageFile file, long offset, byte[] bytes) throws IOException {
        file.write(offset, MemorySegment.ofArray(bytes));
    }
}
