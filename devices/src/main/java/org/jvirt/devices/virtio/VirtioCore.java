package org.jvirt.devices.virtio;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.stream.IntStream;
import org.jvirt.core.GuestAddressException;
import org.jvirt.core.GuestMemory;
import org.jvirt.devices.pci.GuestErrors;
import org.jvirt.devices.work.QueueRunner;
import org.jvirt.devices.work.QueueWorker;
import org.jvirt.devices.work.WorkerGroup;

/// Device status, feature negotiation and queues of one virtio device, whatever carries its registers (virtio §2,
/// §3).
///
/// ```
/// 0 ─► ACKNOWLEDGE ─► DRIVER ─► FEATURES_OK ─► DRIVER_OK ──┐
/// ▲                                              violation │
/// │   write 0: queues halt, workers finish       DEVICE_NEEDS_RESET
/// └───────── status reads 0 when all are idle ◄────────────┘
/// ```
///
/// A reset does not wait: the status keeps its old value until the workers are idle, and drivers poll for 0.
/// Thread-safe. The lock guards registers and set-up; it is never held while a worker is woken or a backend is
/// called.
final class VirtioCore implements VirtioTransport {
    private static final System.Logger LOG = System.getLogger(VirtioCore.class.getName());
    private static final int STATUS_SET_BY_DRIVER =
            DeviceStatus.ACKNOWLEDGE | DeviceStatus.DRIVER | DeviceStatus.FAILED;

    private final VirtioDevice<?> device;
    private final GuestMemory memory;
    private final VirtioInterrupts interrupts;
    private final GuestErrors errors;
    private final QueueSetup[] setups;
    private final AtomicReferenceArray<VirtQueue> queues;
    private final WorkerGroup workers;
    private final Object lock = new Object();

    // Guarded by lock.
    private long driverFeatures;
    private int configGeneration;
    private boolean resetting;
    private boolean paused;
    private int deviceFeatureSelect;
    private int driverFeatureSelect;
    private int queueSelect;

    // Written under the lock, read by queue threads.
    private volatile int status;
    private volatile int configVector = VirtioInterrupts.NO_VECTOR;

    VirtioCore(
            String name,
            VirtioDevice<?> device,
            GuestMemory memory,
            VirtioInterrupts interrupts,
            GuestErrors errors,
            QueueRunner.Factory runners) {
        this.device = device;
        this.memory = memory;
        this.interrupts = interrupts;
        this.errors = errors;
        setups = new QueueSetup[device.queues()];
        for (int i = 0; i < setups.length; i++) {
            setups[i] = new QueueSetup(device.queueSize());
        }
        queues = new AtomicReferenceArray<>(setups.length);
        workers = new WorkerGroup(IntStream.range(0, device.workers())
                .mapToObj(i -> new QueueWorker(name + "-q" + i, runners, () -> work(i)))
                .toList());
        device.connect(this);
    }

    // ---- for queue threads

    private void work(int worker) {
        try {
            for (int i = 0; i < setups.length; i++) {
                VirtQueue queue = queues.get(i);
                if (device.workerOf(i) == worker && queue != null && started() && !queue.halted()) {
                    device.serve(i, queue);
                }
            }
        } catch (RingViolation | GuestAddressException broken) {
            needsReset(String.valueOf(broken.getMessage()));
        } catch (RuntimeException | Error bug) {
            LOG.log(System.Logger.Level.ERROR, "A virtio device failed; the guest must reset it", bug);
            needsReset("internal failure");
        }
    }

    private boolean started() {
        return (status & (DeviceStatus.DRIVER_OK | DeviceStatus.DEVICE_NEEDS_RESET)) == DeviceStatus.DRIVER_OK;
    }

    private void needsReset(String why) {
        errors.report(() -> "needs a reset after " + why);
        boolean tell;
        synchronized (lock) {
            tell = !resetting && started();
            status |= DeviceStatus.DEVICE_NEEDS_RESET;
            haltLocked(true);
        }
        if (tell) {
            interrupts.config(configVector);
        }
    }

