package org.jvirt.engine.soft.oracle;

import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.cpu.CpuidTable;
import org.jvirt.engine.soft.code.OperationsForTests;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.linux.TracedProcess;
import org.jvirt.x86.CodeSize;
import org.jvirt.x86.Disassembler;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.Mnemonic;
import org.jvirt.x86.OpcodeRow;
import org.jvirt.x86.OpcodeTable;

/// Runs random cases on the host's processor and in the interpreter and keeps what differs.
///
/// Every case is determined by the seed and its number. All calls belong to one thread.
final class Comparison implements AutoCloseable {
    private static final int KEPT_FOR_EACH_MNEMONIC = 2;
    private static final int FRESH_DATA_EVERY = 32;
    private static final int NO_SIGNAL = 5;
    private static final int MXCSR = 24;
    private static final int SIGSEGV = 11;
    private static final int PAGE_FAULT = 14;

    private final CodeSize codeSize;
    private final HostProcessor host;
    private final InterpretedProcessor interpreter;
    private final HostFeatures features = HostFeatures.read();
    private final List<OpcodeRow> rows = new ArrayList<>();
    private final BitSet ran = new BitSet();
    private final BitSet notGenerated = new BitSet();
    private final SortedMap<String, List<OpcodeRow>> leftOut = new TreeMap<>();
    private final Map<Mnemonic, Integer> differing = new EnumMap<>(Mnemonic.class);
    private final StringBuilder report = new StringBuilder();
    private final Instruction insn = new Instruction();
    private final MachineState start = new MachineState();
    private final MachineState expected = new MachineState();
    private final MachineState actual = new MachineState();
    private long executed;
    private long faults;
    private boolean freshData = true;

    Comparison(CodeSize codeSize, CpuidTable cpuid) throws IOException {
        this.codeSize = codeSize;
        host = new HostProcessor(codeSize);
        interpreter = new InterpretedProcessor(codeSize, cpuid);
        for (OpcodeRow row : OpcodeTable.rows()) {
            String reason = row.validIn(codeSize) ? Exclusions.reason(row) : "not in " + codeSize;
            if (reason.isEmpty() && !features.has(row.feature())) {
                reason = "the host has no " + row.feature();
            }
            if (reason.isEmpty() && !OperationsForTests.offered(row.feature())) {
                reason = "not offered to guests";
            }
            if (reason.isEmpty()) {
                rows.add(row);
            } else {
                leftOut.computeIfAbsent(reason, r -> new ArrayList<>()).add(row);
            }
        }
    }

    SortedMap<String, List<OpcodeRow>> leftOut() {
        return leftOut;
    }

    /// The numbers of the rows of which at least one case was executed.
    BitSet ran() {
        return ran;
    }

    long executed() {
        return executed;
    }

    long faults() {
        return faults;
    }

    Map<Mnemonic, Integer> differing() {
        return differing;
    }

    String report() {
        return report.toString();
    }

    /// Runs `count` cases, row after row. Called once.
    void run(long seed, long count) {
        var generator = new CaseGenerator(codeSize, seed);
        for (long number = 0; number < count; number++) {
            OpcodeRow row = rows.get((int) (number % rows.size()));
            if (!generator.instruction(row, insn)) {
                notGenerated.set(row.index());
            } else if (!Exclusions.leavesOpen(insn)) {
                generator.state(insn, start);
                compare(generator, seed, number);
            }
        }
        for (OpcodeRow row : rows) {
            if (notGenerated.get(row.index()) && !ran.get(row.index())) {
                leftOut.computeIfAbsent("without instruction in " + codeSize, r -> new ArrayList<>())
                        .add(row);
            }
        }
    }

