package org.jvirt.engine.soft.translate;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jvirt.engine.soft.translate.emit.CodeMode;
import org.jvirt.engine.soft.translate.emit.Stubs;
import org.jvirt.x86.CodeSize;
import org.jvirt.x86.DecodeResult;
import org.jvirt.x86.Decoder;
import org.jvirt.x86.Disassembler;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.Mnemonic;

/// A translated block as text: the guest's instructions, and the host's with their offsets in the code cache.
final class BlockText {
    private static final int PAGE = 4096;

    private final StringBuilder text = new StringBuilder(2048);
    private final Decoder decoder = new Decoder();
    private final Instruction insn = new Instruction();

    private BlockText() {}

    static String of(TranslatedBlock block, CodeCache cache, MemorySegment ram, Stubs stubs) {
        var text = new BlockText();
        text.guest(block, ram);
        text.host(block, cache, stubs);
        return text.text.toString();
    }

    private void guest(TranslatedBlock block, MemorySegment ram) {
        int length = Math.min(block.guestBytes, PAGE - (int) (block.rip & PAGE - 1));
        text.append("guest 0x%x, %d bytes, rights %d, at 0x%x of RAM%n"
                .formatted(block.rip, block.guestBytes, block.context, block.page << 12 | block.rip & PAGE - 1));
        byte[] code = new byte[length];
        long at = block.page << 12 | block.rip & PAGE - 1;
        MemorySegment.copy(ram, ValueLayout.JAVA_BYTE, at, code, 0, length);
        int position = 0;
        while (position < length
                && decoder.decode(code, position, length, CodeMode.codeSize(block.context), insn) == DecodeResult.OK) {
            line(block.rip + position, Disassembler.text(insn, block.rip + position));
            position += insn.length();
        }
    }

    private void host(TranslatedBlock block, CodeCache cache, Stubs stubs) {
        text.append("host %d bytes, entries +0 (table), +%d (behind), +%d (ahead)%n"
                .formatted(block.codeBytes(), block.entryBehind() - block.start, block.entryAhead() - block.start));
        byte[] code = new byte[block.codeBytes()];
        for (int i = 0; i < code.length; i++) {
            code[i] = (byte) cache.byteAt(block.start + i);
        }
        int position = 0;
        while (position < code.length) {
            if (position == block.usualBytes()) {
                text.append("  seldom:").append(System.lineSeparator());
            }
            if (decoder.decode(code, position, code.length, CodeSize.CODE64, insn) != DecodeResult.OK) {
                position = data(code, position, 1, block.start);
                continue;
            }
            int here = block.start + position;
            String words = Disassembler.text(insn, here);
            int stub = insn.mnemonic() == Mnemonic.CALL || insn.mnemonic() == Mnemonic.JMP
                    ? here + insn.length() + (int) insn.immediate()
                    : -1;
            position += insn.length();
            boolean shared = stub >= 0 && !stubs.name(stub).isEmpty();
            line(here, shared ? words + "  ; " + stubs.name(stub) : words);
            if (shared && stubs.dataBytes(stub) > 0) {
                position = data(code, position, stubs.dataBytes(stub), block.start);
            }
        }
    }

    private int data(byte[] code, int position, int count, int start) {
        int end = Math.min(position + count, code.length);
        var words = new StringBuilder(".byte");
        for (int i = position; i < end; i++) {
            words.append(" 0x%02x".formatted(code[i] & 0xFF));
        }
        line(start + position, words.toString());
        return end;
    }

    private void line(long address, String words) {
        text.append("  %8x  %s%n".formatted(address, words));
    }
}
