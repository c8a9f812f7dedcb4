package org.jvirt.engine.soft.integer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.jvirt.engine.soft.cpu.OpContext;
import org.jvirt.engine.soft.cpu.TestProcessor;
import org.jvirt.x86.CodeSize;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.InstructionGenerator;
import org.jvirt.x86.Mnemonic;
import org.jvirt.x86.OpcodeRow;
import org.jvirt.x86.OpcodeTable;
import org.jvirt.x86.OperandKind;

/// Records `integer-host-cases.txt` anew on an x86-64 Linux host; the README beside that file says how. Not a test.
final class HostCaseRecorder {
    private static final int INPUT_BYTES = 160 + HostCase.AREA_BYTES;
    private static final int OUTPUT_BYTES = 16 + 16 * 8 + HostCase.AREA_BYTES;

    private HostCaseRecorder() {}

    /// @param arguments the program made from `integer-host-cases.c`, the file to write, cases per row
    public static void main(String[] arguments) throws IOException, InterruptedException {
        List<Instruction> instructions = new ArrayList<>();
        List<HostCase> cases = choose(Integer.parseInt(arguments[2]), instructions);
        Path input = Files.createTempFile("cases", ".in");
        Path output = Files.createTempFile("cases", ".out");
        try {
            writeInput(input, cases, instructions);
            int status = new ProcessBuilder(arguments[0], input.toString(), output.toString())
                    .inheritIO()
                    .start()
                    .waitFor();
            if (status != 0) {
                throw new IOException("%s ended with %d".formatted(arguments[0], status));
            }
            Files.write(Path.of(arguments[1]), readOutput(output, cases, instructions));
        } finally {
            Files.delete(input);
            Files.delete(output);
        }
    }

    private static List<HostCase> choose(int perRow, List<Instruction> instructions) {
        var cases = new ArrayList<HostCase>();
        var random = new SplittableRandom(2025);
        var generator = new InstructionGenerator(2025)
                .registers(0xFFFF & ~(1 << HostCase.BASE | 1 << HostCase.INDEX))
                .bases(1 << HostCase.BASE)
                .indexes(1 << HostCase.INDEX)
                .displacements(-256, 256)
                .alignDisplacements(true)
                .relativeAddresses(false)
                .allPrefixes(true);
        var insn = new Instruction();
        try (TestProcessor machine = TestProcessor.long64()) {
            OpContext context = machine.cpu.opContext();
            for (OpcodeRow row : OpcodeTable.rows()) {
                for (int i = 0; i < perRow; i++) {
                    if (generator.generate(row, CodeSize.CODE64, insn) && isChosen(insn, context)) {
                        int flags = random.nextInt() & HostCase.COMPARED;
                        cases.add(new HostCase(generator.bytes().clone(), random.nextLong(), flags));
                        instructions.add(insn.copy());
                    }
                }
            }
        }
        return cases;
    }

    /// No branches, no addresses that are not the area's, nothing that processors differ in.
    private static boolean isChosen(Instruction insn, OpContext context) {
        if (IntegerOps.of(insn, insn.length(), context) == null
                || insn.row().branch() && insn.mnemonic() != Mnemonic.UD2
                || insn.mnemonic() == Mnemonic.ENTER
                || insn.mnemonic() == Mnemonic.NOP
                || insn.segmentOverridden()) {
            return false;
        }
        boolean stackPointerIndex = insn.row().bitBase() && insn.kind(1) == OperandKind.GPR && insn.register(1) == 4;
        return !stackPointerIndex && (insn.memoryOperand() < 0 || insn.base() == HostCase.BASE);
    }

    private static void writeInput(Path path, List<HostCase> cases, List<Instruction> instructions) throws IOException {
        var buffer = ByteBuffer.allocate(INPUT_BYTES * cases.size()).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < cases.size(); i++) {
            HostCase test = cases.get(i);
            buffer.putInt(test.code().length)
                    .put(Arrays.copyOf(test.code(), 20))
                    .putLong(test.flags());
            for (long register : test.registers(instructions.get(i))) {
                buffer.putLong(register);
            }
            buffer.put(test.memory());
        }
        Files.write(path, buffer.array());
    }

    private static List<String> readOutput(Path path, List<HostCase> cases, List<Instruction> instructions)
            throws IOException {
        var buffer = ByteBuffer.wrap(Files.readAllBytes(path)).order(ByteOrder.LITTLE_ENDIAN);
        if (buffer.capacity() != OUTPUT_BYTES * cases.size()) {
            throw new IOException("%d bytes recorded for %d cases".formatted(buffer.capacity(), cases.size()));
        }
        var lines = new ArrayList<String>();
        for (int i = 0; i < cases.size(); i++) {
            int vector = (int) buffer.getLong();
            int flags = (int) buffer.getLong() & HostCase.COMPARED;
            long[] registers = new long[16];
            for (int k = 0; k < 16; k++) {
                registers[k] = buffer.getLong();
            }
            byte[] memory = new byte[HostCase.AREA_BYTES];
            buffer.get(memory);
            long[] before = cases.get(i).registers(instructions.get(i));
            var outcome = vector < 0
                    ? new HostCase.Outcome(-1, flags, registers, HostCase.hash(memory))
                    : new HostCase.Outcome(vector, cases.get(i).flags(), before, HostCase.hash(memory));
            lines.add(cases.get(i).line(before, outcome));
        }
        return lines;
    }
}
