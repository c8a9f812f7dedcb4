package org.jvirt.engine.soft.code;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.GuestFault;
import org.jvirt.engine.soft.cpu.SingleStep;
import org.jvirt.engine.soft.translate.TranslatedBlock;
import org.jvirt.engine.soft.translate.Translator;
import org.jvirt.engine.soft.translate.emit.FlagUse;
import org.jvirt.engine.soft.translate.memory.ShadowPages;
import org.jvirt.x86.DecodeResult;
import org.jvirt.x86.Decoder;
import org.jvirt.x86.FlagMask;
import org.jvirt.x86.Instruction;

/// Compares translated blocks with the interpreter while a guest runs.
///
/// ```
/// state before ─┬─ host code, on copies of the guest's pages ──→ translated ──┐
///               └─ interpreter, as many instructions, for real → interpreted ─┴─ compare, go on with the latter
/// ```
///
/// Host code comes first and stops where something is left to the interpreter: devices, time, faults, code that is
/// stored to. So the interpreter repeats nothing that can be seen from outside. Devices may write to memory between
/// the two runs; a difference counts only if host code makes it once more with memory as it is afterwards.
///
/// Flags that the translator takes for dead keep two values, one for each side, until they are replaced: should an
/// instruction use them after all, the sides differ. Flags that the processor leaves undefined follow the host.
///
/// The x87 unit, time, and changes of rights are the interpreter's meanwhile. For one processor: another one's
/// stores would come between the runs. Owner thread only.
final class Verification {
    private static final int PAGE = 4096;
    private static final int MAX = 64;

    private final Cpu cpu;
    private final Translator translator;
    private final BlockBuilder builder;
    private final SingleStep singleStep;
    private final ShadowPages copies;
    private final MemorySegment ram;
    private final VerifiedState before = new VerifiedState();
    private final VerifiedState translated = new VerifiedState();
    private final VerifiedState interpreted = new VerifiedState();
    private final Decoder decoder = new Decoder();
    private final Instruction[] instructions = new Instruction[MAX];
    private final int[] offsets = new int[MAX + 1];
    private final byte[] code = new byte[PAGE + Decoder.MAX_LENGTH];
    private int decoded;
    private int undefined;
    private int executed;

    /// The two values of flags, for when execution goes on here with the interpreter's.
    private long splitRip = -1;

    private int splitInterpreted;
    private int splitTranslated;

    private @Nullable String report;

    Verification(Cpu cpu, Translator translator, ShadowPages copies, BlockBuilder builder, SingleStep singleStep) {
        this.cpu = cpu;
        this.translator = translator;
        this.copies = copies;
        this.builder = builder;
        this.singleStep = singleStep;
        ram = cpu.processors().memory().backing();
        for (int i = 0; i < MAX; i++) {
            instructions[i] = new Instruction();
        }
    }

    /// What differed, once something has: the guest must not go on.
    @Nullable
    String report() {
        return report;
    }

    /// Executes a block by both; afterwards the processor is where the translation would have left it.
    Translator.Outcome run(Block block, TranslatedBlock hot) {
        cpu.takeVectors();
        before.take(cpu);
        boolean split = before.rip == splitRip && before.flags == splitInterpreted;
        int flags = split ? splitTranslated : before.flags;
        decode(block);
        Translator.Outcome outcome = alone(hot, flags, false);
        GuestFault fault = interpret(hot);
        interpreted.take(cpu);
        if (fault != null || differs()) {
            // memory may have changed between the runs
            before.restore(cpu);
            var _ = alone(hot, flags, true);
            interpreted.restore(cpu);
            if (fault != null || differs()) {
                report = report(hot, fault);
                return Translator.Outcome.REQUESTED;
            }
        }
        settleFlags(outcome);
        return outcome;
    }

    private Translator.Outcome alone(TranslatedBlock hot, int flags, boolean again) {
        cpu.flags.unpack(flags);
        Translator.Outcome outcome = translator.runAlone(hot, copies, again);
        translated.take(cpu);
        before.restore(cpu);
        return outcome;
    }

    private void settleFlags(Translator.Outcome outcome) {
        int follow = interpreted.flags & ~undefined | translated.flags & undefined;
        cpu.flags.unpack(follow);
        splitRip = interpreted.rip;
        if (outcome == Translator.Outcome.INTERPRET) {
            Instruction next = next();
            // the interpreter knows one value only: it must be the right one wherever it is used
            splitRip = next == null || FlagUse.replaced(next) != 0 ? -1 : interpreted.rip + next.length();
        }
        splitInterpreted = follow;
        splitTranslated = translated.flags;
    }

    // ---------------------------------------------------------------- the interpreter's run

