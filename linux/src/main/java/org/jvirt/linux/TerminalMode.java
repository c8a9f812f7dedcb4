package org.jvirt.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// The mode of the terminal on a file descriptor, to be changed and put back.
///
/// Source: termios(3), ioctl_tty(2). Not thread-safe, but for [#restore].
public final class TerminalMode {
    private static final int TERMIOS_BYTES = 60;
    private static final int TCSANOW = 0;
    private static final int INPUT_FLAGS = 0;
    private static final int OUTPUT_FLAGS = 4;
    private static final int CONTROL_FLAGS = 8;
    private static final int LOCAL_FLAGS = 12;
    private static final int CONTROL_CHARACTERS = 17;
    private static final int VTIME = 5;
    private static final int VMIN = 6;
    private static final int IGNBRK_BRKINT_PARMRK_ISTRIP = 0x1 | 0x2 | 0x8 | 0x20;
    private static final int INLCR_IGNCR_ICRNL_IXON = 0x40 | 0x80 | 0x100 | 0x400;
    private static final int OPOST = 0x1;
    private static final int CSIZE_PARENB = 0x30 | 0x100;
    private static final int CS8 = 0x30;
    private static final int ISIG_ICANON_ECHO_ECHONL_IEXTEN = 0x1 | 0x2 | 0x8 | 0x40 | 0x8000;
    private static final long TIOCGWINSZ = 0x5413;

    /// A terminal's size.
    public record Size(int columns, int rows) {}

    private final int fd;
    private final byte[] original;

    private TerminalMode(int fd, byte[] original) {
        this.fd = fd;
        this.original = original;
    }

    public static boolean isTerminal(int fd) {
        return LibC.isatty(fd);
    }

    /// Reads the present mode.
    ///
    /// @throws SystemCallException if the descriptor is no terminal
    public static TerminalMode of(int fd) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment termios = arena.allocate(TERMIOS_BYTES);
            int result = LibC.tcgetattr(fd, termios);
            if (result < 0) {
                throw new SystemCallException("read the terminal's mode", -result);
            }
            return new TerminalMode(fd, termios.toArray(ValueLayout.JAVA_BYTE));
        }
    }

    /// Passes every key through: no echo, no line editing, no signals, no translation.
    public void raw() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment t = arena.allocate(TERMIOS_BYTES);
            MemorySegment.copy(original, 0, t, ValueLayout.JAVA_BYTE, 0, TERMIOS_BYTES);
            change(t, INPUT_FLAGS, IGNBRK_BRKINT_PARMRK_ISTRIP | INLCR_IGNCR_ICRNL_IXON, 0);
            change(t, OUTPUT_FLAGS, OPOST, 0);
            change(t, CONTROL_FLAGS, CSIZE_PARENB, CS8);
            change(t, LOCAL_FLAGS, ISIG_ICANON_ECHO_ECHONL_IEXTEN, 0);
            t.set(ValueLayout.JAVA_BYTE, CONTROL_CHARACTERS + VMIN, (byte) 1);
            t.set(ValueLayout.JAVA_BYTE, CONTROL_CHARACTERS + VTIME, (byte) 0);
            int result = LibC.tcsetattr(fd, TCSANOW, t);
            if (result < 0) {
                throw new SystemCallException("switch the terminal to raw mode", -result);
            }
        }
    }

    /// Puts the mode back as it was when [#of] read it. Any thread, as often as wanted; a terminal that has gone
    /// away is ignored.
    public void restore() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment t = arena.allocate(TERMIOS_BYTES);
            MemorySegment.copy(original, 0, t, ValueLayout.JAVA_BYTE, 0, TERMIOS_BYTES);
            LibC.tcsetattr(fd, TCSANOW, t);
        }
    }

    /// The size now, or 80×24 where it is unknown.
    public Size size() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment winsize = arena.allocate(8, 2);
            int result = LibC.ioctl(fd, TIOCGWINSZ, winsize.address());
            int rows = winsize.get(ValueLayout.JAVA_SHORT, 0) & 0xffff;
            int columns = winsize.get(ValueLayout.JAVA_SHORT, 2) & 0xffff;
            return result < 0 || rows == 0 || columns == 0 ? new Size(80, 24) : new Size(columns, rows);
        }
    }

    private static void change(MemorySegment termios, int field, int clear, int set) {
        int value = termios.get(ValueLayout.JAVA_INT, field);
        termios.set(ValueLayout.JAVA_INT, field, value & ~clear | set);
    }
}
