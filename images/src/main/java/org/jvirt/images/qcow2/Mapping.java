package org.jvirt.images.qcow2;

import org.jvirt.images.format.Extent;

/// How a run of guest bytes is stored: the answer of [GuestMap#find], reused by its caller. Not thread-safe.
final class Mapping {
    /// How bytes are stored.
    enum Kind {
        DATA,
        ZERO,
        /// As [#ZERO], with a host cluster.
        ZERO_ALLOCATED,
        ABSENT,
        COMPRESSED;

        Extent.State state() {
            return switch (this) {
                case DATA, COMPRESSED -> Extent.State.DATA;
                case ZERO -> Extent.State.ZERO;
                case ZERO_ALLOCATED -> Extent.State.ZERO_ALLOCATED;
                case ABSENT -> Extent.State.ABSENT;
            };
        }
    }

    Kind kind = Kind.ABSENT;
    long length;
    /// Of [Kind#DATA]: where the first byte is.
    long host;
    /// Of [Kind#DATA]: nothing else uses the bytes, so that they may be overwritten.
    boolean inPlace;
    /// Of [Kind#COMPRESSED]: the cluster's entry.
    long entry;
}
