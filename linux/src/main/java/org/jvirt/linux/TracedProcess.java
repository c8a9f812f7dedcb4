package org.jvirt.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/// A child process under ptrace: its registers and memory are set, it runs one instruction, and what happened is
/// read. With it the host's own processor is the oracle of the interpreter.
///
/// All calls belong to the thread that started it, as ptrace demands. Register blocks are the kernel's raw regsets.
/// Source: ptrace(2).
public final class TracedProcess implements AutoCloseable {
    /// `NT_PRSTATUS`: `struct user_regs_struct`, 27 64-bit words.
    public static final int GENERAL_REGISTERS = 1;

    /// `NT_X86_XSTATE`: the XSAVE area.
    public static final int EXTENDED_STATE = 0x202;

    private static final int PTRACE_CONT = 7;
    private static final int PTRACE_SINGLESTEP = 9;
    private static final int PTRACE_GETSIGINFO = 0x4202;
    private static final int PTRACE_GETREGSET = 0x4204;
    private static final int PTRACE_SETREGSET = 0x4205;
    private static final int PTRACE_SEIZE = 0x4206;
    private static final int PTRACE_INTERRUPT = 0x4207;
    private static final long PTRACE_O_EXITKILL = 0x100000;
    private static final int WALL = 0x40000000;
    private static final int SIGKILL = 9;
    private static final int SIGINFO_BYTES = 128;

    /// Why the child stopped.
    ///
    /// @param signal  the signal's number: 5 SIGTRAP after a step, 11 SIGSEGV, 8 SIGFPE, 4 SIGILL, 7 SIGBUS
    /// @param code    `si_code`
    /// @param address `si_addr`
    public record Stop(int signal, int code, long address) {}

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment status = arena.allocate(ValueLayout.JAVA_INT);
    private final MemorySegment iovec = arena.allocate(16, 8);
    private final MemorySegment siginfo = arena.allocate(SIGINFO_BYTES, 8);
    private final MemorySegment registers = arena.allocate(16384, 64);
    private final int pid;
    private final DeviceFile memory;

    private TracedProcess(int pid) {
        this.pid = pid;
        this.memory = DeviceFile.open(Path.of("/proc/" + pid + "/mem"));
    }

    /// Starts a program and stops it wherever it is; the program should wait in an endless loop.
    public static TracedProcess start(Path program) {
        int pid;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment path = arena.allocateFrom(program.toString());
            MemorySegment argv = arena.allocate(ValueLayout.ADDRESS, 2);
            argv.setAtIndex(ValueLayout.ADDRESS, 0, path);
            MemorySegment envp = arena.allocate(ValueLayout.ADDRESS, 1);
            MemorySegment pidOut = arena.allocate(ValueLayout.JAVA_INT);
            int result = LibC.posixSpawn(pidOut, path, argv, envp);
            if (result < 0) {
                throw new SystemCallException("start " + program, -result);
            }
            pid = pidOut.get(ValueLayout.JAVA_INT, 0);
        }
        long seized = LibC.ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_EXITKILL);
        if (seized < 0) {
            LibC.kill(pid, SIGKILL);
            throw new SystemCallException("trace process " + pid, (int) -seized);
        }
        var process = new TracedProcess(pid);
        process.request("interrupt", PTRACE_INTERRUPT, 0, 0);
        process.waitForStop();
        return process;
    }

    public int pid() {
        return pid;
    }

    /// Reads a regset.
    ///
    /// @return the bytes the kernel filled
    public int readRegisters(int set, byte[] into) {
        iovec.set(ValueLayout.JAVA_LONG, 0, registers.address());
        iovec.set(ValueLayout.JAVA_LONG, 8, Math.min(into.length, registers.byteSize()));
        request("read registers", PTRACE_GETREGSET, set, iovec.address());
        int length = (int) iovec.get(ValueLayout.JAVA_LONG, 8);
        MemorySegment.copy(registers, ValueLayout.JAVA_BYTE, 0, into, 0, length);
        return length;
    }

    public void writeRegisters(int set, byte[] from, int length) {
        MemorySegment.copy(from, 0, registers, ValueLayout.JAVA_BYTE, 0, length);
        iovec.set(ValueLayout.JAVA_LONG, 0, registers.address());
        iovec.set(ValueLayout.JAVA_LONG, 8, length);
        request("write registers", PTRACE_SETREGSET, set, iovec.address());
    }

    public void readMemory(long address, byte[] into) {
        try (Arena temporary = Arena.ofConfined()) {
            MemorySegment buffer = temporary.allocate(into.length);
            long count = LibC.pread(memory.fd(), buffer, into.length, address);
            checkWhole("read", address, into.length, count);
            MemorySegment.copy(buffer, ValueLayout.JAVA_BYTE, 0, into, 0, into.length);
        }
    }

    public void writeMemory(long address, byte[] from) {
        try (Arena temporary = Arena.ofConfined()) {
            MemorySegment buffer = temporary.allocateFrom(ValueLayout.JAVA_BYTE, from);
            checkWhole("write", address, from.length, LibC.pwrite(memory.fd(), buffer, from.length, address));
        }
    }

    /// Runs one instruction.
    public Stop step() {
        request("step", PTRACE_SINGLESTEP, 0, 0);
        return waitForStop();
    }

    /// Runs until a signal, such as the breakpoint at the end of a sequence.
    public Stop resume() {
        request("continue", PTRACE_CONT, 0, 0);
        return waitForStop();
    }

    private Stop waitForStop() {
        int waited = LibC.waitpid(pid, status, WALL);
        if (waited < 0) {
            throw new SystemCallException("wait for process " + pid, -waited);
        }
        int value = status.get(ValueLayout.JAVA_INT, 0);
        if ((value & 0xff) != 0x7f) {
            throw new IllegalStateException("Traced process %d ended with status 0x%x".formatted(pid, value));
        }
        int signal = value >> 8 & 0xff;
        siginfo.fill((byte) 0);
        request("read the signal", PTRACE_GETSIGINFO, 0, siginfo.address());
        return new Stop(signal, siginfo.get(ValueLayout.JAVA_INT, 8), siginfo.get(ValueLayout.JAVA_LONG, 16));
    }

    private void request(String what, int request, long address, long data) {
        long result = LibC.ptrace(request, pid, address, data);
        if (result < 0) {
            throw new SystemCallException("%s of traced process %d".formatted(what, pid), (int) -result);
        }
    }

    private void checkWhole(String what, long address, int length, long count) {
        if (count < 0) {
            throw new SystemCallException(
                    "%s %d bytes at 0x%x of process %d".formatted(what, length, address, pid), (int) -count);
        }
        if (count != length) {
            throw new IllegalStateException("Only %d of %d bytes at 0x%x".formatted(count, length, address));
        }
    }

    /// Ends the child.
    @Override
    public void close() {
        LibC.kill(pid, SIGKILL);
        LibC.waitpid(pid, status, WALL);
        memory.close();
        arena.close();
    }
}