    private void haltLocked(boolean halt) {
        for (int i = 0; i < setups.length; i++) {
            VirtQueue queue = queues.get(i);
            if (queue != null) {
                queue.halt(halt);
            }
        }
    }

    // ---- VirtioTransport

    @Override
    public GuestMemory memory() {
        return memory;
    }

    @Override
    public void wake(int worker) {
        if (started()) {
            workers.worker(worker).wake();
        }
    }

    @Override
    public void configChanged() {
        boolean tell;
        synchronized (lock) {
            configGeneration = configGeneration + 1 & 0xff;
            tell = started();
        }
        if (tell) {
            interrupts.config(configVector);
        }
    }

    @Override
    public GuestErrors errors() {
        return errors;
    }

    // ---- registers, called by vCPU threads

    /// The driver rang: see [QueueField#NOTIFY_OFFSET].
    void notify(int worker) {
        if (worker < workers.size()) {
            wake(worker);
        }
    }

    /// Where the notification registers are in guest memory now, `stride` bytes from one worker's to the next: the
    /// engine may then wake the workers by itself.
    void notificationsAt(long gpa, int stride) {
        for (int i = 0; i < workers.size(); i++) {
            workers.worker(i).listen(gpa + (long) i * stride);
        }
    }

    /// They are nowhere.
    void notificationsHidden() {
        for (int i = 0; i < workers.size(); i++) {
            workers.worker(i).deafen();
        }
    }

    long offeredFeatures() {
        return device.features() | VirtioFeature.TRANSPORT;
    }

    int status() {
        return status;
    }

    void writeStatus(int value) {
        if (value == 0) {
            beginReset();
            return;
        }
        boolean wake = false;
        synchronized (lock) {
            if (resetting) {
                return;
            }
            // A driver cannot take bits back but by a reset.
            int next = status | value & STATUS_SET_BY_DRIVER;
            if ((value & DeviceStatus.FEATURES_OK) != 0 && acceptable(driverFeatures)) {
                next |= DeviceStatus.FEATURES_OK;
            }
            boolean ready = (value & DeviceStatus.DRIVER_OK) != 0 && (next & DeviceStatus.FEATURES_OK) != 0;
            if (ready && (status & DeviceStatus.DRIVER_OK) == 0) {
                device.start(driverFeatures);
                next |= DeviceStatus.DRIVER_OK;
                wake = true;
            }
            status = next;
        }
        if (wake) {
            wakeAll();
        }
    }

    private void wakeAll() {
        for (int worker = 0; worker < workers.size(); worker++) {
            wake(worker);
        }
    }

    private boolean acceptable(long features) {
        return (features & ~offeredFeatures()) == 0 && (features & VirtioFeature.VIRTIO_F_VERSION_1) != 0;
    }

    long readDeviceFeatures() {
        synchronized (lock) {
            return deviceFeatureSelect > 1 ? 0 : offeredFeatures() >>> 32 * deviceFeatureSelect & 0xffff_ffffL;
        }
    }

    long readDriverFeatures() {
        synchronized (lock) {
            return driverFeatureSelect > 1 ? 0 : driverFeatures >>> 32 * driverFeatureSelect & 0xffff_ffffL;
        }
    }

    void writeDriverFeatures(long value) {
        synchronized (lock) {
            if (resetting || (status & DeviceStatus.FEATURES_OK) != 0 || driverFeatureSelect > 1) {
                return;
            }
            int shift = 32 * driverFeatureSelect;
            driverFeatures = driverFeatures & ~(0xffff_ffffL << shift) | (value & 0xffff_ffffL) << shift;
        }
    }

    /// Selectors are unsigned: what does not fit counts as "none".
    void select(Selector which, long value) {
        int bounded = (int) Math.min(value & 0xffff_ffffL, 0xffff);
        synchronized (lock) {
            switch (which) {
                case DEVICE_FEATURES -> deviceFeatureSelect = bounded;
                case DRIVER_FEATURES -> driverFeatureSelect = bounded;
                case QUEUE -> queueSelect = bounded;
            }
        }
    }

