package org.jvirt.devices.work;

/// A device with threads of its own, as the machine drives it. All methods are for the machine's own thread: they
/// wait for requests under way.
public interface WorkingFunction extends AutoCloseable {
    /// Stops serving requests; guest memory then stays as it is.
    void pause();

    /// Goes on after [#pause].
    void resume();

    /// Ends for good.
    @Override
    void close();
}
