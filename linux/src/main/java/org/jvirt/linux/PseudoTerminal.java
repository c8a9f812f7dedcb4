package org.jvirt.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/// The master side of a new pseudo-terminal; somebody else opens [#slave] with a terminal program.
///
/// One thread may read while others write. Source: pty(7), ioctl_tty(2).
public final class PseudoTerminal implements AutoCloseable {
    private static final long TIOCGPTN = 0x80045430L;
    private static final long TIOCSPTLCK = 0x40045431L;
    private static final int POLLIN = 1;

    private final DeviceFile master;
    private final DeviceFile keeper;
    private final Path slave;

    private PseudoTerminal(DeviceFile master, DeviceFile keeper, Path slave) {
        this.master = master;
        this.keeper = keeper;
        this.slave = slave;
    }

    /// @throws SystemCallException if the host has no pseudo-terminal to give
    public static PseudoTerminal open() {
        DeviceFile master = DeviceFile.open(Path.of("/dev/ptmx"));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment number = arena.allocate(ValueLayout.JAVA_INT);
            master.ioctl("TIOCSPTLCK", TIOCSPTLCK, number.address());
            master.ioctl("TIOCGPTN", TIOCGPTN, number.address());
            Path slave = Path.of("/dev/pts/" + number.get(ValueLayout.JAVA_INT, 0));
            // Holding the slave open keeps the line up while no terminal program is connected.
            DeviceFile keeper = DeviceFile.open(slave);
            TerminalMode.of(keeper.fd()).raw();
            return new PseudoTerminal(master, keeper, slave);
        } catch (RuntimeException e) {
            master.close();
            throw e;
        }
    }

    /// The device to open with a terminal program.
    public Path slave() {
        return slave;
    }

    /// Waits at most `timeoutMillis` for input.
    ///
    /// @return the bytes read, 0 on time-out
    public int read(byte[] into, int timeoutMillis) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pollfd = arena.allocate(8, 4);
            pollfd.set(ValueLayout.JAVA_INT, 0, master.fd());
            pollfd.set(ValueLayout.JAVA_SHORT, 4, (short) POLLIN);
            if (LibC.poll(pollfd, 1, timeoutMillis) <= 0) {
                return 0;
            }
            MemorySegment buffer = arena.allocate(into.length);
            long count = LibC.read(master.fd(), buffer, into.length);
            if (count < 0) {
                throw new SystemCallException("read from " + slave, (int) -count);
            }
            MemorySegment.copy(buffer, ValueLayout.JAVA_BYTE, 0, into, 0, (int) count);
            return (int) count;
        }
    }

    /// Writes what the terminal takes at once.
    ///
    /// @return the bytes taken, possibly fewer than `length`
    public int write(byte[] bytes, int offset, int length) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(Math.max(length, 1));
            MemorySegment.copy(bytes, offset, buffer, ValueLayout.JAVA_BYTE, 0, length);
            MemorySegment pollfd = arena.allocate(8, 4);
            pollfd.set(ValueLayout.JAVA_INT, 0, master.fd());
            pollfd.set(ValueLayout.JAVA_SHORT, 4, (short) 4);
            if (LibC.poll(pollfd, 1, 0) <= 0) {
                return 0;
            }
            return (int) Math.max(0, LibC.write(master.fd(), buffer, length));
        }
    }

    @Override
    public void close() {
        keeper.close();
        master.close();
    }
}
