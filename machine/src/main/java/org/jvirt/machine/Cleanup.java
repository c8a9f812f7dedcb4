package org.jvirt.machine;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayDeque;
import java.util.Deque;

/// What is to be freed, the latest first; one failure does not keep the rest from it. Not thread-safe.
final class Cleanup {
    private static final Logger LOG = System.getLogger(Cleanup.class.getName());

    private final Deque<AutoCloseable> actions = new ArrayDeque<>();

    void add(AutoCloseable action) {
        actions.push(action);
    }

    /// Does it, once.
    void run() {
        while (!actions.isEmpty()) {
            try {
                actions.pop().close();
            } catch (Exception e) {
                LOG.log(Level.WARNING, "Not everything could be freed", e);
            }
        }
    }
}
