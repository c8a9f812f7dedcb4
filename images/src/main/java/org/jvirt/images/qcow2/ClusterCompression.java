package org.jvirt.images.qcow2;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdCompressCtx;
import com.github.luben.zstd.ZstdDecompressCtx;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/// Compressed clusters: raw deflate (RFC 1951), or one zstd frame (RFC 8878), then anything up to the end of the
/// last sector. Thread-safe.
///
/// Deflate data may refer back 32 KiB, as far as the JDK's compressor does. QEMU says it makes do with 4 KiB, and
/// reads either, as it has the whole cluster at hand.
final class ClusterCompression implements AutoCloseable {
    private final Volume volume;
    private final boolean zstd;
    private final Queue<Inflater> inflaters = new ConcurrentLinkedQueue<>();
    private final Queue<Deflater> deflaters = new ConcurrentLinkedQueue<>();
    private final Queue<ZstdDecompressCtx> decompressors = new ConcurrentLinkedQueue<>();
    private final Queue<ZstdCompressCtx> compressors = new ConcurrentLinkedQueue<>();

    ClusterCompression(Volume volume) {
        this.volume = volume;
        zstd = volume.header.compressionType == 1;
    }

    /// The content of a cluster.
    byte[] read(long entry) throws IOException {
        int clusterBits = volume.geometry.clusterBits();
        long offset = L2Entry.compressedOffset(entry, clusterBits);
        byte[] stored = BigEndian.read(volume.file, offset, L2Entry.compressedBytes(entry, clusterBits));
        byte[] cluster = new byte[1 << clusterBits];
        if (!(zstd ? unzstd(stored, cluster) : inflate(stored, cluster))) {
            throw new IOException("Cannot decompress the cluster at 0x%x of %s: its data is damaged"
                    .formatted(offset, volume.file.name()));
        }
        return cluster;
    }

    private boolean inflate(byte[] stored, byte[] cluster) {
        Inflater taken = inflaters.poll();
        Inflater inflater = taken == null ? new Inflater(true) : taken;
        try {
            inflater.reset();
            inflater.setInput(stored);
            int done = 0;
            while (done < cluster.length) {
                int count = inflater.inflate(cluster, done, cluster.length - done);
                if (count == 0) {
                    break;
                }
                done += count;
            }
            return done == cluster.length;
        } catch (DataFormatException e) {
            return false;
        } finally {
            inflaters.add(inflater);
        }
    }

    private boolean unzstd(byte[] stored, byte[] cluster) {
        ZstdDecompressCtx taken = decompressors.poll();
        ZstdDecompressCtx context = taken == null ? new ZstdDecompressCtx() : taken;
        try {
            int from = 0;
            int done = 0;
            while (done < cluster.length && from < stored.length) {
                long frame = Zstd.findFrameCompressedSize(stored, from, stored.length - from);
                if (Zstd.isError(frame) || frame <= 0 || frame > stored.length - from) {
                    return false;
                }
                int count =
                        context.decompressByteArray(cluster, done, cluster.length - done, stored, from, (int) frame);
                if (count <= 0) {
                    return false;
                }
                done += count;
                from += (int) frame;
            }
            return done == cluster.length;
        } catch (RuntimeException e) {
            // ZstdException: the library's way of telling bad data.
            return false;
        } finally {
            decompressors.add(context);
        }
    }

    /// Compresses a whole cluster; answers an empty array if that would not make it smaller.
    byte[] compress(MemorySegment content) {
        int size = volume.geometry.clusterBytes();
        byte[] cluster = new byte[size];
        MemorySegment.copy(content, 0, MemorySegment.ofArray(cluster), 0, content.byteSize());
        byte[] out = new byte[size];
        int length = zstd ? zstd(cluster, out) : deflate(cluster, out);
        return length == 0 ? new byte[0] : Arrays.copyOf(out, length);
    }

    private int deflate(byte[] cluster, byte[] out) {
        Deflater taken = deflaters.poll();
        Deflater deflater = taken == null ? new Deflater(Deflater.DEFAULT_COMPRESSION, true) : taken;
        try {
            deflater.reset();
            deflater.setInput(cluster);
            deflater.finish();
            int length = deflater.deflate(out);
            return deflater.finished() && length < cluster.length ? length : 0;
        } finally {
            deflaters.add(deflater);
        }
    }

    private int zstd(byte[] cluster, byte[] out) {
        ZstdCompressCtx taken = compressors.poll();
        ZstdCompressCtx context = taken == null ? new ZstdCompressCtx() : taken;
        try {
            byte[] frame = context.compress(cluster);
            if (frame.length >= cluster.length) {
                return 0;
            }
            System.arraycopy(frame, 0, out, 0, frame.length);
            return frame.length;
        } finally {
            compressors.add(context);
        }
    }

    @Override
    public void close() {
        inflaters.forEach(Inflater::end);
        deflaters.forEach(Deflater::end);
        decompressors.forEach(ZstdDecompressCtx::close);
        compressors.forEach(ZstdCompressCtx::close);
    }
}
