package org.jvirt.devices.virtio.scsi;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.GuestAddressException;
import org.jvirt.core.UserErrorException;
import org.jvirt.devices.scsi.CheckCondition;
import org.jvirt.devices.scsi.DataOverrun;
import org.jvirt.devices.scsi.DiskUnit;
import org.jvirt.devices.scsi.LogicalUnit;
import org.jvirt.devices.scsi.ScsiFailure;
import org.jvirt.devices.scsi.ScsiTarget;
import org.jvirt.devices.scsi.Sense;
import org.jvirt.devices.virtio.ConfigBytes;
import org.jvirt.devices.virtio.DescriptorChain;
import org.jvirt.devices.virtio.VirtQueue;
import org.jvirt.devices.virtio.VirtioDevice;
import org.jvirt.devices.virtio.VirtioKind;
import org.jvirt.devices.virtio.VirtioTransport;

/// A SCSI controller with up to 256 targets of up to 256 units.
///
/// ```
/// queue 0  control    task management         ─┐ one thread
/// queue 1  events     what changed             ─┘
/// queue 2… requests   commands, a thread each
/// ```
///
/// Commands of one queue run in order, those of different queues in parallel.
public final class VirtioScsi implements VirtioDevice<VirtioScsi.State> {
    static final int MAX_CDB_BYTES = 64;
    private static final int MAX_SENSE_BYTES = 252;
    private static final int MAX_REQUEST_QUEUES = 64;

    private static final int CONTROL_QUEUE = 0;
    private static final int EVENT_QUEUE = 1;
    private static final int FIRST_REQUEST_QUEUE = 2;
    private static final int QUEUE_SIZE = 256;

    private static final long VIRTIO_SCSI_F_INOUT = 1L;
    /// Nothing is ever plugged in, but Linux gives buffers for events only where this is offered.
    private static final long VIRTIO_SCSI_F_HOTPLUG = 1L << 1;

    private static final long VIRTIO_SCSI_F_CHANGE = 1L << 2;

    // virtio_scsi_config (virtio §5.6.4)
    private static final int CONFIG_BYTES = 36;
    private static final int SENSE_SIZE = 20;
    private static final int CDB_SIZE = 24;
    private static final int MAX_SECTORS = 0xffff;
    private static final int COMMANDS_PER_UNIT = 128;
    private static final int MAX_TARGET = 255;
    private static final int MAX_UNIT = 255;

    private static final int EVENT_BYTES = 16;
    private static final int EVENT_PARAMETERS_CHANGED = 3;
    private static final int EVENTS_MISSED = 0x8000_0000;
    private static final int MAX_EVENTS = 64;

    private static final int RESPONSE_OK = 0;
    private static final int RESPONSE_OVERRUN = 1;
    private static final int RESPONSE_BAD_TARGET = 3;
    private static final int STATUS_GOOD = 0;

    private final Map<Integer, ScsiTarget> targets = new HashMap<>();
    private final int requestQueues;
    private final ConfigBytes config = new ConfigBytes(CONFIG_BYTES);
    private final UnitGate gate;
    private final TaskManagement tasks;
    private final Deque<Event> events = new ArrayDeque<>(); // guarded by itself
    private boolean missed; // guarded by events
    private volatile boolean started;
    private volatile boolean changesWanted;
    private volatile int senseBytes;
    private volatile int cdbBytes;
    private @Nullable VirtioTransport transport;
    private ScsiRequest[] requests = {};
    private @Nullable DescriptorChain controlChain;

    /// Where a unit is.
    public record UnitAddress(int target, int unit) {
        public UnitAddress {
            if (target < 0 || target > MAX_TARGET || unit < 0 || unit > MAX_UNIT) {
                throw new UserErrorException("There is no SCSI target %d, unit %d: give 0 to %d, and 0 to %d"
                        .formatted(target, unit, MAX_TARGET, MAX_UNIT));
            }
        }
    }

    /// What the driver can change.
    public record State(int senseBytes, int cdbBytes) {
        /// After power-on.
        public static final State RESET = new State(96, 32);
    }

    private record Event(ScsiAddress address, int reason) {}

