package org.jvirt.engine.soft.translate;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.jvirt.engine.soft.translate.emit.StateLayout;
import org.jvirt.linux.ExecutableMemory;
import org.jvirt.x86.CodeWriter;

/// The host code of one processor, in the order of translation. When it is full, all of it is given up at once.
final class CodeCache implements CodePlace, AutoCloseable {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
    private static final int ALIGNMENT = 16;
    /// Before each block is its RIP.
    private static final int HEADER = StateLayout.BLOCK_HEADER_BYTES;
    /// Room that a block may need.
    private static final int RESERVE = 1 << 17;

    private final ExecutableMemory memory;
    private final MemorySegment code;
    private final List<TranslatedBlock> blocks = new ArrayList<>();
    private int first;
    private int end;

    CodeCache(String name, long sizeBytes) {
        memory = ExecutableMemory.allocate(name, sizeBytes);
        code = memory.writable();
    }

    /// Puts code there that stays for ever.
    void keep(CodeWriter writer) {
        write(writer);
        first = end;
    }

    @Override
    public int end() {
        return end;
    }

    boolean isFull() {
        return end + RESERVE > code.byteSize();
    }

    private void write(CodeWriter writer) {
        write(writer.bytes(), writer.size());
    }

    private void write(byte[] bytes, int length) {
        MemorySegment.copy(bytes, 0, code, ValueLayout.JAVA_BYTE, end, length);
        end = end + length + HEADER + ALIGNMENT - 1 & -ALIGNMENT;
    }

    @Override
    public void add(TranslatedBlock block, CodeWriter writer) {
        add(block, writer.bytes(), writer.size());
    }

    /// Puts code there that has been made before.
    void add(TranslatedBlock block, byte[] bytes) {
        add(block, bytes, bytes.length);
    }

    private void add(TranslatedBlock block, byte[] bytes, int length) {
        code.set(LONG, end - HEADER, block.rip);
        write(bytes, length);
        blocks.add(block);
    }

    /// All blocks, by place.
    List<TranslatedBlock> blocks() {
        return blocks;
    }

    /// Gives up all blocks.
    void clear() {
        blocks.clear();
        end = first;
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
        int low = 0;
        int high = blocks.size() - 1;
        while (low < high) {
            int middle = low + high + 1 >>> 1;
            if (blocks.get(middle).start <= offset) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return blocks.get(low);
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

    @Override
    public void close() {
        memory.close();
    }
}
