/// The threads that do a device's I/O, so that a vCPU never waits for it.
///
/// [QueueRunner] is a thread that sleeps at a [org.jvirt.core.Doorbell], or, in tests, the caller's own;
/// [QueueWorker] runs one piece of work on it, never twice at once, and misses no wake-up; [WorkerGroup] is all the
/// workers of one device, which are halted and waited for together. [WorkingFunction] is a PCI function that has
/// such threads.
@NullMarked
package org.jvirt.devices.work;

import org.jspecify.annotations.NullMarked;
