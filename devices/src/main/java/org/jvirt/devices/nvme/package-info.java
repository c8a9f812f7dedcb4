/// An NVMe controller with one namespace.
///
/// ```
/// vCPU thread ── doorbell ──► NvmeController ── wake ──► worker of the queue (vm7-nvme0-q1)
///                                                         │ SubmissionQueue ─► NvmeCommand, read once
///                             AdminCommands ◄── queue 0 ──┤
///                             Namespace ─► BlockBackend ◄─┤ others
///                                                         └► CompletionQueue ─► MSI-X, or INTx
/// ```
///
/// Each submission queue has a worker of its own, so queues work in parallel and the commands of one in order.
/// Doorbells carry the queue's tail in the value written, which an engine's doorbell would lose: they arrive at the
/// controller on every engine. Start reading at [NvmeController].
///
/// Source: NVM Express Base Specification 1.4 ("NVMe §").
@NullMarked
package org.jvirt.devices.nvme;

import org.jspecify.annotations.NullMarked;
