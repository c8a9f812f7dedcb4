package org.jvirt.images.live;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.BlockBackend;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.Preallocation;

/// A machine's disk, whose image can be changed while the guest uses it. Thread-safe.
///
/// Requests pass side by side; [#alone] lets something happen between all requests before and all after. A request
/// that fails where the policy says stop is held in the queue's thread: the machine is told to stop, and
/// [#release] has the request tried again, so that the guest never hears of it. Nothing is acknowledged before it
/// has succeeded, but where the policy is to ignore errors.
///
/// Locks: the gate comes first; a held request is outside of it.
public final class LiveDisk implements BlockBackend {
    /// Whose machine is to stop.
    @FunctionalInterface
    public interface StopRequest {
        /// A request is held. Called on a queue's thread; must not wait for the machine.
        void stop(LiveDisk disk, IOException failure);
    }

    /// Something that happens between requests.
    @FunctionalInterface
    public interface Change<T extends @Nullable Object> {
        T make() throws IOException;
    }

    /// What a request does to the image.
    private interface Request {
        void run(BlockBackend image) throws IOException;
    }

    /// Of requests that move nothing and wait for the others anyway.
    private static final long NO_LIMIT = -1;

    private final LiveSettings settings;
    private final Throttle throttle;
    private final StopRequest stopRequest;
    private final ReentrantReadWriteLock gate = new ReentrantReadWriteLock();
    private final List<ChangeWatcher> watchers = new CopyOnWriteArrayList<>();
    private final List<Runnable> resizeListeners = new CopyOnWriteArrayList<>();
    private volatile BlockBackend image; // changed alone
    private volatile ErrorPolicy errors;

    private final Object holding = new Object();
    // All below is guarded by `holding`.
    private int active;
    private int held;
    private long releases;
    private boolean givingUp;
    private @Nullable IOException lastFailure;

    /// Takes the image over.
    ///
    /// @param settings    with an id
    /// @param throttle    of this disk, or of the group it belongs to
    public LiveDisk(BlockBackend image, LiveSettings settings, Throttle throttle, StopRequest stopRequest) {
        this.image = image;
        this.settings = settings;
        this.throttle = throttle;
        this.stopRequest = stopRequest;
        errors = settings.errors();
    }

    /// What it is called in the monitor.
    public String id() {
        return settings.id();
    }

    public LiveSettings settings() {
        return settings;
    }

    public Throttle throttle() {
        return throttle;
    }

    public ErrorPolicy errors() {
        return errors;
    }

    public void errors(ErrorPolicy policy) {
        errors = policy;
    }

    /// What is below now.
    public BlockBackend backend() {
        return image;
    }

    /// What is below now, if it is an image.
    public Optional<DiskImage> image() {
        return image instanceof DiskImage top ? Optional.of(top) : Optional.empty();
    }

    @Override
    public String name() {
        return image.name();
    }

    @Override
    public long sizeBytes() {
        return image.sizeBytes();
    }

    @Override
    public boolean readOnly() {
        return image.readOnly();
    }

    // ---- requests

    @Override
    public void read(long offsetBytes, List<MemorySegment> into) throws IOException {
        long length = total(into);
        check("read", offsetBytes, length);
        perform(false, length, now -> now.read(offsetBytes, into));
    }

    @Override
    public void write(long offsetBytes, List<MemorySegment> from) throws IOException {
        long length = total(from);
        check("write", offsetBytes, length);
        perform(true, length, now -> change(offsetBytes, length, now, image -> image.write(offsetBytes, from)));
    }

    @Override
    public void flush() throws IOException {
        perform(true, NO_LIMIT, BlockBackend::flush);
    }

    @Override
    public void discard(long offsetBytes, long lengthBytes) throws IOException {
        check("discard", offsetBytes, lengthBytes);
        perform(
                true,
                0,
                now -> change(offsetBytes, lengthBytes, now, image -> image.discard(offsetBytes, lengthBytes)));
    }

    @Override
    public void writeZeroes(long offsetBytes, long lengthBytes, boolean mayUnmap) throws IOException {
        check("zero", offsetBytes, lengthBytes);
        perform(
                true,
                0,
                now -> change(
                        offsetBytes, lengthBytes, now, image -> image.writeZeroes(offsetBytes, lengthBytes, mayUnmap)));
    }

    private void change(long offset, long length, BlockBackend now, Request request) throws IOException {
        if (watchers.isEmpty() || length == 0) {
            request.run(now);
            return;
        }
        // Watchers come and go only alone, and so never between these loops.
        for (ChangeWatcher watcher : watchers) {
            watcher.changing(offset, length);
        }
        try {
            request.run(now);
        } finally {
            for (ChangeWatcher watcher : watchers) {
                watcher.changed(offset, length);
            }
        }
    }

