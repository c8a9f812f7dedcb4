/// The qcow2 format, versions 2 and 3.
///
/// ```
/// Qcow2Driver ── create: Qcow2Creator, measure: Qcow2Measure
///     │ open: Qcow2Opener
/// Qcow2Image ─┬─ GuestReader, GuestWriter, ClusterZeroer    requests, several at once
///             ├─ Qcow2Snapshots, Qcow2Bitmaps, Qcow2Resize,
///             │  Qcow2Amend, Qcow2Check                     one at a time, nothing else under way
///             └─ Volume: the open image ── ClusterMap (L1, L2Cache), Refcounts, ClusterAllocator, Committer
///                                                │
///                                            ImageFile
/// ```
///
/// **What a crash leaves.** Metadata is changed in memory and reaches the file in a commit, which a flush or a full
/// cache brings about, in an order that [Committer] draws: what is pointed to is durable before what points to it,
/// and space is used again only after the last pointer to it is durably gone. So at every instant the file is a
/// valid image that holds everything flushed, and at worst some space is lost until a check reclaims it. Operations
/// on whole
/// tables (snapshots, amend) set the dirty bit first; the next writer to open the image mends the counters. Version
/// 2
/// has no such bit: an interrupted snapshot there asks for a check with repair, and no data is lost.
///
/// **Memory.** At most: the L1 table (32 MiB), the refcount table (8 MiB), 32 MiB of L2 slices (`l2-cache-size`),
/// 4 MiB or four blocks of refcounts, 16 bytes for each metadata cluster.
///
/// Names and layout: QEMU, *docs/interop/qcow2*.
@NullMarked
package org.jvirt.images.qcow2;

import org.jspecify.annotations.NullMarked;
