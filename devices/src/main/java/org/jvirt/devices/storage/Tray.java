package org.jvirt.devices.storage;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.BlockBackend;
import org.jvirt.core.UserErrorException;

/// A tray that holds a medium, or none, and that guest and owner can both open: a CD-ROM drive's.
///
/// ```
///              owner: eject          guest or owner: eject
///   closed, medium ──────► open, empty     closed, medium ──────► open, medium (guest)
///        ▲                    │
///        └──── owner: insert ─┘
/// ```
///
/// While the guest has locked the tray, only a forced [#eject] opens it; an owner's wish to eject is passed on to
/// the guest as a pressed button. Thread-safe: a medium is never closed while a command uses it, and no guest waits
/// for a command of another queue.
public final class Tray implements AutoCloseable {
    private final List<Listener> listeners = new CopyOnWriteArrayList<>();
    // Guarded by this, as all below.
    private Keeper keeper = new Keeper() {};
    private @Nullable BlockBackend medium;
    private int users;
    private boolean open;
    private boolean locked;

    /// The drive that shows the tray to the guest.
    public interface Listener {
        /// Another medium is in the tray, or none any more.
        void mediumChanged();

        /// Somebody pressed the button of a locked drive.
        void ejectRequested();
    }

    /// What the machine does with media that come and go; by itself nothing.
    public interface Keeper {
        /// A medium goes in.
        ///
        /// @return what commands shall use, and what is closed, in its place
        default BlockBackend keep(BlockBackend next) {
            return next;
        }

        /// A medium has been taken out. Commands may still use it; they must end soon.
        default void leaving(BlockBackend kept) {}

        /// The medium that was leaving is closed.
        default void left() {}
    }

    /// What a command does with the medium.
    ///
    /// @param <T> its answer
    /// @param <X> how it fails
    @FunctionalInterface
    public interface Use<T, X extends Exception> {
        T with(BlockBackend medium) throws IOException, X;
    }

    /// Takes the medium over.
    public Tray(Optional<BlockBackend> first) {
        medium = first.orElse(null);
    }

    public void listen(Listener listener) {
        listeners.add(listener);
    }

    /// Has media kept from now on, the one that is in the tray among them. Before the first command.
    public synchronized void keepWith(Keeper newKeeper) {
        keeper = newKeeper;
        BlockBackend now = medium;
        medium = now == null ? null : newKeeper.keep(now);
    }

    /// Runs a command on the medium, if there is one and the tray is closed.
    public <T, X extends Exception> Optional<T> use(Use<T, X> command) throws IOException, X {
        BlockBackend now;
        synchronized (this) {
            now = medium;
            if (open || now == null) {
                return Optional.empty();
            }
            users++;
        }
        try {
            return Optional.of(command.with(now));
        } finally {
            synchronized (this) {
                users--;
                notifyAll();
            }
        }
    }

    /// The medium's name, in an open tray too.
    public synchronized Optional<String> mediumName() {
        return Optional.ofNullable(medium).map(BlockBackend::name);
    }

    public synchronized boolean open() {
        return open;
    }

    public synchronized boolean locked() {
        return locked;
    }

    // ---- the guest's side

    public synchronized void lock(boolean lock) {
        locked = lock;
    }

    /// Answers false where the tray is locked.
    public synchronized boolean move(boolean toOpen) {
        if (toOpen && locked) {
            return false;
        }
        open = toOpen;
        return true;
    }

    /// After a reset of the drive nothing is locked.
    public synchronized void reset() {
        locked = false;
        open = false;
    }

    // ---- the owner's side

    /// Opens the tray and takes the medium out, which is closed as soon as no command uses it.
    ///
    /// @param force although the guest has locked the tray
    /// @throws UserErrorException if the tray is locked; the guest has been asked to unlock it
    public void eject(boolean force) {
        boolean refused;
        BlockBackend old = null;
        synchronized (this) {
            refused = locked && !open && !force;
            if (!refused) {
                old = medium;
                medium = null;
                open = true;
                locked = false;
            }
        }
        if (refused) {
            listeners.forEach(Listener::ejectRequested);
            throw new UserErrorException(
                    "The guest has locked the tray and was asked to open it: try again, or force it with -f");
        }
        try {
            letGo(old);
        } catch (IOException e) {
            throw new UserErrorException("Cannot close what was in the tray: " + e.getMessage(), e);
        }
        listeners.forEach(Listener::mediumChanged);
    }

    /// Puts a medium in and closes the tray; one that was in it is taken out and closed.
    ///
    /// @throws UserErrorException as [#eject]; the new medium then still belongs to the caller
    public void insert(BlockBackend next, boolean force) {
        eject(force);
        synchronized (this) {
            medium = keeper.keep(next);
            open = false;
        }
        listeners.forEach(Listener::mediumChanged);
    }

    /// Closes a medium that is no longer in the tray.
    private void letGo(@Nullable BlockBackend old) throws IOException {
        if (old == null) {
            return;
        }
        keeper().leaving(old);
        awaitUnused();
        try {
            old.close();
        } finally {
            keeper().left();
        }
    }

    private synchronized Keeper keeper() {
        return keeper;
    }

    private synchronized void awaitUnused() {
        boolean interrupted = false;
        while (users > 0) {
            try {
                wait();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /// Closes the medium.
    @Override
    public void close() throws IOException {
        BlockBackend old;
        synchronized (this) {
            old = medium;
            medium = null;
        }
        letGo(old);
    }
}
