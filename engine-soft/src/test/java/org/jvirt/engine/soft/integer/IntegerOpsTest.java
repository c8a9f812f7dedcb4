package org.jvirt.engine.soft.integer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.jvirt.x86.Registers.EAX;
import static org.jvirt.x86.Registers.EBX;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.jvirt.core.cpu.CpuFeature;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.OpContext;
import org.jvirt.engine.soft.cpu.TestProcessor;
import org.jvirt.x86.CodeSize;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.InstructionGenerator;
import org.jvirt.x86.Mnemonic;
import org.jvirt.x86.OpcodeRow;
import org.jvirt.x86.OpcodeTable;
import org.jvirt.x86.OperandKind;

class IntegerOpsTest {
    private static final Set<Mnemonic> INTEGER = EnumSet.of(
            Mnemonic.AAA,
            Mnemonic.AAD,
            Mnemonic.AAM,
            Mnemonic.AAS,
            Mnemonic.ADC,
            Mnemonic.ADCX,
            Mnemonic.ADD,
            Mnemonic.ADOX,
            Mnemonic.AND,
            Mnemonic.ANDN,
            Mnemonic.BEXTR,
            Mnemonic.BLSI,
            Mnemonic.BLSMSK,
            Mnemonic.BLSR,
            Mnemonic.BOUND,
            Mnemonic.BSF,
            Mnemonic.BSR,
            Mnemonic.BSWAP,
            Mnemonic.BT,
            Mnemonic.BTC,
            Mnemonic.BTR,
            Mnemonic.BTS,
            Mnemonic.BZHI,
            Mnemonic.CALL,
            Mnemonic.CBW,
            Mnemonic.CDQ,
            Mnemonic.CDQE,
            Mnemonic.CLC,
            Mnemonic.CLD,
            Mnemonic.CLFLUSH,
            Mnemonic.CLFLUSHOPT,
            Mnemonic.CLWB,
            Mnemonic.CMC,
            Mnemonic.CMP,
            Mnemonic.CMPS,
            Mnemonic.CMPXCHG,
            Mnemonic.CMPXCHG16B,
            Mnemonic.CMPXCHG8B,
            Mnemonic.CQO,
            Mnemonic.CRC32,
            Mnemonic.CWD,
            Mnemonic.CWDE,
            Mnemonic.DAA,
            Mnemonic.DAS,
            Mnemonic.DEC,
            Mnemonic.DIV,
            Mnemonic.ENDBR32,
            Mnemonic.ENDBR64,
            Mnemonic.ENTER,
            Mnemonic.IDIV,
            Mnemonic.IMUL,
            Mnemonic.INC,
            Mnemonic.JMP,
            Mnemonic.JRCXZ,
            Mnemonic.LAHF,
            Mnemonic.LEA,
            Mnemonic.LEAVE,
            Mnemonic.LFENCE,
            Mnemonic.LODS,
            Mnemonic.LOOP,
            Mnemonic.LOOPE,
            Mnemonic.LOOPNE,
            Mnemonic.LZCNT,
            Mnemonic.MFENCE,
            Mnemonic.MOV,
            Mnemonic.MOVBE,
            Mnemonic.MOVNTI,
            Mnemonic.MOVS,
            Mnemonic.MOVSX,
            Mnemonic.MOVSXD,
            Mnemonic.MOVZX,
            Mnemonic.MUL,
            Mnemonic.MULX,
            Mnemonic.NEG,
            Mnemonic.NOP,
            Mnemonic.NOT,
            Mnemonic.OR,
            Mnemonic.PAUSE,
            Mnemonic.PDEP,
            Mnemonic.PEXT,
            Mnemonic.POP,
            Mnemonic.POPA,
            Mnemonic.POPCNT,
            Mnemonic.PREFETCH,
            Mnemonic.PREFETCHNTA,
            Mnemonic.PREFETCHT0,
            Mnemonic.PREFETCHT1,
            Mnemonic.PREFETCHT2,
            Mnemonic.PREFETCHW,
            Mnemonic.PREFETCHWT1,
            Mnemonic.PUSH,
            Mnemonic.PUSHA,
            Mnemonic.RCL,
            Mnemonic.RCR,
            Mnemonic.RET,
            Mnemonic.ROL,
            Mnemonic.ROR,
            Mnemonic.RORX,
            Mnemonic.SAHF,
            Mnemonic.SALC,
            Mnemonic.SAR,
            Mnemonic.SARX,
            Mnemonic.SBB,
            Mnemonic.SCAS,
            Mnemonic.SFENCE,
            Mnemonic.SHL,
            Mnemonic.SHLD,
            Mnemonic.SHLX,
            Mnemonic.SHR,
            Mnemonic.SHRD,
            Mnemonic.SHRX,
            Mnemonic.STC,
            Mnemonic.STD,
            Mnemonic.STOS,
            Mnemonic.SUB,
            Mnemonic.TEST,
            Mnemonic.TZCNT,
            Mnemonic.UD0,
            Mnemonic.UD1,
            Mnemonic.UD2,
            Mnemonic.XADD,
            Mnemonic.XCHG,
            Mnemonic.XLAT,
            Mnemonic.XOR);

