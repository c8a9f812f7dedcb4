package org.jvirt.devices.interrupt;

import java.util.ArrayList;
import java.util.List;
import org.jvirt.core.VcpuSignals;

/// The pins of a processor, remembered in order.
final class RecordingSignals implements VcpuSignals {
    private final List<String> events = new ArrayList<>();

    @Override
    public synchronized void interruptPending() {
        events.add("pending");
    }

    @Override
    public synchronized void nmi() {
        events.add("nmi");
    }

    @Override
    public synchronized void init() {
        events.add("init");
    }

    @Override
    public synchronized void startup(int vector) {
        events.add("startup 0x%x".formatted(vector));
    }

    /// The events since the last call.
    synchronized List<String> take() {
        List<String> taken = List.copyOf(events);
        events.clear();
        return taken;
    }
}
