package org.jvirt.engine.soft.translate.memory;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jvirt.core.GuestMemory;
import org.jvirt.engine.soft.translate.emit.StateLayout;
import org.jvirt.linux.HostMemory;

/// Which lines of 64 bytes hold code, a word for each page of the guest's memory: generated code may store beside
/// them, though the page is one of code.
///
/// For a machine of one processor only: with others, one could begin to decode a line while a store is on its way.
///
/// Owner thread only.
public final class CodeLines implements AutoCloseable {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;

    private final HostMemory memory;
    private final MemorySegment lines;

    /// Tells generated code of them.
    public CodeLines(StateBlock state, GuestMemory guest) {
        long pages = guest.backing().byteSize() >>> GuestMemory.PAGE_SHIFT;
        memory = HostMemory.allocate("jvirt-code-lines", pages * Long.BYTES);
        lines = memory.segment();
        state.setLong(StateLayout.CODE_LINES, lines.address());
    }

    /// The bytes `first` to `last` of a page are code.
    public void mark(long page, int first, int last) {
        long from = -1L << (first / StateLayout.CODE_LINE_BYTES);
        long to = -1L >>> 63 - (last / StateLayout.CODE_LINE_BYTES);
        lines.set(LONG, page * Long.BYTES, lines.get(LONG, page * Long.BYTES) | from & to);
    }

    /// Nothing of the page is code.
    public void clear(long page) {
        lines.set(LONG, page * Long.BYTES, 0);
    }

    @Override
    public void close() {
        memory.close();
    }
}
