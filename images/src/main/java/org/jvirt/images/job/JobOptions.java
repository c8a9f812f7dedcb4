package org.jvirt.images.job;

import org.jvirt.images.live.ErrorAction;

/// How a job works.
///
/// @param bytesPerSecond 0 for no limit
/// @param onSourceError  [ErrorAction#REPORT] ends the job, [ErrorAction#STOP] pauses it, [ErrorAction#IGNORE]
///                       tries again after a while, [ErrorAction#ENOSPC] is to stop for want of space only
/// @param onTargetError  the same for what is written
public record JobOptions(long bytesPerSecond, ErrorAction onSourceError, ErrorAction onTargetError) {
    public static final JobOptions DEFAULT = new JobOptions(0, ErrorAction.REPORT, ErrorAction.REPORT);

    public JobOptions withSpeed(long newBytesPerSecond) {
        return new JobOptions(newBytesPerSecond, onSourceError, onTargetError);
    }

    public JobOptions withErrors(ErrorAction source, ErrorAction target) {
        return new JobOptions(bytesPerSecond, source, target);
    }
}
