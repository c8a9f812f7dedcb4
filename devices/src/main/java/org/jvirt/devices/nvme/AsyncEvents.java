package org.jvirt.devices.nvme;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;

/// Events and the requests that wait for them (NVMe §5.2). Thread-safe; requests are the admin queue's worker's.
final class AsyncEvents {
    static final int MAX_REQUESTS = 4;
    static final int ERROR = 0;
    static final int NOTICE = 2;
    static final int INVALID_DOORBELL = 0;
    static final int INVALID_DOORBELL_VALUE = 1;
    static final int NAMESPACE_CHANGED = 0;
    private static final int MAX_EVENTS = 16;
    private static final int TYPES = 8;

    private final Deque<Integer> requests = new ArrayDeque<>(); // guarded by this, as all below
    private final Deque<Event> events = new ArrayDeque<>();
    private final boolean[] masked = new boolean[TYPES];

    private record Event(int type, int information, int logPage) {}

    /// What completes a request.
    ///
    /// @param command the request
    record Completion(int command, int result) {}

    synchronized void reset() {
        requests.clear();
        events.clear();
        Arrays.fill(masked, false);
    }

    /// False where there are too many.
    synchronized boolean request(int command) {
        if (requests.size() >= MAX_REQUESTS) {
            return false;
        }
        requests.add(command);
        return true;
    }

    /// Something happened that the driver may want to know.
    synchronized void happened(int type, int information, int logPage) {
        var event = new Event(type, information, logPage);
        if (!masked[type] && events.size() < MAX_EVENTS && !events.contains(event)) {
            events.add(event);
        }
    }

    synchronized boolean due() {
        return !events.isEmpty() && !requests.isEmpty();
    }

    /// The next pair of event and request; only where one is [#due]. Further events of the type wait until the
    /// driver has read its log page.
    synchronized Completion take() {
        Event event = events.remove();
        masked[event.type] = true;
        events.removeIf(other -> other.type == event.type);
        return new Completion(requests.remove(), event.type | event.information << 8 | event.logPage << 16);
    }

    /// The driver has read the log page of these events.
    synchronized void read(int type) {
        masked[type] = false;
    }
}
