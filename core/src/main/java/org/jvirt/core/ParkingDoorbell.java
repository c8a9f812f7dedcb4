package org.jvirt.core;

import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// A doorbell of Java alone, for engines that cannot ring.
final class ParkingDoorbell implements Doorbell {
    private volatile boolean rung;
    private volatile @Nullable Thread sleeper;

    @Override
    public void ring() {
        rung = true;
        Thread owner = sleeper;
        if (owner != null) {
            LockSupport.unpark(owner);
        }
    }

    @Override
    public void await() {
        // The order matters: a ring that comes after the check sees the sleeper.
        sleeper = Thread.currentThread();
        boolean interrupted = false;
        while (!rung) {
            LockSupport.park(this);
            // An interrupted thread does not park.
            interrupted |= Thread.interrupted();
        }
        sleeper = null;
        rung = false;
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public boolean listen(long gpa) {
        return false;
    }

    @Override
    public void deafen() {
        // never listened
    }

    @Override
    public void close() {
        // nothing held
    }
}
