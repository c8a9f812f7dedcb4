package org.jvirt.devices.virtio.scsi;

/// Knows which queues have a command under way, so that task management can wait for those of now, whatever comes
/// after them. Thread-safe.
final class UnitGate {
    private final long[] steps; // guarded by this; odd while a command is under way

    UnitGate(int queues) {
        steps = new long[queues];
    }

    /// A command of a queue begins, or ends.
    synchronized void step(int queue) {
        steps[queue]++;
        if ((steps[queue] & 1) == 0) {
            notifyAll();
        }
    }

    /// Waits until the commands that are under way now have ended.
    synchronized void awaitThoseOfNow() {
        long[] now = steps.clone();
        boolean interrupted = false;
        for (int queue = 0; queue < now.length; queue++) {
            while ((now[queue] & 1) != 0 && steps[queue] == now[queue]) {
                try {
                    wait();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
