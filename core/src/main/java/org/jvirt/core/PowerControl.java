package org.jvirt.core;

/// What a device may ask of the whole machine. Any thread; returns at once, the machine acts soon after.
public interface PowerControl {
    void powerOff();

    /// Resets processors and devices, RAM keeps its content.
    void reset();

    /// Ends the program with `exitCode`, as `isa-debug-exit` does.
    void exit(int exitCode);
}
