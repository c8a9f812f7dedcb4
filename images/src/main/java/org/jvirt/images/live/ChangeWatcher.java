package org.jvirt.images.live;

/// Told of every change that the guest makes to a disk, on the thread of the request. What it does takes the
/// request's time; it must not fail, nor use the [LiveDisk] that calls it.
public interface ChangeWatcher {
    /// A range is about to change.
    void changing(long offsetBytes, long lengthBytes);

    /// It has changed, or may have in part. Follows every [#changing].
    void changed(long offsetBytes, long lengthBytes);
}
