package org.jvirt.engine.soft.translate;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.translate.emit.StateLayout;
import org.jvirt.engine.soft.translate.store.Relocation;
import org.jvirt.engine.soft.translate.store.StoredBlock;
import org.jvirt.linux.ExecutableMemory;
import org.jvirt.x86.CodeWriter;

/// The host code of one processor: a ring, in which the oldest blocks give way to new ones.
///
/// ```
/// | kept | newest … ↓ end   (room)   oldest … older than newest |
///          └──── blocks follow each other by place, then begin anew ────┘
/// ```
final class CodeCache implements CodePlace, AutoCloseable {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
    private static final int ALIGNMENT = 16;
    /// Before each block is its RIP.
    private static final int HEADER = StateLayout.BLOCK_HEADER_BYTES;
    /// Room that a block may need.
    private static final int RESERVE = 1 << 17;
    private static final int FIRST_ROOM = 1 << 10;
    private static final long RELEASE_NANOS = 1_000_000_000;

    private final ExecutableMemory memory;
    private final MemorySegment code;
    /// A ring, too, as long as a power of two.
    private @Nullable TranslatedBlock[] blocks = new @Nullable TranslatedBlock[FIRST_ROOM];

    private long releasedNanos = System.nanoTime();

    private int oldest;
    private int count;
    private int first;
    private int end;
    /// Where the blocks end that are at higher places than the newest one.
    private int top;

    CodeCache(String name, long sizeBytes) {
        memory = ExecutableMemory.allocate(name, sizeBytes);
        code = memory.writable();
    }

    /// Puts code there that stays for ever.
    void keep(CodeWriter writer) {
        write(writer);
        first = end;
        top = end;
    }

    @Override
    public int end() {
        return end;
    }

    /// How many bytes are in use, counted to the highest place.
    int used() {
        return top;
    }

    /// Makes room for a block at [#end]; whether the ring begins anew with it.
    ///
    /// @param giveUp takes the blocks that stood there, the oldest first
    boolean makeRoom(Consumer<TranslatedBlock> giveUp) {
        boolean anew = end + RESERVE > code.byteSize();
        if (anew) {
            // what is behind has been made in the last round: it is the oldest, unless this is the first round
            while (count > 0 && block(0).start >= end) {
                giveUp.accept(removeOldest());
            }
            end = first;
        }
        while (count > 0 && block(0).start >= end && block(0).start < end + RESERVE) {
            giveUp.accept(removeOldest());
        }
        return anew;
    }

    private TranslatedBlock block(int number) {
        TranslatedBlock block = blocks[oldest + number & blocks.length - 1];
        if (block == null) {
            throw new IllegalStateException("Of %d blocks, none is number %d".formatted(count, number));
        }
        return block;
    }

    private TranslatedBlock removeOldest() {
        TranslatedBlock block = block(0);
        blocks[oldest] = null;
        oldest = oldest + 1 & blocks.length - 1;
        count--;
        return block;
    }

    private void append(TranslatedBlock block) {
        if (count == blocks.length) {
            var more = new @Nullable TranslatedBlock[2 * count];
            for (int i = 0; i < count; i++) {
                more[i] = block(i);
            }
            blocks = more;
            oldest = 0;
        }
        blocks[oldest + count++ & blocks.length - 1] = block;
    }

    private void write(CodeWriter writer) {
        MemorySegment.copy(writer.bytes(), 0, code, ValueLayout.JAVA_BYTE, end, writer.size());
        advance(writer.size());
    }

    private void advance(int bytes) {
        end = end + bytes + HEADER + ALIGNMENT - 1 & -ALIGNMENT;
        top = Math.max(top, end);
    }

    @Override
    public void add(TranslatedBlock block, CodeWriter writer) {
        head(block, block.rip);
        write(writer);
        append(block);
    }

    private void head(TranslatedBlock block, long rip) {
        code.set(LONG, block.start - HEADER, rip);
    }

    /// Puts code at [#end] that has been made before, moved there and by `step` as the guest's address. False if
    /// that cannot be: nothing has happened then.
    boolean put(StoredBlock stored, long step) {
        byte[] bytes = stored.code();
        MemorySegment.copy(bytes, 0, code, ValueLayout.JAVA_BYTE, end, bytes.length);
        return Relocation.apply(code, end, stored.relocation(), end - stored.origin(), step, StateLayout.JUMPS);
    }

    /// Takes the block whose code has been [#put] there.
    void add(TranslatedBlock block, StoredBlock stored) {
        head(block, block.rip);
        advance(stored.code().length);
        append(block);
    }

    /// Changes what in a block's code depends on the guest's address. False if that cannot be: the code is of no
    /// use any more.
    boolean move(TranslatedBlock block, int[] addresses, long step) {
        head(block, block.rip + step);
        return Relocation.apply(code, block.start, addresses, 0, step, StateLayout.JUMPS);
    }

    /// The address at which an offset is executed.
    long address(int offset) {
        return memory.executableAddress() + offset;
    }

    /// The offset of an address inside.
    int offset(long address) {
        return (int) (address - memory.executableAddress());
    }

    /// The block that an offset is in.
    TranslatedBlock at(int offset) {
        int begin = block(0).start;
        int wanted = distance(begin, offset);
        int low = 0;
        int high = count - 1;
        while (low < high) {
            int middle = low + high + 1 >>> 1;
            if (distance(begin, block(middle).start) <= wanted) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return block(low);
    }

    /// From the start of the oldest block onwards, around the end.
    private int distance(int begin, int offset) {
        return offset >= begin ? offset - begin : offset - begin + (int) code.byteSize();
    }

    int byteAt(int offset) {
        return code.get(ValueLayout.JAVA_BYTE, offset) & 0xFF;
    }

    int shortAt(int offset) {
        return code.get(ValueLayout.JAVA_SHORT_UNALIGNED, offset) & 0xFFFF;
    }

    /// Makes the jump that ends at `jump` lead to `target`.
    void link(int jump, int target) {
        code.set(INT, jump - 4L, target - jump);
    }

    /// Makes an exit lead to a block, by the entry that is meant for where it comes from.
    void link(TranslatedBlock.Exit from, TranslatedBlock to) {
        boolean backward = to.start <= from.from.start;
        int entry = to == from.from ? to.entryAgain() : backward ? to.entryBehind() : to.entryAhead();
        link(from.jump(), entry);
        from.to(to);
    }

    /// Lets the host forget now and then which pages have been written to or read here, lest they count twice.
    void releaseSometimes() {
        long now = System.nanoTime();
        if (now - releasedNanos >= RELEASE_NANOS) {
            releasedNanos = now;
            memory.releaseWritable();
        }
    }

    @Override
    public void close() {
        memory.close();
    }
}
