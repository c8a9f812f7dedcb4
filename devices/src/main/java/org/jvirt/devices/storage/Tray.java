package org.jvirt.devices.storage;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
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
/// the guest as a pressed button. Thread-safe: a medium is never closed while a command uses it.
public final class Tray implements AutoCloseable {
    private final ReadWriteLock use = new ReentrantReadWriteLock();
    private final List<Listener> listeners = new CopyOnWriteArrayList<>();
    private @Nullable BlockBackend medium; // guarded by use, as all below
    private boolean open;
    private boolean locked;

    /// The drive that shows the tray to the guest.
    public interface Listener {
        /// Another medium is in the tray, or none any more.
        void mediumChanged();

        /// Somebody pressed the button of a locked drive.
        void ejectRequested();
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

    /// Runs a command on the medium, if there is one and the tray is closed.
    public <T, X extends Exception> Optional<T> use(Use<T, X> command) throws IOException, X {
        use.readLock().lock();
        try {
            BlockBackend now = medium;
            return open || now == null ? Optional.empty() : Optional.of(command.with(now));
        } finally {
            use.readLock().unlock();
        }
    }

    /// The medium's name, in an open tray too.
    public Optional<String> mediumName() {
        use.readLock().lock();
        try {
            return Optional.ofNullable(medium).map(BlockBackend::name);
        } finally {
            use.readLock().unlock();
        }
    }

    public boolean open() {
        use.readLock().lock();
        try {
            return open;
        } finally {
            use.readLock().unlock();
        }
    }

    public boolean locked() {
        use.readLock().lock();
        try {
            return locked;
        } finally {
            use.readLock().unlock();
        }
    }

    // ---- the guest's side

    public void lock(boolean lock) {
        use.writeLock().lock();
        try {
            locked = lock;
        } finally {
            use.writeLock().unlock();
        }
    }

    /// Answers false where the tray is locked.
    public boolean move(boolean toOpen) {
        use.writeLock().lock();
        try {
            if (toOpen && locked) {
                return false;
            }
            open = toOpen;
            return true;
        } finally {
            use.writeLock().unlock();
        }
    }

    /// After a reset of the drive nothing is locked.
    public void reset() {
        use.writeLock().lock();
        try {
            locked = false;
            open = false;
        } finally {
            use.writeLock().unlock();
        }
    }

    // ---- the owner's side

    /// Opens the tray and takes the medium out, which is closed.
    ///
    /// @param force although the guest has locked the tray
    /// @throws UserErrorException if the tray is locked; the guest has been asked to unlock it
    public void eject(boolean force) {
        BlockBackend old;
        use.writeLock().lock();
        try {
            if (locked && !open && !force) {
                old = null;
            } else {
                old = medium;
                medium = null;
                open = true;
                locked = false;
            }
        } finally {
            use.writeLock().unlock();
        }
        if (locked()) {
            listeners.forEach(Listener::ejectRequested);
            throw new UserErrorException(
                    "The guest has locked the tray and was asked to open it: try again, or force it with -f");
        }
        closeMedium(old);
        listeners.forEach(Listener::mediumChanged);
    }

    /// Puts a medium in and closes the tray; one that was in it is taken out and closed.
    ///
    /// @throws UserErrorException as [#eject]; the new medium then still belongs to the caller
    public void insert(BlockBackend next, boolean force) {
        eject(force);
        use.writeLock().lock();
        try {
            medium = next;
            open = false;
        } finally {
            use.writeLock().unlock();
        }
        listeners.forEach(Listener::mediumChanged);
    }

    private static void closeMedium(@Nullable BlockBackend old) {
        if (old == null) {
            return;
        }
        try {
            old.close();
        } catch (IOException e) {
            throw new UserErrorException("Cannot close %s: %s".formatted(old.name(), e.getMessage()), e);
        }
    }

    /// Closes the medium.
    @Override
    public void close() throws IOException {
        BlockBackend old;
        use.writeLock().lock();
        try {
            old = medium;
            medium = null;
        } finally {
            use.writeLock().unlock();
        }
        if (old != null) {
            old.close();
        }
    }
}