    private static boolean isInteger(Instruction insn, OpContext context) {
        String name = insn.mnemonic().name();
        boolean conditional =
                name.startsWith("J") && !name.startsWith("JMP") || name.startsWith("CMOV") || name.startsWith("SET");
        if (!conditional && !INTEGER.contains(insn.mnemonic())) {
            return false;
        }
        if (insn.vex() && !context.protectedMode()) {
            return false;
        }
        for (int i = 0; i < insn.operandCount(); i++) {
            OperandKind kind = insn.kind(i);
            if (kind == OperandKind.SEGMENT || kind == OperandKind.CONTROL || kind == OperandKind.DEBUG) {
                return false;
            }
        }
        return true;
    }

    private static TestProcessor machine(CodeSize mode) {
        return switch (mode) {
            case CODE16 -> TestProcessor.real16();
            case CODE32 -> TestProcessor.protected32();
            case CODE64 -> TestProcessor.long64();
        };
    }

    @Test
    void everyIntegerInstructionHasAnOperationAndNoOtherHas() {
        var insn = new Instruction();
        int found = 0;
        for (CodeSize mode : CodeSize.values()) {
            try (TestProcessor machine = machine(mode)) {
                OpContext context = machine.cpu.opContext();
                var generator = new InstructionGenerator(1).allPrefixes(true);
                for (OpcodeRow row : OpcodeTable.rows()) {
                    for (int i = 0; i < 30; i++) {
                        if (generator.generate(row, mode, insn)) {
                            boolean made = IntegerOps.of(insn, insn.length(), context) != null;
                            assertThat(made).as("%s in %s", insn, mode).isEqualTo(isInteger(insn, context));
                            found += made ? 1 : 0;
                        }
                    }
                }
            }
        }
        assertThat(found).isGreaterThan(20_000);
    }

    @Test
    void zeroCountsAreBitScansWhereCpuidDoesNotPromiseThem() {
        var few = TestProcessor.features(List.of(CpuFeature.LM, CpuFeature.PAE));
        try (TestProcessor machine = TestProcessor.long64(few);
                TestProcessor full = TestProcessor.long64()) {
            machine.cpu.r[Cpu.RBX] = 0x10;
            new Program(machine).run(a -> a.lzcnt(EAX, EBX));
            assertThat(machine.cpu.r[Cpu.RAX]).isEqualTo(4);
            full.cpu.r[Cpu.RBX] = 0x10;
            new Program(full).run(a -> a.lzcnt(EAX, EBX));
            assertThat(full.cpu.r[Cpu.RAX]).isEqualTo(27);
            machine.cpu.r[Cpu.RBX] = 0;
            machine.cpu.r[Cpu.RAX] = -1;
            new Program(machine).run(a -> a.tzcnt(EAX, EBX));
            assertThat(machine.cpu.r[Cpu.RAX])
                    .as("BSF of zero leaves its destination")
                    .isEqualTo(-1);
            full.cpu.r[Cpu.RBX] = 0;
            new Program(full).run(a -> a.tzcnt(EAX, EBX));
            assertThat(full.cpu.r[Cpu.RAX]).isEqualTo(32);
        }
    }
}
