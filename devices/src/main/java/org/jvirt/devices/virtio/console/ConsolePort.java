package org.jvirt.devices.virtio.console;

import org.jvirt.core.CharBackend;
import org.jvirt.devices.virtio.DescriptorChain;
import org.jvirt.devices.virtio.RingViolation;
import org.jvirt.devices.virtio.VirtQueue;

/// One port: bytes from its backend wait in a small buffer until the guest gives room, bytes from the guest go
/// straight to the backend.
///
/// The backend's thread fills the buffer, the queue thread empties it; the lock guards the buffer and is never held
/// while the backend is called. A full buffer answers [#space] 0, so the backend keeps the rest.
final class ConsolePort implements CharBackend.Receiver {
    private static final int BUFFER_BYTES = 4096;
    private static final int MAX_WRITE_BYTES = 1 << 20;

    private final PortSpec spec;
    private final Runnable wake;
    private final byte[] chunk = new byte[BUFFER_BYTES]; // queue thread only
    private final byte[] buffer = new byte[BUFFER_BYTES]; // guarded by this, as all below
    private int head;
    private int filled;
    private boolean backendWaits;
    private boolean guestOpen;

    ConsolePort(PortSpec spec, PortState saved, Runnable wake) {
        this.spec = spec;
        this.wake = wake;
        byte[] input = saved.input();
        filled = Math.min(input.length, BUFFER_BYTES);
        System.arraycopy(input, 0, buffer, 0, filled);
        guestOpen = saved.guestOpen();
    }

    PortSpec spec() {
        return spec;
    }

    void connect() {
        spec.backend().connect(this);
    }

    synchronized void setGuestOpen(boolean open) {
        guestOpen = open;
    }

    synchronized boolean guestOpen() {
        return guestOpen;
    }

    synchronized PortState save() {
        var input = new byte[filled];
        for (int i = 0; i < filled; i++) {
            input[i] = buffer[(head + i) % BUFFER_BYTES];
        }
        return new PortState(guestOpen, input);
    }

    // ---- the backend's side

    @Override
    public synchronized int space() {
        int free = BUFFER_BYTES - filled;
        backendWaits |= free == 0;
        return free;
    }

    @Override
    public void receive(byte[] bytes, int offset, int length) {
        synchronized (this) {
            int taken = Math.min(length, BUFFER_BYTES - filled);
            int tail = (head + filled) % BUFFER_BYTES;
            int first = Math.min(taken, BUFFER_BYTES - tail);
            System.arraycopy(bytes, offset, buffer, tail, first);
            System.arraycopy(bytes, offset + first, buffer, 0, taken - first);
            filled += taken;
        }
        wake.run();
    }

    /// A virtio console has no line that could break.
    @Override
    public void breakCondition() {}

    // ---- the queue thread's side

    /// Hands waiting input to the guest's buffers.
    void serveInput(VirtQueue queue, DescriptorChain chain) {
        do {
            while (waiting() && queue.pop(chain)) {
                int length = take((int) Math.min(chain.writableBytes(), BUFFER_BYTES));
                chain.write(0, chunk, length);
                queue.push(chain, length);
                queue.signal();
            }
            if (!waiting()) {
                queue.suppressNotification();
                break;
            }
        } while (queue.armNotification());
        queue.signal();
        boolean tellBackend;
        synchronized (this) {
            tellBackend = backendWaits && filled < BUFFER_BYTES;
            backendWaits &= !tellBackend;
        }
        if (tellBackend) {
            spec.backend().receiverReady();
        }
    }

    private synchronized boolean waiting() {
        return filled > 0;
    }

    private synchronized int take(int most) {
        int length = Math.min(most, filled);
        int first = Math.min(length, BUFFER_BYTES - head);
        System.arraycopy(buffer, head, chunk, 0, first);
        System.arraycopy(buffer, 0, chunk, first, length - first);
        head = (head + length) % BUFFER_BYTES;
        filled -= length;
        return length;
    }

    /// Passes the guest's output on.
    void serveOutput(VirtQueue queue, DescriptorChain chain) {
        do {
            queue.suppressNotification();
            while (queue.pop(chain)) {
                long total = chain.readableBytes();
                if (total > MAX_WRITE_BYTES) {
                    throw new RingViolation("a console write of %d bytes".formatted(total));
                }
                for (long at = 0; at < total; at += BUFFER_BYTES) {
                    int length = (int) Math.min(BUFFER_BYTES, total - at);
                    chain.read(at, chunk, length);
                    spec.backend().write(chunk, 0, length);
                }
                queue.push(chain, 0);
                queue.signal();
            }
        } while (queue.armNotification());
        queue.signal();
    }

    /// One byte through the emergency register, before the driver is up.
    void writeEmergency(int value) {
        spec.backend().write(new byte[] {(byte) value}, 0, 1);
    }

    /// The driver has gone: what it had not taken stays for the next one.
    synchronized void reset() {
        guestOpen = false;
    }
}
