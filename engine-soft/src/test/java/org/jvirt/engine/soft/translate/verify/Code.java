package org.jvirt.engine.soft.translate.verify;

import static org.jvirt.x86.Mem.mem;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jvirt.x86.Assembler;
import org.jvirt.x86.DecodeResult;
import org.jvirt.x86.Decoder;
import org.jvirt.x86.Disassembler;
import org.jvirt.x86.FlagMask;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.LabelRef;
import org.jvirt.x86.Mnemonic;
import org.jvirt.x86.OperandKind;
import org.jvirt.x86.Reg;

/// A program's items as machine code.
///
/// ```
/// +0x0000     items, each preceded by CMP where it uses a flag that may be undefined
/// +0x3000     the program's own words: counters of repetitions, pointers of indirect branches
/// ```
final class Code {
    /// Where the program's own words are.
    static final int WORDS = 0x3000;

    /// Length of the instruction that ends a program; the address in its frame is behind it.
    static final int END_BYTES = 2;

    private final byte[] page;
    private final int end;
    private final Program program;
    /// Undefined flags before the instructions at some addresses.
    private final Map<Long, Integer> undefined = new HashMap<>();
    /// Flags that nobody looks at, before the instructions at some addresses.
    private final Map<Long, Integer> dead = new HashMap<>();

    /// The bytes that the program itself may change without making other instructions of them.
    private final BitSet immediates = new BitSet();

    private final List<Item> items;
    private final Assembler asm;

    Code(Program program) {
        this.program = program;
        items = program.items();
        asm = new Assembler(program.kind().codeSize, program.entry());
        var flow = new FlagFlow(items);
        for (int i = 0; i < items.size(); i++) {
            undefined.put(asm.here(), flow.before(i));
            dead.put(asm.here(), FlagMask.STATUS & ~flow.live(i));
            asm.label(label(i));
            if (flow.needsFlags(i)) {
                asm.cmp(new Reg(OperandKind.GPR, 0, 4), 3);
                undefined.put(asm.here(), 0);
                dead.put(asm.here(), 0);
            }
            emit(items.get(i), i);
        }
        end = program.start() + asm.size();
        if (end > WORDS - Decoder.MAX_LENGTH) {
            throw new IllegalStateException("A program of " + asm.size() + " bytes is too long");
        }
        asm.org(program.codeAddress() + WORDS);
        words();
        byte[] code = asm.assemble();
        page = new byte[Layout.CODE_BYTES];
        System.arraycopy(code, 0, page, program.start(), code.length);
    }

    private static String label(int position) {
        return "item" + position;
    }

    private LabelRef target(int id) {
        return new LabelRef(label(Math.min(FlagFlow.position(items, id), items.size() - 1)));
    }

    private void emit(Item item, int i) {
        switch (item) {
            case Item.Plain plain -> asm.db(plain.code());
            case Item.Branch branch -> branch(branch);
            case Item.Indirect indirect -> {
                if (indirect.register() >= 0) {
                    asm.emit(
                            Mnemonic.LEA,
                            address(indirect.register()),
                            mem(target(indirect.target()).name()));
                    asm.jmp(address(indirect.register()));
                } else {
                    asm.jmp(mem("word" + i).size(pointerBytes()));
                }
            }
            case Item.Repeat repeat -> {
                asm.dec(mem("word" + i).dword());
                asm.emit(Mnemonic.JG, target(repeat.target()));
                asm.mov(mem("word" + i).dword(), repeat.times());
            }
            case Item.Call call -> {
                if (call.register() >= 0) {
                    asm.emit(
                            Mnemonic.LEA,
                            address(call.register()),
                            mem(target(call.function()).name()));
                    asm.call(address(call.register()));
                } else {
                    asm.emit(Mnemonic.CALL, target(call.function()));
                }
            }
            case Item.End end -> asm.int_(Layout.END_VECTOR);
            case Item.Function function -> {
                // only a place
            }
            case Item.Return ret -> {
                if (ret.popped() == 0) {
                    asm.ret();
                } else {
                    asm.ret(ret.popped());
                }
            }
            case Item.Patch patch -> {
                int at = FlagFlow.position(items, patch.target());
                if (at < items.size() && items.get(at) instanceof Item.Patched) {
                    asm.mov(mem("immediate" + at).dword(), patch.value());
                }
            }
            case Item.Patched patched -> {
                asm.db(0xB8 + patched.register());
                asm.label("immediate" + i);
                int at = (int) (asm.here() - program.codeAddress());
                immediates.set(at, at + Integer.BYTES);
                asm.dd(patched.value());
            }
        }
    }

    /// Loops and `JRCXZ` reach 127 bytes only: they jump over a jump.
    private void branch(Item.Branch branch) {
        switch (branch.mnemonic()) {
            case LOOP, LOOPE, LOOPNE, JRCXZ -> {
                String taken = "taken" + branch.id();
                String next = "next" + branch.id();
                asm.emit(branch.mnemonic(), new LabelRef(taken).asShort());
                asm.jmpShort(next);
                asm.label(taken).emit(Mnemonic.JMP, target(branch.target()));
                asm.label(next);
            }
            default -> asm.emit(branch.mnemonic(), target(branch.target()));
        }
    }

    private int pointerBytes() {
        return program.kind().long64() ? 8 : 4;
    }

    private Reg address(int register) {
        return new Reg(OperandKind.GPR, register, pointerBytes());
    }

    private void words() {
        for (int i = 0; i < items.size(); i++) {
            if (items.get(i) instanceof Item.Indirect indirect && indirect.register() < 0) {
                asm.label("word" + i).address(target(indirect.target()).name(), pointerBytes());
            } else if (items.get(i) instanceof Item.Repeat repeat) {
                asm.label("word" + i).dd(repeat.times());
            }
        }
    }

    /// The content of the code's pages.
    byte[] page() {
        return page;
    }

    /// The status flags that may have any value when the program ends at `rip`.
    int undefinedAt(long rip) {
        return undefined.getOrDefault(rip, FlagMask.STATUS);
    }

    /// The status flags that are replaced unread behind `rip` if there is no fault.
    int deadAt(long rip) {
        return dead.getOrDefault(rip, 0);
    }

    /// Whether the program has become another one: by a store to its code that nobody meant.
    ///
    /// @param now the content of the code's pages
    boolean isRewritten(byte[] now) {
        for (int at = program.start(); at < end; at++) {
            if (page[at] != now[at] && !immediates.get(at)) {
                return true;
            }
        }
        return false;
    }

    /// Assembly text with addresses and bytes.
    String listing() {
        var text = new StringBuilder();
        var insn = new Instruction();
        var decoder = new Decoder();
        List<String> lines = new ArrayList<>();
        for (int at = program.start(); at < end; ) {
            DecodeResult result = decoder.decode(page, at, end, program.kind().codeSize, insn);
            int size = result == DecodeResult.OK ? insn.length() : 1;
            long address = program.codeAddress() + at;
            lines.add(String.format(
                    Locale.ROOT,
                    "  %x  %-30s %s",
                    address,
                    HexFormat.of().formatHex(page, at, at + size),
                    result == DecodeResult.OK ? Disassembler.text(insn, address) : "(bad)"));
            at += size;
        }
        lines.forEach(line -> text.append(line).append('\n'));
        return text.toString();
    }
}
