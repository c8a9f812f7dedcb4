package org.jvirt.core;

/// One interrupt wire. Thread-safe; repeating a level changes nothing.
@FunctionalInterface
public interface InterruptLine {
    void set(boolean high);

    /// Raises and lowers the line: one edge.
    default void pulse() {
        set(true);
        set(false);
    }
}