    int selected(Selector which) {
        synchronized (lock) {
            return switch (which) {
                case DEVICE_FEATURES -> deviceFeatureSelect;
                case DRIVER_FEATURES -> driverFeatureSelect;
                case QUEUE -> queueSelect;
            };
        }
    }

    /// The three registers that select what others show.
    enum Selector {
        DEVICE_FEATURES,
        DRIVER_FEATURES,
        QUEUE
    }

    int queueCount() {
        return setups.length;
    }

    int configVector() {
        return configVector;
    }

    void writeConfigVector(int vector) {
        configVector = interrupts.accept(vector);
    }

    int configGeneration() {
        synchronized (lock) {
            return configGeneration;
        }
    }

    /// Reads a field of the selected queue, 0 where there is no such queue.
    long readQueue(QueueField field) {
        synchronized (lock) {
            if (queueSelect >= setups.length) {
                return field == QueueField.VECTOR ? VirtioInterrupts.NO_VECTOR : 0;
            }
            QueueSetup setup = setups[queueSelect];
            return switch (field) {
                case SIZE -> setup.size;
                case VECTOR -> setup.vector;
                case ENABLE -> setup.enabled ? 1 : 0;
                case NOTIFY_OFFSET -> device.workerOf(queueSelect);
                case DESCRIPTOR -> setup.descriptor;
                case DRIVER -> setup.driver;
                case DEVICE -> setup.device;
            };
        }
    }

    /// Writes a field of the selected queue. Sizes that cannot be, and changes to an enabled queue, are ignored.
    void writeQueue(QueueField field, long value) {
        int enabled = -1;
        synchronized (lock) {
            if (resetting || queueSelect >= setups.length) {
                return;
            }
            QueueSetup setup = setups[queueSelect];
            if (field == QueueField.VECTOR) {
                setup.vector = interrupts.accept((int) value & 0xffff);
                return;
            }
            if (field == QueueField.ENABLE) {
                if (value != 1 || setup.enabled || (status & DeviceStatus.FEATURES_OK) == 0) {
                    return;
                }
                enabled = queueSelect;
            } else if (setup.enabled) {
                return;
            }
            switch (field) {
                case SIZE -> {
                    int size = (int) value & 0xffff;
                    if (size != 0 && size <= device.queueSize()) {
                        setup.size = size;
                    }
                }
                case DESCRIPTOR -> setup.descriptor = value;
                case DRIVER -> setup.driver = value;
                case DEVICE -> setup.device = value;
                case NOTIFY_OFFSET, VECTOR, ENABLE -> {
                    // read-only; done above; done below
                }
            }
        }
        if (enabled >= 0) {
            enableQueue(enabled);
        }
    }

    /// The fields of a queue in the common configuration.
    enum QueueField {
        SIZE,
        VECTOR,
        ENABLE,
        /// The number of the queue's worker: queues of one worker share a notification register, so that there is
        /// one address for each thread to be woken by.
        NOTIFY_OFFSET,
        DESCRIPTOR,
        DRIVER,
        DEVICE
    }

    private void enableQueue(int index) {
        try {
            synchronized (lock) {
                QueueSetup setup = setups[index];
                queues.set(index, build(index, setup.fresh()));
                setup.enabled = true;
            }
        } catch (RingViolation | GuestAddressException broken) {
            needsReset(String.valueOf(broken.getMessage()));
            return;
        }
        wake(device.workerOf(index));
    }

