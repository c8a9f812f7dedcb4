/// Block jobs: copies of a running machine's disks, made while the guest uses them.
///
/// ```
///   BlockJobs ── starts, lists, one job for each disk
///      │
///   BlockJob ─── a thread: progress, speed, pause, errors, cancel
///      ├─ BackupJob   the disk as it was at one instant: clusters are copied before they change
///      ├─ MirrorJob   the disk as it goes on being: what changes is copied again
///      │    └─ ActiveCommitJob   into a layer below, which then takes the disk's place
///      ├─ CommitJob   of layers that do not change, into one below them
///      └─ StreamJob   from the layers below into the disk
///   LiveSnapshot ── a new layer on top
/// ```
///
/// Jobs watch a [org.jvirt.images.live.LiveDisk], and read and write the images below it themselves.
@NullMarked
package org.jvirt.images.job;

import org.jspecify.annotations.NullMarked;
