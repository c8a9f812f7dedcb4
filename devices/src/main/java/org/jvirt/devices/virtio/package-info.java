/// Virtio 1.2 over PCI: the transport, the two ring formats, and the threads that serve queues. The devices
/// themselves are in the sub-packages `block`, `scsi`, `console` and `rng`.
///
/// ```
/// vCPU thread ── notify register ──► VirtioPci ── wake ──► QueueWorker (thread vm7-blk0-q0, asleep at a Doorbell)
///                └── or the engine rings the Doorbell ──────►┘
///                                                             │  VirtioDevice.serve(queue)
///                                    VirtQueue.pop ◄──────────┤  DescriptorChain ─► guest RAM, backend
///                                    VirtQueue.push ◄─────────┤
///                                    MSI-X or INTx ◄──────────┘  VirtQueue.signal
/// ```
///
/// - [VirtioPci] is the PCI function: capabilities, registers, device status, feature negotiation, interrupts.
/// - [VirtQueue] is one ring, [SplitQueue] or [PackedQueue]; [DescriptorChain] is one request in it.
/// - [VirtioDevice] is what a kind of device adds.
/// - [org.jvirt.devices.work.QueueRunner] is a thread that serves queues; an engine with doorbells wakes it without
///   any of this. Queues of one thread share a notification register.
/// - [org.jvirt.devices.work.QueueWorker] makes sure that vCPU threads never wait for I/O and that a queue is
///   served by one thread at a time.
///
/// Everything a driver writes is bounded. What breaks the rules ends in [RingViolation] (or a
/// [org.jvirt.core.GuestAddressException]), and the transport then sets DEVICE_NEEDS_RESET, counts, and logs at a
/// falling rate; the VM goes on. Start reading at [VirtioPci], then [SplitQueue].
///
/// Source: Virtual I/O Device (VIRTIO) Version 1.2, OASIS; sections are cited as "virtio §".
@NullMarked
package org.jvirt.devices.virtio;

import org.jspecify.annotations.NullMarked;
