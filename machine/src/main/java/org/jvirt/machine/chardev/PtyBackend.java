package org.jvirt.machine.chardev;

import java.io.IOException;
import java.nio.file.Path;
import org.jvirt.core.HostFailureException;
import org.jvirt.linux.PseudoTerminal;

/// A new pseudo-terminal, to which a user connects with a terminal program.
public final class PtyBackend extends BufferedBackend {
    private static final int POLL_MILLIS = 100;

    private final PseudoTerminal terminal;
    private final Thread reader;

    private PtyBackend(PseudoTerminal terminal) {
        super("serial-pty");
        this.terminal = terminal;
        reader = Thread.ofPlatform().daemon().name("serial-pty-in").unstarted(this::read);
    }

    public static PtyBackend open() {
        var backend = new PtyBackend(PseudoTerminal.open());
        backend.startWriter();
        backend.reader.start();
        return backend;
    }

    /// What to tell the user to open.
    public Path device() {
        return terminal.slave();
    }

    private void read() {
        var buffer = new byte[4096];
        try {
            while (!isClosed()) {
                int count = terminal.read(buffer, POLL_MILLIS);
                deliver(buffer, 0, count);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (HostFailureException e) {
            System.getLogger(PtyBackend.class.getName()).log(System.Logger.Level.WARNING, e.getMessage());
        } finally {
            terminal.close();
        }
    }

    @Override
    protected void send(byte[] bytes, int length) throws IOException {
        // With nobody connected the line discipline's buffer fills up; what it does not take is lost, as on a wire.
        int taken = terminal.write(bytes, 0, length);
        if (taken < length) {
            throw new IOException("the pseudo-terminal is full");
        }
    }

    @Override
    protected void release() {
        // The reader notices within its poll time and closes the descriptors that it uses.
    }
}