    private void decode(Block block) {
        int start = (int) block.at & PAGE - 1;
        MemorySegment.copy(ram, ValueLayout.JAVA_BYTE, block.at, code, 0, PAGE - start);
        int end = PAGE - start;
        if (block.secondPage() >= 0) {
            MemorySegment.copy(
                    ram, ValueLayout.JAVA_BYTE, block.secondPage() << 12, code, PAGE - start, Decoder.MAX_LENGTH);
            end += Decoder.MAX_LENGTH;
        }
        decoded = 0;
        int position = 0;
        while (decoded < MAX
                && decoder.decode(code, position, end, cpu.codeSize(), instructions[decoded]) == DecodeResult.OK) {
            offsets[decoded] = position;
            position += instructions[decoded++].length();
            if (instructions[decoded - 1].row().branch()) {
                break;
            }
        }
        offsets[decoded] = position;
    }

    /// The instruction that the translation has stopped at.
    private @Nullable Instruction next() {
        return executed < decoded ? instructions[executed] : null;
    }

    /// Executes as many instructions as the translation has; answers the fault that ends it before.
    private @Nullable GuestFault interpret(TranslatedBlock hot) {
        int wanted = translator.isComplete() ? translator.instructions(hot) : stoppedAt();
        executed = 0;
        undefined = 0;
        cpu.mmu.tlb.observeStores(copies);
        try {
            while (executed < wanted) {
                execute(wanted - executed);
            }
            if (!translator.isComplete()) {
                repeatPart();
            }
        } catch (GuestFault fault) {
            return fault;
        } finally {
            cpu.mmu.tlb.observeStores(null);
        }
        if (singleStep.needed() && executed > 0 && cpu.rip == translated.rip && translator.isComplete()) {
            cpu.leave = true;
        }
        return null;
    }

    private DecodedRun decoded() {
        return builder.decoded(builder.at(cpu.modeKey()));
    }

    private int stoppedAt() {
        long offset = translated.rip - before.rip;
        for (int i = 0; i < decoded; i++) {
            if (offsets[i] == offset) {
                return i;
            }
        }
        throw new IllegalStateException("Translated code at 0x%x stopped at 0x%x, where no instruction begins"
                .formatted(before.rip, translated.rip));
    }

    private void execute(int limit) {
        int allowed = limit;
        if (singleStep.needed()) {
            // the shadow of an STI, which the translation has found to hide nothing
            singleStep.begin(cpu.rip);
            allowed = 1;
        }
        int last = executed;
        int count = decoded().runSome(cpu, allowed);
        last += count - 1;
        Instruction insn = instructions[last];
        if (insn.repeatPrefix() != 0 && cpu.rip == before.rip + offsets[last]) {
            // it stopped between two iterations
            count--;
        }
        for (int i = executed; i < executed + count; i++) {
            undefined = undefined & ~FlagUse.replaced(instructions[i])
                    | instructions[i].row().flagsUndefined() & FlagMask.STATUS;
        }
        executed += count;
    }

    /// The translation may have stopped between two iterations of a string instruction: as many are interpreted.
    private void repeatPart() {
        Instruction insn = next();
        long left = translated.r[Cpu.RCX];
        if (insn == null || insn.repeatPrefix() == 0 || left == cpu.r[Cpu.RCX]) {
            return;
        }
        cpu.r[Cpu.RCX] -= left;
        long at = cpu.rip;
        while (cpu.rip == at) {
            decoded().runSome(cpu, 1);
        }
        cpu.r[Cpu.RCX] = left;
        cpu.rip = at;
    }

    // ---------------------------------------------------------------- comparison

    private boolean differs() {
        return !interpreted.isLike(translated)
                || flagsMatter() != 0
                || copies.difference().isPresent();
    }

    /// Flags that differ and are used by the instruction that the interpreter executes next.
    private int flagsMatter() {
        if (translator.isComplete()) {
            return 0;
        }
        Instruction next = next();
        int used = next == null ? 0 : next.row().flagsRead() & FlagMask.STATUS;
        return (interpreted.flags ^ translated.flags) & used & ~undefined;
    }

    private String report(TranslatedBlock hot, @Nullable GuestFault fault) {
        var text = new StringBuilder("A translation and the interpreter differ, block 0x%x, %s%n"
                .formatted(
                        before.rip,
                        translator.isComplete() ? "at its end" : "after %d instruction(s)".formatted(executed)));
        if (fault != null) {
            text.append("The interpreter faults at instruction %d: %s%n".formatted(executed, fault));
        }
        text.append(VerifiedState.table(before, translated, interpreted));
        Optional<ShadowPages.Difference> memory = copies.difference();
        memory.ifPresent(d -> text.append("* memory       physical 0x%x: translated 0x%02x, interpreted 0x%02x%n"
                .formatted(d.gpa(), d.translated(), d.interpreted())));
        if (flagsMatter() != 0) {
            text.append("* flags 0x%x are used by the next instruction%n".formatted(flagsMatter()));
        }
        return text.append(translator.text(hot)).toString();
    }
}