    /// @param requestQueues 1–64, each with its own thread
    public VirtioScsi(Map<UnitAddress, LogicalUnit> units, int requestQueues) {
        this(units, requestQueues, State.RESET);
    }

    /// A device as it was saved, with the same units.
    public VirtioScsi(Map<UnitAddress, LogicalUnit> units, int requestQueues, State saved) {
        if (requestQueues < 1 || requestQueues > MAX_REQUEST_QUEUES) {
            throw new UserErrorException(
                    "A SCSI controller has 1–%d queues, not %d".formatted(MAX_REQUEST_QUEUES, requestQueues));
        }
        this.requestQueues = requestQueues;
        var byTarget = new HashMap<Integer, Map<Integer, LogicalUnit>>();
        units.forEach((at, unit) -> {
            byTarget.computeIfAbsent(at.target(), _ -> new HashMap<>()).put(at.unit(), unit);
            if (unit instanceof DiskUnit disk) {
                disk.onResize(() -> changed(new ScsiAddress(at.target(), at.unit()), Sense.CAPACITY_CHANGED));
            }
        });
        byTarget.forEach((target, own) -> targets.put(target, new ScsiTarget(own)));
        gate = new UnitGate(requestQueues);
        tasks = new TaskManagement(targets, gate);
        config.set(0, 4, requestQueues);
        config.set(4, 4, QUEUE_SIZE - 2L);
        config.set(8, 4, MAX_SECTORS);
        config.set(12, 4, COMMANDS_PER_UNIT);
        config.set(16, 4, EVENT_BYTES);
        config.set(30, 2, MAX_TARGET);
        config.set(32, 4, MAX_UNIT);
        sizes(saved.senseBytes(), saved.cdbBytes());
    }

    private void sizes(int sense, int cdb) {
        senseBytes = sense;
        cdbBytes = cdb;
        config.set(SENSE_SIZE, 4, sense);
        config.set(CDB_SIZE, 4, cdb);
    }

    @Override
    public VirtioKind kind() {
        return VirtioKind.SCSI;
    }

    @Override
    public long features() {
        return VIRTIO_SCSI_F_INOUT | VIRTIO_SCSI_F_HOTPLUG | VIRTIO_SCSI_F_CHANGE;
    }

    @Override
    public int queues() {
        return FIRST_REQUEST_QUEUE + requestQueues;
    }

    @Override
    public int queueSize() {
        return QUEUE_SIZE;
    }

    @Override
    public int workers() {
        return 1 + requestQueues;
    }

    @Override
    public int workerOf(int queue) {
        return queue < FIRST_REQUEST_QUEUE ? 0 : queue - 1;
    }

    @Override
    public void connect(VirtioTransport to) {
        transport = to;
        controlChain = new DescriptorChain(to.memory());
        requests = new ScsiRequest[requestQueues];
        for (int i = 0; i < requestQueues; i++) {
            requests[i] = new ScsiRequest(new DescriptorChain(to.memory()));
        }
    }

    @Override
    public void start(long features) {
        changesWanted = (features & VIRTIO_SCSI_F_CHANGE) != 0;
        started = true;
    }

    @Override
    public void reset() {
        started = false;
        changesWanted = false;
        synchronized (events) {
            events.clear();
            missed = false;
        }
        sizes(State.RESET.senseBytes(), State.RESET.cdbBytes());
        targets.values().forEach(target -> target.units().forEach(unit -> unit.reset(Sense.POWER_ON)));
    }

    @Override
    public void serve(int index, VirtQueue queue) {
        switch (index) {
            case CONTROL_QUEUE -> serveControl(queue);
            case EVENT_QUEUE -> serveEvents(queue);
            default -> serveRequests(index - FIRST_REQUEST_QUEUE, queue);
        }
    }

    // ---- requests

    private void serveRequests(int lane, VirtQueue queue) {
        ScsiRequest request = requests[lane];
        DescriptorChain chain = request.chain();
        do {
            queue.suppressNotification();
            while (queue.pop(chain)) {
                gate.step(lane);
                long written;
                try {
                    request.parse(cdbBytes, senseBytes);
                    written = execute(request);
                } finally {
                    gate.step(lane);
                }
                queue.push(chain, written);
                queue.signal();
            }
        } while (queue.armNotification());
        // An interrupt that a save or a halt left open.
        queue.signal();
    }

