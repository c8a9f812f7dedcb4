package org.jvirt.images.job;

/// What a block job is doing.
///
/// ```
///   RUNNING ◄──► PAUSED          pause, resume; an error whose policy is to stop
///      │
///      ▼ all is copied once
///    READY ◄──► PAUSED           of jobs that go on copying what changes, until they are completed
///      │
///      ▼
///   CONCLUDED                    done, cancelled or failed
/// ```
public enum JobState {
    RUNNING,
    PAUSED,
    READY,
    CONCLUDED
}
