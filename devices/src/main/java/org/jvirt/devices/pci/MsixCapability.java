package org.jvirt.devices.pci;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.IoDevice;
import org.jvirt.core.MsiRoute;

/// MSI-X: a table of messages and an array of pending bits, in a BAR of their own (PCI 3.0 §6.8.2).
///
/// ```
/// BAR +0      16 bytes a vector: address low, address high, data, vector control (bit 0: masked)
/// BAR +0x800  pending bits, 64 to a quadword
/// ```
///
/// Thread-safe: vCPU threads program the table while queue threads raise vectors. Messages are sent under the lock,
/// so that a vector which has just been masked does not fire any more. Each is prepared when it is first sent, and
/// again after the guest changed it.
public final class MsixCapability implements IoDevice {
    public static final int MAX_VECTORS = 128;
    private static final int ID = 0x11;
    private static final int LENGTH = 12;
    private static final int CONTROL = 2;
    private static final int CONTROL_ENABLE = 0x8000;
    private static final int CONTROL_FUNCTION_MASK = 0x4000;
    private static final int PENDING_OFFSET = 0x800;
    private static final int BAR_BYTES = 0x1000;
    private static final int WORDS = 4;
    private static final int VECTOR_CONTROL = 3;

    private final PciFunction function;
    private final int vectors;
    private final int at;
    private final int[] table; // guarded by this, as all below
    private final long[] pending;
    private final @Nullable MsiRoute[] routes;
    private boolean enabled;
    private boolean functionMasked;

    /// Adds the capability, and BAR `bar` for it, to a function that is being built.
    public MsixCapability(PciFunction function, int bar, int vectors) {
        if (vectors < 1 || vectors > MAX_VECTORS) {
            throw new IllegalArgumentException("MSI-X with %d vectors".formatted(vectors));
        }
        this.function = function;
        this.vectors = vectors;
        table = new int[vectors * WORDS];
        pending = new long[(vectors + 63) / 64];
        routes = new MsiRoute[vectors];
        ConfigSpace config = function.config();
        at = function.addCapability(ID, LENGTH);
        config.set(at + CONTROL, 2, vectors - 1);
        config.allow(at + CONTROL, 2, CONTROL_ENABLE | CONTROL_FUNCTION_MASK);
        config.set(at + 4, 4, bar);
        config.set(at + 8, 4, PENDING_OFFSET | bar);
        function.addBar(bar, BarKind.MEMORY_32, BAR_BYTES, this);
        function.useMsix(this);
        reset();
    }

    public int vectors() {
        return vectors;
    }

    public synchronized boolean enabled() {
        return enabled;
    }

    /// Sends the vector's message, or leaves it pending while it is masked. Does nothing while MSI-X is off or for
    /// a vector that does not exist.
    public synchronized void raise(int vector) {
        if (!enabled || vector < 0 || vector >= vectors) {
            return;
        }
        if (functionMasked || masked(vector)) {
            pending[vector >> 6] |= 1L << vector;
        } else {
            send(vector);
        }
    }

    private boolean masked(int vector) {
        return (table[vector * WORDS + VECTOR_CONTROL] & 1) != 0;
    }

    private void send(int vector) {
        if (!function.maySend()) {
            return;
        }
        MsiRoute route = routes[vector];
        if (route == null) {
            int entry = vector * WORDS;
            route = function.route(table[entry] & 0xffff_fffcL | (long) table[entry + 1] << 32, table[entry + 2]);
            routes[vector] = route;
        }
        route.send();
    }

    private void forgetRoute(int vector) {
        MsiRoute route = routes[vector];
        if (route != null) {
            routes[vector] = null;
            route.close();
        }
    }

    private void forgetRoutes() {
        for (int vector = 0; vector < vectors; vector++) {
            forgetRoute(vector);
        }
    }

    private void sendDueLocked() {
        if (!enabled || functionMasked) {
            return;
        }
        for (int word = 0; word < pending.length; word++) {
            for (long left = pending[word]; left != 0; left &= left - 1) {
                int vector = word * 64 + Long.numberOfTrailingZeros(left);
                if (!masked(vector)) {
                    pending[word] &= ~(1L << vector);
                    send(vector);
                }
            }
        }
    }

    synchronized void controlWritten(ConfigSpace config) {
        int control = (int) config.read(at + CONTROL, 2);
        enabled = (control & CONTROL_ENABLE) != 0;
        functionMasked = (control & CONTROL_FUNCTION_MASK) != 0;
        sendDueLocked();
    }

    synchronized void reset() {
        forgetRoutes();
        Arrays.fill(table, 0);
        Arrays.fill(pending, 0);
        for (int vector = 0; vector < vectors; vector++) {
            table[vector * WORDS + VECTOR_CONTROL] = 1;
        }
        enabled = false;
        functionMasked = false;
    }

    /// Sends nothing any more.
    synchronized void close() {
        enabled = false;
        forgetRoutes();
    }

    synchronized int[] table() {
        return table.clone();
    }

    synchronized long[] pending() {
        return pending.clone();
    }

    synchronized void load(int[] savedTable, long[] savedPending) {
        if (savedTable.length != table.length || savedPending.length != pending.length) {
            throw new IllegalArgumentException(
                    "Saved MSI-X table has %d entries, not %d".formatted(savedTable.length / WORDS, vectors));
        }
        forgetRoutes();
        System.arraycopy(savedTable, 0, table, 0, table.length);
        System.arraycopy(savedPending, 0, pending, 0, pending.length);
    }

    @Override
    public synchronized long read(long offset, int size) {
        long value = 0;
        for (int i = 0; i < size; ) {
            int byteAt = (int) offset + i;
            int shift = 8 * (byteAt & 3);
            int taken = Math.min(size - i, 4 - (byteAt & 3));
            long part = (word(byteAt >> 2) & 0xffff_ffffL) >>> shift;
            part &= taken == 4 ? 0xffff_ffffL : (1L << 8 * taken) - 1;
            value |= part << 8 * i;
            i += taken;
        }
        return value;
    }

    private int word(int index) {
        if (index < table.length) {
            return table[index];
        }
        int bits = index - PENDING_OFFSET / 4;
        if (bits >= 0 && bits < pending.length * 2) {
            return (int) (pending[bits >> 1] >>> 32 * (bits & 1));
        }
        return 0;
    }

    private void setWord(int index, int value) {
        if (table[index] != value && (index & 3) != VECTOR_CONTROL) {
            forgetRoute(index / WORDS);
        }
        table[index] = value;
    }

    @Override
    public synchronized void write(long offset, int size, long value) {
        for (int i = 0; i < size; ) {
            int byteAt = (int) offset + i;
            int shift = 8 * (byteAt & 3);
            int taken = Math.min(size - i, 4 - (byteAt & 3));
            int index = byteAt >> 2;
            if (index < table.length) {
                int mask = taken == 4 ? -1 : (1 << 8 * taken) - 1 << shift;
                int given = (int) (value >>> 8 * i) << shift;
                int merged = table[index] & ~mask | given & mask;
                setWord(index, (index & 3) == VECTOR_CONTROL ? merged & 1 : merged);
            }
            i += taken;
        }
        sendDueLocked();
    }
}
