package org.jvirt.images.job;

import java.util.Optional;

/// A block job at one instant.
///
/// @param type           as QEMU names it: `backup`, `mirror`, `commit`, `stream`
/// @param doneBytes      copied so far
/// @param totalBytes     known to be copied until now; grows where the guest changes what was copied
/// @param bytesPerSecond the limit, 0 for none
/// @param error          why it failed, or why it is paused
/// @param cancelled      whether it was ended before it was done
public record JobStatus(
        String id,
        String type,
        JobState state,
        long doneBytes,
        long totalBytes,
        long bytesPerSecond,
        Optional<String> error,
        boolean cancelled) {
    public boolean succeeded() {
        return state == JobState.CONCLUDED && error.isEmpty() && !cancelled;
    }
}