    private long execute(ScsiRequest request) {
        @Nullable ScsiTarget target = targets.get(request.address().target());
        if (target == null) {
            return request.answer(RESPONSE_BAD_TARGET, STATUS_GOOD, Sense.NONE, 0);
        }
        try {
            long moved = target.execute(request.address().unit(), request.cdb(), request);
            return request.answer(RESPONSE_OK, STATUS_GOOD, Sense.NONE, moved);
        } catch (ScsiFailure failure) {
            return switch (failure) {
                case CheckCondition check -> request.answer(RESPONSE_OK, CheckCondition.STATUS, check.sense(), 0);
                case DataOverrun _ -> request.answer(RESPONSE_OVERRUN, STATUS_GOOD, Sense.NONE, 0);
            };
        } catch (GuestAddressException broken) {
            VirtioTransport to = transport;
            if (to != null) {
                to.errors().report(() -> "SCSI command: " + broken.getMessage());
            }
            return request.answer(RESPONSE_OK, CheckCondition.STATUS, Sense.INTERNAL_FAILURE, 0);
        }
    }

    // ---- control and events

    private void serveControl(VirtQueue queue) {
        DescriptorChain chain = controlChain;
        if (chain == null) {
            return;
        }
        do {
            queue.suppressNotification();
            while (queue.pop(chain)) {
                queue.push(chain, tasks.execute(chain));
                queue.signal();
            }
        } while (queue.armNotification());
        queue.signal();
    }

    private void changed(ScsiAddress address, Sense what) {
        if (!started || !changesWanted) {
            return;
        }
        synchronized (events) {
            if (events.size() < MAX_EVENTS) {
                events.add(new Event(address, what.code() | what.qualifier() << 8));
            } else {
                missed = true;
            }
        }
        VirtioTransport to = transport;
        if (to != null) {
            to.wake(0);
        }
    }

    private Optional<Event> nextEvent() {
        synchronized (events) {
            return Optional.ofNullable(events.peek());
        }
    }

    /// Takes a buffer only when there is something to put into it.
    private void serveEvents(VirtQueue queue) {
        DescriptorChain chain = controlChain;
        if (chain == null) {
            return;
        }
        Optional<Event> next = nextEvent();
        while (next.isPresent()) {
            if (!queue.pop(chain)) {
                // The driver's next buffer wakes this again, unless one has come just now.
                if (!queue.armNotification()) {
                    return;
                }
                continue;
            }
            int number = EVENT_PARAMETERS_CHANGED;
            synchronized (events) {
                events.poll();
                number |= missed ? EVENTS_MISSED : 0;
                missed = false;
            }
            var bytes = new byte[EVENT_BYTES];
            putInt(bytes, 0, number);
            System.arraycopy(next.get().address().bytes(), 0, bytes, 4, ScsiAddress.BYTES);
            putInt(bytes, 12, next.get().reason());
            chain.write(0, bytes, EVENT_BYTES);
            queue.push(chain, EVENT_BYTES);
            queue.signal();
            next = nextEvent();
        }
        queue.signal();
    }

    private static void putInt(byte[] into, int at, int value) {
        for (int i = 0; i < Integer.BYTES; i++) {
            into[at + i] = (byte) (value >>> 8 * i);
        }
    }

    // ---- configuration

    @Override
    public long readConfig(int offset, int size) {
        return config.read(offset, size);
    }

    /// The sizes that a driver may choose, before it is ready.
    @Override
    public void writeConfig(int offset, int size, long value) {
        if (started || size != Integer.BYTES) {
            return;
        }
        if (offset == SENSE_SIZE && value >= Sense.BYTES && value <= MAX_SENSE_BYTES) {
            sizes((int) value, cdbBytes);
        } else if (offset == CDB_SIZE && value >= 16 && value <= MAX_CDB_BYTES) {
            sizes(senseBytes, (int) value);
        }
    }

    @Override
    public State save() {
        return new State(senseBytes, cdbBytes);
    }

    @Override
    public void close() {}
}
