package org.jvirt.acceptance;

import static org.jvirt.x86.Mem.mem;
import static org.jvirt.x86.Registers.*;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.jvirt.x86.Assembler;
import org.jvirt.x86.CodeSize;
import org.jvirt.x86.Mem;

/// A program for Linux whose threads share their memory while its mappings change all the time.
///
/// One thread puts a new page in the place of the old one, again and again, and writes the number of the turn
/// there; before and after, it counts a sequence number up. The others read the page between two looks at the
/// sequence number: if that is even and the same, they must find its half. A processor that goes on using the old
/// page finds a smaller one. In between they map and unmap pages of their own. The exit code is 0 if all went
/// well, 1 for a stale page, 2 for a page that nobody has read in its turn.
final class StormProgram {
    private static final long BASE = 0x40_0000;
    private static final int HEADER_BYTES = 64 + 56;
    private static final long DATA = BASE + 0x1000;
    private static final int MEMORY_BYTES = 0x1_0000;
    private static final long PAGE = 0x80_0000;

    private static final long SEQUENCE = DATA;
    private static final long ERRORS = DATA + 0x40;
    private static final long DONE = DATA + 0x80;
    private static final long FINISHED = DATA + 0xC0;
    private static final long READS = DATA + 0x100;
    private static final long UNREAD = DATA + 0x140;
    private static final long STACKS = DATA + 0x2000;

    private static final int MMAP = 9;
    private static final int MUNMAP = 11;
    private static final int SCHED_YIELD = 24;
    private static final int CLONE = 56;
    private static final int EXIT = 60;
    private static final int EXIT_GROUP = 231;
    /// CLONE_VM, CLONE_FS, CLONE_FILES, CLONE_SIGHAND, CLONE_THREAD, CLONE_SYSVSEM.
    private static final int THREAD = 0x100 | 0x200 | 0x400 | 0x800 | 0x1_0000 | 0x4_0000;

    private static final int READ_WRITE = 3;
    private static final int PRIVATE_ANONYMOUS = 0x22;
    private static final int FIXED = 0x10;
    private static final int READS_FOR_EACH_MAPPING = 64;
    /// In rounds of a loop.
    private static final int MOST_PATIENCE = 100_000_000;

    private StormProgram() {}

    private static Mem at(long address) {
        return mem(address).qword();
    }

    /// The ELF file.
    ///
    /// @param readers threads beside the one that writes
    static byte[] elf(int readers, int turns) {
        var asm = new Assembler(CodeSize.CODE64, BASE + HEADER_BYTES);
        write(asm, readers, turns);
        read(asm);
        byte[] code = asm.assemble();
        var elf = ByteBuffer.allocate(HEADER_BYTES + code.length).order(ByteOrder.LITTLE_ENDIAN);
        elf.put(new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1, 0}).putLong(0);
        elf.putShort((short) 2).putShort((short) 62).putInt(1);
        elf.putLong(BASE + HEADER_BYTES).putLong(64).putLong(0).putInt(0);
        elf.putShort((short) 64).putShort((short) 56).putShort((short) 1);
        elf.putShort((short) 0).putShort((short) 0).putShort((short) 0);
        // one segment to read, write and execute
        elf.putInt(1).putInt(7).putLong(0).putLong(BASE).putLong(BASE);
        elf.putLong(elf.capacity()).putLong(MEMORY_BYTES).putLong(0x1000);
        return elf.put(code).array();
    }

    private static void map(Assembler asm, long address, int flags) {
        asm.mov(EAX, MMAP).mov(EDI, (int) address).mov(ESI, 0x1000).mov(EDX, READ_WRITE);
        asm.mov(R10D, PRIVATE_ANONYMOUS | flags).mov(R8, -1).xor(R9D, R9D).syscall();
    }

    private static void write(Assembler asm, int readers, int turns) {
        asm.xor(EBX, EBX).call("turn");
        for (int i = 0; i < readers; i++) {
            asm.mov(EAX, CLONE).mov(EDI, THREAD).mov(ESI, (int) (STACKS + 0x1000L * (i + 1)));
            asm.xor(EDX, EDX).xor(R10D, R10D).xor(R8D, R8D).syscall();
            asm.test(EAX, EAX).jz("reader");
        }
        asm.label("again").call("turn").cmp(RBX, turns).jb("again");
        asm.mov(at(DONE), 1);
        asm.label("wait").mov(EAX, SCHED_YIELD).syscall();
        asm.cmp(at(FINISHED), readers).jb("wait");
        asm.xor(EDI, EDI).cmp(at(UNREAD), 0).je("busy").mov(EDI, 2);
        asm.label("busy").cmp(at(ERRORS), 0).je("fine").mov(EDI, 1);
        asm.label("fine").mov(EAX, EXIT_GROUP).syscall();
        asm.label("turn").inc(RBX).inc(at(SEQUENCE));
        map(asm, PAGE, FIXED);
        asm.mov(at(PAGE), RBX).inc(at(SEQUENCE));
        // until somebody has read it; in the first turn there is nobody yet
        asm.mov(RDX, at(READS)).mov(ECX, MOST_PATIENCE).cmp(RBX, 1).je("read");
        asm.label("rest").pause().cmp(at(READS), RDX).jne("read").dec(ECX).jnz("rest");
        asm.inc(at(UNREAD)).label("read").ret();
    }

    private static void read(Assembler asm) {
        asm.label("reader").mov(R12D, READS_FOR_EACH_MAPPING);
        asm.label("look").cmp(at(DONE), 0).jne("finish");
        asm.dec(R12D).jz("storm");
        asm.mov(RAX, at(SEQUENCE)).test(AL, 1).jnz("pause");
        asm.mov(RBX, at(PAGE)).mov(RCX, at(SEQUENCE));
        asm.cmp(RAX, RCX).jne("look").lock().inc(at(READS));
        asm.shr(RAX, 1).cmp(RAX, RBX).je("look");
        asm.lock().inc(at(ERRORS)).jmp("look");
        asm.label("pause").pause().jmp("look");
        asm.label("storm");
        map(asm, 0, 0);
        asm.mov(mem(RAX).qword(), RAX).mov(RDI, RAX);
        asm.mov(EAX, MUNMAP).mov(ESI, 0x1000).syscall();
        asm.jmp("reader");
        asm.label("finish").lock().inc(at(FINISHED));
        asm.mov(EAX, EXIT).xor(EDI, EDI).syscall();
    }

    /// Shell commands that write bytes into a file.
    static List<String> commands(byte[] bytes, String file) {
        var commands = new ArrayList<String>();
        commands.add("rm -f " + file);
        for (int from = 0; from < bytes.length; from += 128) {
            var text = new StringBuilder("printf '");
            for (int i = from; i < Math.min(from + 128, bytes.length); i++) {
                text.append("\\x%02x".formatted(bytes[i]));
            }
            commands.add(text + "' >> " + file);
        }
        commands.add("chmod +x " + file);
        return commands;
    }
}
