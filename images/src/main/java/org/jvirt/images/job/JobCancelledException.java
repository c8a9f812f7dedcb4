package org.jvirt.images.job;

import java.io.Serial;

/// Leads a job's thread out of its work when it is to end early.
final class JobCancelledException extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    JobCancelledException() {
        super("The job was cancelled");
    }
}
