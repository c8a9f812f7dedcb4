package org.jvirt.images.qcow2;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdCompressCtx;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.zip.Deflater;

/// Compresses one cluster at a time. Not thread-safe: each thread takes one of its own.
///
/// All buffers are native and stay: what is to be compressed goes to the compressor, and its result to the file,
/// without a copy in the Java heap.
sealed interface ClusterCompressor extends AutoCloseable {
    /// @param content at most a cluster; what it lacks of one is taken as zeroes
    /// @return what is to be stored, valid until the next call; empty if compressing does not make it smaller
    MemorySegment compress(MemorySegment content);

    @Override
    void close();

    static ClusterCompressor of(boolean zstd, int clusterBytes) {
        return zstd ? new OfZstd(clusterBytes) : new OfDeflate(clusterBytes);
    }

    /// A native segment of exactly a cluster: the content itself where it is one.
    private static MemorySegment wholeCluster(MemorySegment content, MemorySegment scratch) {
        if (content.isNative() && content.byteSize() == scratch.byteSize()) {
            return content;
        }
        MemorySegment.copy(content, 0, scratch, 0, content.byteSize());
        scratch.asSlice(content.byteSize()).fill((byte) 0);
        return scratch;
    }

    /// Raw deflate data, RFC 1951.
    final class OfDeflate implements ClusterCompressor {
        private final Deflater deflater = new Deflater(Deflater.DEFAULT_COMPRESSION, true);
        private final Arena arena = Arena.ofShared();
        private final MemorySegment scratch;
        private final MemorySegment stored;
        private final ByteBuffer storedBytes;

        OfDeflate(int clusterBytes) {
            scratch = arena.allocate(clusterBytes, 8);
            stored = arena.allocate(clusterBytes, 8);
            storedBytes = stored.asByteBuffer();
        }

        @Override
        public MemorySegment compress(MemorySegment content) {
            deflater.reset();
            deflater.setInput(wholeCluster(content, scratch).asByteBuffer());
            deflater.finish();
            int length = deflater.deflate(storedBytes.clear());
            return stored.asSlice(0, deflater.finished() && length < stored.byteSize() ? length : 0);
        }

        @Override
        public void close() {
            deflater.end();
            arena.close();
        }
    }

    /// One zstd frame, RFC 8878.
    final class OfZstd implements ClusterCompressor {
        private final ZstdCompressCtx context = new ZstdCompressCtx();
        private final Arena arena = Arena.ofShared();
        private final MemorySegment scratch;
        private final MemorySegment stored;
        private final ByteBuffer storedBytes;

        OfZstd(int clusterBytes) {
            scratch = arena.allocate(clusterBytes, 8);
            // Room for what does not compress, too: without, the library fails with an exception.
            stored = arena.allocate(Zstd.compressBound(clusterBytes), 8);
            storedBytes = stored.asByteBuffer();
        }

        @Override
        public MemorySegment compress(MemorySegment content) {
            ByteBuffer cluster = wholeCluster(content, scratch).asByteBuffer();
            int length = context.compressDirectByteBuffer(
                    storedBytes, 0, storedBytes.capacity(), cluster, 0, cluster.capacity());
            return stored.asSlice(0, length < scratch.byteSize() ? length : 0);
        }

        @Override
        public void close() {
            context.close();
            arena.close();
        }
    }
}
