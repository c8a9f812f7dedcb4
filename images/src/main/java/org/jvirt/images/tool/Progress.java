package org.jvirt.images.tool;

/// Hears how far a long task has come. Called by one thread at a time.
@FunctionalInterface
public interface Progress {
    /// Tells nobody.
    Progress NONE = (done, total) -> {};

    void at(long doneBytes, long totalBytes);
}