    /// @param limitedBytes what counts against the limits
    private void perform(boolean write, long limitedBytes, Request request) throws IOException {
        synchronized (holding) {
            active++;
        }
        try {
            if (limitedBytes != NO_LIMIT) {
                throttle.pass(write, limitedBytes);
            }
            while (true) {
                try {
                    gate.readLock().lock();
                    try {
                        request.run(image);
                        return;
                    } finally {
                        gate.readLock().unlock();
                    }
                } catch (IOException e) {
                    switch (errors.reaction(write, e)) {
                        case STOP -> hold(e);
                        case IGNORE -> {
                            return;
                        }
                        case REPORT, ENOSPC -> throw e;
                    }
                }
            }
        } finally {
            synchronized (holding) {
                active--;
            }
        }
    }

    private void hold(IOException failure) throws IOException {
        synchronized (holding) {
            if (givingUp) {
                throw failure;
            }
            held++;
            lastFailure = failure;
            long before = releases;
            stopRequest.stop(this, failure);
            boolean interrupted = false;
            while (releases == before && !givingUp) {
                try {
                    holding.wait();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            held--;
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
            if (givingUp) {
                throw failure;
            }
        }
    }

    private void check(String verb, long offset, long length) throws IOException {
        if (offset < 0 || length < 0 || length > sizeBytes() - offset) {
            throw new IOException("Cannot %s %d bytes at %d of %s: it has %d bytes"
                    .formatted(verb, length, offset, name(), sizeBytes()));
        }
    }

    private static long total(List<MemorySegment> segments) {
        long sum = 0;
        for (int i = 0; i < segments.size(); i++) {
            sum += segments.get(i).byteSize();
        }
        return sum;
    }

    // ---- for the machine

    /// Whether requests are held and no other is under way: the guest's memory stays as it is though the queue's
    /// threads are not idle.
    public boolean standing() {
        synchronized (holding) {
            return held > 0 && held == active;
        }
    }

    /// Whether no request is under way but those that are held, if any.
    public boolean quiet() {
        synchronized (holding) {
            return held == active;
        }
    }

    /// Why requests were held last, while they are.
    public Optional<IOException> failure() {
        synchronized (holding) {
            return held > 0 ? Optional.ofNullable(lastFailure) : Optional.empty();
        }
    }

    /// The machine is about to stop: limits no longer count, so that requests under way end soon.
    public void hurry() {
        throttle.hurry(true);
    }

    /// The machine goes on: limits count again, and held requests are tried again.
    public void release() {
        throttle.hurry(false);
        synchronized (holding) {
            releases++;
            holding.notifyAll();
        }
    }

    /// While on, requests that fail are not held, and those that are fail: the machine is reset, or ends.
    public void giveUp(boolean on) {
        if (on) {
            throttle.hurry(true);
        }
        synchronized (holding) {
            givingUp = on;
            holding.notifyAll();
        }
        if (!on) {
            throttle.hurry(false);
        }
    }

    /// Called after the disk got another size, on the thread that gave it.
    public void onResize(Runnable listener) {
        resizeListeners.add(listener);
    }

    // ---- for changes of what is below

    /// Does something while no request is under way: what returned before is in the image, and what comes after
    /// finds things changed. It must not use this disk's requests.
    public <T extends @Nullable Object> T alone(Change<T> change) throws IOException {
        gate.writeLock().lock();
        try {
            return change.make();
        } finally {
            gate.writeLock().unlock();
        }
    }

    /// Puts another image in the place of the one below, which is now the caller's. Alone only.
    public BlockBackend replace(BlockBackend other) {
        requireAlone();
        BlockBackend before = image;
        image = other;
        return before;
    }

    /// Alone only.
    public void watch(ChangeWatcher watcher) {
        requireAlone();
        watchers.add(watcher);
    }

    /// Alone only.
    public void unwatch(ChangeWatcher watcher) {
        requireAlone();
        watchers.remove(watcher);
    }

    private void requireAlone() {
        if (!gate.isWriteLockedByCurrentThread()) {
            throw new IllegalStateException("Requests may be under way");
        }
    }

    /// Gives the disk another size while the guest uses it, which is told.
    ///
    /// @throws UserErrorException if the image cannot have it
    public void resize(long newSizeBytes) {
        DiskImage top = image().orElseThrow(() ->
                new UserErrorException("Cannot resize disk %s: its changes are kept in memory only".formatted(id())));
        if (newSizeBytes <= 0 || newSizeBytes % 512 != 0) {
            throw new UserErrorException(
                    "Cannot resize disk %s to %d bytes: give a multiple of 512".formatted(id(), newSizeBytes));
        }
        try {
            alone(() -> {
                top.resize(newSizeBytes, Preallocation.OFF);
                return null;
            });
        } catch (IOException e) {
            throw new UserErrorException(
                    "Cannot resize disk %s to %d bytes: %s".formatted(id(), newSizeBytes, e.getMessage()), e);
        }
        resizeListeners.forEach(Runnable::run);
    }

    @Override
    public void close() throws IOException {
        giveUp(true);
        alone(() -> {
            image.close();
            return null;
        });
    }
}