    private void compare(CaseGenerator generator, long seed, long number) {
        Op op = OperationsForTests.of(insn, insn.length(), interpreter.cpu());
        boolean extended = usesExtendedState(insn.row());
        if (freshData || number % FRESH_DATA_EVERY == 0) {
            generator.data(start.data);
            expected.copyFrom(start);
            actual.copyFrom(start);
            host.loadData(start);
            interpreter.loadData(start);
            freshData = false;
        }
        if (extended) {
            generator.extended(start);
        }
        System.arraycopy(expected.data, 0, start.data, 0, start.data.length);
        expected.copyFrom(start);
        actual.copyFrom(start);
        host.loadCode(TestLayout.CODE, generator.bytes());
        if (extended) {
            host.loadExtended(start);
            interpreter.loadExtended(start);
        }
        boolean repeated = insn.row().repeatable() && (insn.rep() || insn.repne());
        TracedProcess.Stop stop = host.step(expected, repeated);
        host.readData(expected);
        int vector = op == null ? 6 : interpreter.execute(actual, op, repeated);
        interpreter.readData(actual);
        if (extended) {
            host.readExtended(expected);
            interpreter.readExtended(actual);
            normalise(expected);
            normalise(actual);
            if (stop.signal() != NO_SIGNAL && isDotProduct(insn.mnemonic())) {
                // Which of its steps had raised flags when one of them trapped is each processor's own.
                System.arraycopy(expected.extended, MXCSR, actual.extended, MXCSR, 4);
            }
        } else {
            System.arraycopy(expected.extended, 0, actual.extended, 0, actual.extended.length);
        }
        if (insn.mnemonic() == Mnemonic.INTO && stop.signal() == SIGSEGV) {
            // A trap: the host is past it; the interpreter, which has no gate for it here, is still before it.
            expected.rip = start.rip;
        }
        executed++;
        ran.set(insn.row().index());
        faults += stop.signal() == NO_SIGNAL ? 0 : 1;
        String differences = "";
        if (signalOf(vector) != stop.signal()) {
            differences = "  outcome: host signal %d (code %d, address 0x%x), interpreter vector %d%n"
                    .formatted(stop.signal(), stop.code(), stop.address(), vector);
        } else if (vector == PAGE_FAULT && stop.address() != interpreter.faultAddress()) {
            differences = "  fault address: host 0x%x, interpreter 0x%x%n"
                    .formatted(stop.address(), interpreter.faultAddress());
        }
        long ignored = stop.signal() == NO_SIGNAL ? insn.row().flagsUndefined() : 0;
        differences += expected.differences(actual, ignored);
        if (!differences.isEmpty()) {
            keep(differences, generator, seed, number, op);
            freshData = true;
        }
    }

    private void keep(String differences, CaseGenerator generator, long seed, long number, @Nullable Op op) {
        int seen = differing.merge(insn.mnemonic(), 1, Integer::sum);
        if (seen <= KEPT_FOR_EACH_MNEMONIC) {
            byte[] code = generator.bytes();
            report.append("case %d of seed %d in %s: %s   [%s] row %s, %s%n%s"
                    .formatted(
                            number,
                            seed,
                            codeSize,
                            Disassembler.text(insn, TestLayout.CODE),
                            MachineState.hex(code, 0, code.length),
                            insn.row(),
                            op == null ? "no operation" : op.getClass().getSimpleName(),
                            differences));
            report.append("  before: ").append(describe(start)).append('\n');
        }
    }

    private static String describe(MachineState s) {
        var text = new StringBuilder();
        for (int i = 0; i < 16; i++) {
            text.append(Long.toHexString(s.general[i])).append(i == 15 ? "" : ",");
        }
        return text + " flags " + Long.toHexString(s.flags);
    }

    /// Takes out what the manuals leave open or the kernel's own stepping changes: opcode and address of the last
    /// x87 instruction, the mask of MXCSR bits, the header.
    private static void normalise(MachineState state) {
        for (int i = 6; i < 24; i++) {
            state.extended[i] = 0;
        }
        for (int i = 28; i < 32; i++) {
            state.extended[i] = 0;
        }
        for (int i = 416; i < 576; i++) {
            state.extended[i] = 0;
        }
    }

    private static boolean usesExtendedState(OpcodeRow row) {
        return switch (row.feature()) {
            case X87, MMX, SSE, SSE2, SSE3, SSE4A, SSSE3, SSE4_1, SSE4_2, AES, PCLMULQDQ, SHA, GFNI -> true;
            case AVX, AVX2, F16C, FMA, AVX_AES, AVX_PCLMULQDQ -> true;
            default -> false;
        };
    }

    private static boolean isDotProduct(Mnemonic mnemonic) {
        return mnemonic == Mnemonic.DPPS || mnemonic == Mnemonic.DPPD;
    }

    /// The signal that Linux sends for an exception of the processor.
    private static int signalOf(int vector) {
        return switch (vector) {
            case InterpretedProcessor.NO_FAULT -> NO_SIGNAL;
            case 0, 16, 19 -> 8;
            case 6 -> 4;
            case 12, 17 -> 7;
            case 4, 5, 13, 14 -> SIGSEGV;
            default -> -vector;
        };
    }

    @Override
    public void close() throws IOException {
        host.close();
        interpreter.close();
    }
}