    private VirtQueue build(int index, QueueState state) {
        long features = driverFeatures;
        var rings = new VirtQueue.Features(
                (features & VirtioFeature.VIRTIO_F_INDIRECT_DESC) != 0,
                (features & VirtioFeature.VIRTIO_F_EVENT_IDX) != 0);
        QueueSetup setup = setups[index];
        Runnable interrupt = () -> interrupts.queue(setup.vector);
        boolean packed = (features & VirtioFeature.VIRTIO_F_RING_PACKED) != 0;
        VirtQueue queue = packed
                ? new PackedQueue(memory, state, rings, interrupt)
                : new SplitQueue(memory, state, rings, interrupt);
        queue.halt(paused || (status & DeviceStatus.DEVICE_NEEDS_RESET) != 0);
        return queue;
    }

    long readConfig(int offset, int size) {
        return device.readConfig(offset, size);
    }

    void writeConfig(int offset, int size, long value) {
        device.writeConfig(offset, size, value);
    }

    // ---- reset, pause, saved state

    private void beginReset() {
        synchronized (lock) {
            if (resetting) {
                return;
            }
            resetting = true;
            haltLocked(true);
        }
        workers.whenIdle(this::endReset);
    }

    private void endReset() {
        synchronized (lock) {
            for (int i = 0; i < setups.length; i++) {
                setups[i].clear(device.queueSize());
                queues.set(i, null);
            }
            driverFeatures = 0;
            deviceFeatureSelect = 0;
            driverFeatureSelect = 0;
            queueSelect = 0;
            configVector = VirtioInterrupts.NO_VECTOR;
            device.reset();
            interrupts.restore(0);
            resetting = false;
            status = 0;
        }
    }

    /// Resets and waits for what is under way. Not for vCPU or queue threads.
    void resetNow() {
        synchronized (lock) {
            resetting = true;
            haltLocked(true);
        }
        workers.awaitIdle(this::endReset);
    }

    /// Stops serving and waits for requests under way, so that guest memory stays as it is. Not for vCPU or queue
    /// threads.
    void pause() {
        synchronized (lock) {
            paused = true;
            haltLocked(true);
        }
        workers.awaitIdle(() -> {});
    }

    void resume() {
        synchronized (lock) {
            paused = false;
            if (!resetting && (status & DeviceStatus.DEVICE_NEEDS_RESET) == 0) {
                haltLocked(false);
            }
        }
        wakeAll();
    }

    VirtioCoreState save() {
        boolean wasPaused;
        synchronized (lock) {
            wasPaused = paused;
        }
        if (!wasPaused) {
            pause();
        }
        VirtioCoreState state;
        synchronized (lock) {
            List<QueueState> all = new ArrayList<>();
            for (int i = 0; i < setups.length; i++) {
                VirtQueue queue = queues.get(i);
                all.add(queue == null ? setups[i].fresh() : queue.save(setups[i].vector));
            }
            state = new VirtioCoreState(
                    status,
                    driverFeatures,
                    deviceFeatureSelect,
                    driverFeatureSelect,
                    queueSelect,
                    configVector,
                    configGeneration,
                    interrupts.isr(),
                    all,
                    device.save());
        }
        if (!wasPaused) {
            resume();
        }
        return state;
    }

    /// Takes over saved registers and rings. The device is paused until [#resume].
    void restore(VirtioCoreState state) {
        synchronized (lock) {
            paused = true;
            driverFeatures = state.driverFeatures();
            deviceFeatureSelect = state.deviceFeatureSelect();
            driverFeatureSelect = state.driverFeatureSelect();
            queueSelect = state.queueSelect();
            configVector = state.configVector();
            configGeneration = state.configGeneration();
            status = state.status();
            for (int i = 0; i < setups.length; i++) {
                setups[i].load(state.queues().get(i));
                if (setups[i].enabled) {
                    queues.set(i, build(i, state.queues().get(i)));
                }
            }
            if ((status & DeviceStatus.DRIVER_OK) != 0) {
                device.start(driverFeatures);
            }
            interrupts.restore(state.isr());
        }
    }

    void close() {
        synchronized (lock) {
            haltLocked(true);
        }
        workers.awaitIdle(() -> {});
        workers.close();
        device.close();
    }
}
