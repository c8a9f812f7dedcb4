package org.jvirt.machine;

import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.BlockBackend;
import org.jvirt.devices.storage.Tray;
import org.jvirt.images.live.DiskLimits;
import org.jvirt.images.live.LiveDisk;
import org.jvirt.images.live.LiveSettings;
import org.jvirt.images.live.Throttle;

/// A CD-ROM drive in a machine: whatever disc is in its tray keeps to the drive's limits and error policy.
/// Thread-safe.
///
/// Each disc is behind a [LiveDisk] of its own. One that is taken out while a request of it is held, because the
/// host failed to read it, is given up: the guest gets the error, and the disc goes.
public final class DiscDrive implements Tray.Keeper {
    private final Tray tray;
    private final LiveSettings settings;
    private final Throttle throttle;
    private final LiveDisk.StopRequest stopRequest;

    // Guarded by this.
    private @Nullable LiveDisk disc;
    private @Nullable LiveDisk leaving;
    private boolean givingUp;

    /// Takes care of the tray's media from now on.
    ///
    /// @param settings with an id
    DiscDrive(Tray tray, LiveSettings settings, Throttle throttle, LiveDisk.StopRequest stopRequest) {
        this.tray = tray;
        this.settings = settings;
        this.throttle = throttle;
        this.stopRequest = stopRequest;
        tray.keepWith(this);
    }

    /// What the monitor calls it.
    public String id() {
        return settings.id();
    }

    public Tray tray() {
        return tray;
    }

    /// How discs that are put in are opened, and behave.
    public LiveSettings settings() {
        return settings;
    }

    /// The disc in it.
    public synchronized Optional<LiveDisk> disc() {
        return Optional.ofNullable(disc);
    }

    /// Limits this disc and those to come.
    public void limit(DiskLimits limits) {
        throttle.limit(limits);
    }

    @Override
    public synchronized BlockBackend keep(BlockBackend next) {
        var live = new LiveDisk(next, settings, throttle, stopRequest);
        if (givingUp) {
            live.giveUp(true);
        }
        disc = live;
        return live;
    }

    @Override
    public void leaving(BlockBackend kept) {
        LiveDisk old;
        synchronized (this) {
            old = disc;
            leaving = old;
            disc = null;
        }
        if (old != null) {
            old.giveUp(true);
        }
    }

    @Override
    public synchronized void left() {
        LiveDisk old = leaving;
        if (old != null && !givingUp) {
            // The limits outlive the disc.
            old.giveUp(false);
        }
        leaving = null;
    }

    void giveUp(boolean on) {
        Optional<LiveDisk> now;
        synchronized (this) {
            givingUp = on;
            now = disc();
        }
        now.ifPresent(live -> live.giveUp(on));
    }
}
