package org.jvirt.engine.soft.translate;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.translate.emit.Sites;
import org.jvirt.engine.soft.translate.emit.Stubs;
import org.jvirt.engine.soft.translate.store.CodeStore;
import org.jvirt.engine.soft.translate.store.Relocation;
import org.jvirt.engine.soft.translate.store.StoredBlock;
import org.jvirt.engine.soft.translate.vector.HostCpu;
import org.jvirt.x86.CodeSize;
import org.jvirt.x86.CodeWriter;
import org.jvirt.x86.DecodeResult;
import org.jvirt.x86.Decoder;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.Mnemonic;

/// Brings one processor's new translations into the store, and tells them how they move.
///
/// A second translation of the same guest code, for another place and another address, tells what in the first
/// depends on either. That is done by a thread of its own, a while later.
///
/// [#note] is the processor's; the rest happens under this object's lock.
final class CodeKeeper implements AutoCloseable {
    private static final int PAGE = 4096;
    private static final long PERIOD_MILLIS = 500;
    /// Fields of 8 bytes are at the end of `MOV r64, imm64`, which is so long.
    private static final int LONG_MOVE = 10;

    private static @Nullable ScheduledExecutorService executor;

    private final CodeStore store;
    private final BlockTranslator twin;
    private final Elsewhere elsewhere = new Elsewhere();
    private final Sites sites = new Sites();
    private final byte[] ram = new byte[2 * PAGE];
    private final Decoder decoder = new Decoder();
    private final Instruction insn = new Instruction();
    private final ScheduledFuture<?> task;
    private List<Job> jobs = new ArrayList<>();
    private final AtomicInteger additions = new AtomicInteger();

    /// A new translation.
    ///
    /// @param guest bytes `first` to `last` of the guest's page, and of what follows it
    /// @param edge  those around its end, where an instruction may cross
    /// @param start offset in the page of the first instruction
    /// @param code  the host code, not linked to anything
    private record Job(
            byte[] guest,
            byte[] edge,
            int start,
            int first,
            int last,
            int limit,
            byte[] code,
            TranslatedBlock block,
            long rip,
            int[] layout) {}

    private record Made(StoredBlock stored, TranslatedBlock owner) {}

    CodeKeeper(CodeStore store, Stubs stubs, HostCpu host, GuestFeatures guest) {
        this.store = store;
        twin = new BlockTranslator(MemorySegment.ofArray(ram), elsewhere, new CodeWriter(), stubs, sites, host, guest);
        task = executor().scheduleWithFixedDelay(this::work, PERIOD_MILLIS, PERIOD_MILLIS, TimeUnit.MILLISECONDS);
    }

    private static synchronized ScheduledExecutorService executor() {
        if (executor == null) {
            var made = new ScheduledThreadPoolExecutor(
                    1, Thread.ofPlatform().daemon().name("jvirt-code-keeper").factory());
            made.setRemoveOnCancelPolicy(true);
            executor = made;
        }
        return executor;
    }

    /// Takes a translation that has just been made.
    ///
    /// @param page  a page of guest code and the start of the next, which the caller goes on using
    /// @param first first and last offset in it of what the translation depends on
    void note(byte[] page, int first, int last, int limit, TranslatedBlock block, CodeWriter writer) {
        byte[] code = Arrays.copyOf(writer.bytes(), writer.size());
        byte[] guest = Arrays.copyOfRange(page, first, last + 1);
        byte[] edge = Arrays.copyOfRange(page, PAGE - Decoder.MAX_LENGTH, page.length);
        int start = (int) (block.rip & PAGE - 1);
        var job = new Job(guest, edge, start, first, last, limit, code, block, block.rip, block.layout());
        synchronized (this) {
            jobs.add(job);
        }
    }

    /// One at a time, so that nothing is under way any more when the last has been done.
    private void work() {
        synchronized (twin) {
            List<Made> made = new ArrayList<>();
            for (Job job : take()) {
                StoredBlock block = make(job).orElse(null);
                if (block == null || store.hasEnough(block)) {
                    continue;
                }
                if (job.block.sites.length != 0) {
                    // which entries accesses in a loop have is this processor's affair
                    job.block.keep(block, 0);
                } else {
                    made.add(new Made(block, job.block));
                }
            }
            if (!made.isEmpty()) {
                add(made);
            }
        }
    }

    private synchronized List<Job> take() {
        List<Job> taken = jobs;
        jobs = new ArrayList<>();
        return taken;
    }

    /// What is of one page stands together: it is wanted together.
    private void add(List<Made> made) {
        made.sort(Comparator.comparingInt((Made each) -> each.stored.context())
                .thenComparingLong(each -> each.stored.rip()));
        additions.incrementAndGet();
        int[] positions = store.add(made.stream().map(Made::stored).toList());
        for (int i = 0; i < positions.length; i++) {
            made.get(i).owner.keep(made.get(i).stored, positions[i]);
        }
    }

    /// How much of [CodeStore#growth] is its doing.
    int additions() {
        return additions.get();
    }

    private Optional<StoredBlock> make(Job job) {
        TranslatedBlock block = job.block;
        System.arraycopy(job.edge, 0, ram, PAGE - Decoder.MAX_LENGTH, job.edge.length);
        System.arraycopy(job.guest, 0, ram, job.first, job.guest.length);
        int[] fields = GuestFields.find(ram, job.first, job.start, job.last, job.rip);
        GuestFields.move(ram, fields, (int) Relocation.RIP_STEP);
        elsewhere.origin = block.start + Relocation.ORIGIN_STEP;
        sites.repeat(block.sites);
        TranslatedBlock other = twin.translate(
                job.start,
                block.crosses ? 1 : -1,
                job.rip + Relocation.RIP_STEP,
                block.context,
                job.limit,
                block.apart);
        if (other == null || elsewhere.code.length != job.code.length || !Arrays.equals(other.layout(), job.layout)) {
            return Optional.empty();
        }
        for (int i = 0; i < fields.length; i++) {
            fields[i] = StoredBlock.moved(fields[i], -job.first);
        }
        return Relocation.find(job.code, elsewhere.code, job.code.length, wideFields(job))
                .map(relocation -> new StoredBlock(
                        block.kind(),
                        job.start,
                        job.first,
                        block.crosses,
                        job.guest,
                        fields,
                        job.rip,
                        block.start,
                        job.layout,
                        job.code,
                        relocation));
    }

    /// Where immediates of 8 bytes are: what is executed as a rule is instructions from its start to its end.
    private BitSet wideFields(Job job) {
        var wide = new BitSet();
        int end = job.block.usualBytes();
        int position = 0;
        while (position < end && decoder.decode(job.code, position, end, CodeSize.CODE64, insn) == DecodeResult.OK) {
            position += insn.length();
            if (insn.mnemonic() == Mnemonic.MOV && insn.length() == LONG_MOVE) {
                wide.set(position - 8);
            }
        }
        return wide;
    }

    /// Keeps what is left.
    @Override
    public void close() {
        task.cancel(false);
        work();
    }

    /// Takes code that is never executed.
    private static final class Elsewhere implements CodePlace {
        private int origin;
        private byte[] code = {};

        @Override
        public int end() {
            return origin;
        }

        @Override
        public void add(TranslatedBlock block, CodeWriter writer) {
            code = Arrays.copyOf(writer.bytes(), writer.size());
        }
    }
}
