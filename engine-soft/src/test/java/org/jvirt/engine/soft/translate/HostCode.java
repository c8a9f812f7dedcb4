package org.jvirt.engine.soft.translate;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;
import org.jvirt.engine.soft.translate.emit.Sites;
import org.jvirt.engine.soft.translate.emit.Stubs;
import org.jvirt.engine.soft.translate.vector.HostCpu;
import org.jvirt.engine.soft.translate.vector.VectorState;
import org.jvirt.engine.soft.translate.vector.X87State;
import org.jvirt.x86.CodeWriter;
import org.jvirt.x86.CpuFeature;

/// What the translator makes of guest code, without executing it: for tests of its text. The host is one that has
/// every feature.
public final class HostCode implements AutoCloseable {
    private static final int PAGE = 4096;
    private static final int ALIGNMENT = 16;
    private static final HostCpu HOST = new HostCpu(Set.of(CpuFeature.values()));
    private static final GuestFeatures GUEST = new GuestFeatures(insn -> true, true);

    /// The host code of one block.
    ///
    /// @param code  from the entry that looks at nothing, to the last jump
    /// @param jump  where the linkable jump that ends the code begins, or the code's length
    /// @param stubs bytes of what is seldom executed
    /// @param start address of the code's first byte, counted from the start of the code cache
    public record Emission(byte[] code, int jump, int stubs, int start) {}

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment ram = arena.allocate(PAGE, PAGE);
    private final Place place = new Place();
    private final BlockTranslator translator;

    public HostCode() {
        var writer = new CodeWriter();
        var stubs = new Stubs(writer, new Stubs.VectorTransfer() {
            @Override
            public void emitLoad(CodeWriter code) {
                VectorState.emitLoad(code, HOST);
            }

            @Override
            public void emitSave(CodeWriter code) {
                VectorState.emitSave(code, HOST);
            }

            @Override
            public void emitX87Load(CodeWriter code) {
                X87State.emitLoad(code);
            }

            @Override
            public void emitX87Save(CodeWriter code) {
                X87State.emitSave(code);
            }
        });
        place.start = writer.size() + ALIGNMENT - 1 & -ALIGNMENT;
        translator = new BlockTranslator(ram, place, writer, stubs, new Sites(), HOST, GUEST);
    }

    /// Translates up to `limit` instructions of a program at `rip` with the rights of `context`; empty when the
    /// first of them is the interpreter's.
    ///
    /// @param guest the instructions and what follows them, at most to the end of the page
    public Optional<Emission> of(byte[] guest, long rip, int context, int limit) {
        ram.fill((byte) 0);
        int offset = (int) (rip & PAGE - 1);
        MemorySegment.copy(guest, 0, ram, ValueLayout.JAVA_BYTE, offset, guest.length);
        TranslatedBlock block = translator.translate(offset, -1, rip, context, limit, false);
        if (block == null) {
            return Optional.empty();
        }
        byte[] code = Arrays.copyOfRange(place.code, block.entryAhead() - block.start, block.usualBytes());
        boolean jumps = block.exitCount() == 1 && block.exit(0).jump() == block.start + block.usualBytes();
        int jump = jumps ? code.length - 5 : code.length;
        return Optional.of(new Emission(code, jump, block.codeBytes() - block.usualBytes(), block.entryAhead()));
    }

    @Override
    public void close() {
        arena.close();
    }

    /// Where each block comes, behind the stubs.
    private static final class Place implements CodePlace {
        private int start;
        private byte[] code = {};

        @Override
        public int end() {
            return start;
        }

        @Override
        public void add(TranslatedBlock block, CodeWriter writer) {
            code = Arrays.copyOf(writer.bytes(), writer.size());
        }
    }
}
