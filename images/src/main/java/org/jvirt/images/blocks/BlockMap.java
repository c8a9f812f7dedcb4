package org.jvirt.images.blocks;

import java.io.IOException;

/// Where the blocks of a disk lie in its file, as one format keeps it. All calls but [Save#write] come under the
/// lock of the [BlockStore].
public interface BlockMap {
    /// The image says nothing about the block.
    long ABSENT = -1;

    /// The image says that the block is zeroes.
    long ZERO = -2;

    /// @return where the block begins in the file, or [#ABSENT], or [#ZERO]
    /// @throws IOException if the table cannot be read, or is broken there
    long locate(long block) throws IOException;

    /// Sets space aside for blocks that have none.
    ///
    /// @param count not above [#mostInLine]
    /// @return where the first one begins; the others follow without gaps
    default long reserve(long block, int count) throws IOException {
        throw new IllegalStateException("No room is ever needed for block %d".formatted(block));
    }

    /// How many blocks may follow each other without gaps.
    default int mostInLine() {
        return 256;
    }

    /// The content of a block is in the space that was reserved for it.
    default void assign(long block, long placeBytes) throws IOException {
        throw new IllegalStateException("Block %d has its place".formatted(block));
    }

    /// Blocks that have their space are about to be written, all or a part of each.
    default void beforeWrite(long firstBlock, long lastBlock) throws IOException {}

    /// Whether [#assignZero] works.
    default boolean knowsZero() {
        return false;
    }

    /// A block without space is zeroes from now on.
    default void assignZero(long block) throws IOException {
        throw new IllegalStateException("Block %d cannot be marked".formatted(block));
    }

    /// Whether so much has changed that it should be saved soon.
    default boolean wantsSaving() {
        return false;
    }

    /// Takes what has changed since last time, to be written once the data is durable.
    default Save takeChanges() throws IOException {
        return Save.NOTHING;
    }

    /// A step from the file's tables to those in memory.
    interface Save {
        Save NOTHING = new Save() {
            @Override
            public void write() {}

            @Override
            public void done() {}
        };

        /// Writes what does no harm when it becomes durable before the data does.
        default void prepare() throws IOException {}

        /// Writes the changes, making durable between them what must be in order. May be repeated after a failure.
        void write() throws IOException;

        /// All is durable.
        void done();
    }

    /// A disk that lies in its file in one piece.
    static BlockMap flat(long startBytes, long blockBytes) {
        return block -> startBytes + block * blockBytes;
    }
}
