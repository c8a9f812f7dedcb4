package org.jvirt.images.qcow2;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdDecompressCtx;
import java.io.IOException;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.zip.DataFormatException;
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
    private final Queue<ZstdDecompressCtx> decompressors = new ConcurrentLinkedQueue<>();
    private final Queue<ClusterCompressor> compressors = new ConcurrentLinkedQueue<>();

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

    /// A compressor for the caller alone, to be given back with [#giveBack].
    ClusterCompressor take() {
        ClusterCompressor free = compressors.poll();
        return free != null ? free : ClusterCompressor.of(zstd, volume.geometry.clusterBytes());
    }

    void giveBack(ClusterCompressor compressor) {
        compressors.add(compressor);
    }

    @Override
    public void close() {
        inflaters.forEach(Inflater::end);
        decompressors.forEach(ZstdDecompressCtx::close);
        compressors.forEach(ClusterCompressor::close);
    }
}
