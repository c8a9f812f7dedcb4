package org.jvirt.devices.virtio.scsi;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.jvirt.devices.scsi.LogicalUnit;
import org.jvirt.devices.scsi.ScsiTarget;
import org.jvirt.devices.scsi.Sense;
import org.jvirt.devices.virtio.DescriptorChain;
import org.jvirt.devices.virtio.RingViolation;

/// Requests of the control queue: task management functions and asynchronous notifications (virtio §5.6.6.2). Its
/// thread only.
///
/// A command under way is never broken off: what aborts it waits until it has completed.
final class TaskManagement {
    private static final int TYPE_TASK_MANAGEMENT = 0;
    private static final int TYPE_QUERY_NOTIFICATIONS = 1;
    private static final int TYPE_SUBSCRIBE = 2;
    private static final int TASK_BYTES = 24;
    private static final int NOTIFICATION_BYTES = 16;
    private static final int NOTIFICATION_ANSWER_BYTES = 5;
    private static final int ABORT_TASK = 0;
    private static final int ABORT_TASK_SET = 1;
    private static final int CLEAR_TASK_SET = 3;
    private static final int NEXUS_RESET = 4;
    private static final int UNIT_RESET = 5;
    private static final int QUERY_TASK = 6;
    private static final int QUERY_TASK_SET = 7;
    private static final int FUNCTION_COMPLETE = 0;
    private static final int BAD_TARGET = 3;
    private static final int FUNCTION_REJECTED = 11;
    private static final int INCORRECT_UNIT = 12;

    private final Map<Integer, ScsiTarget> targets;
    private final UnitGate gate;
    private final byte[] header = new byte[TASK_BYTES];
    private final ByteBuffer fields = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);

    TaskManagement(Map<Integer, ScsiTarget> targets, UnitGate gate) {
        this.targets = targets;
        this.gate = gate;
    }

    /// Answers how many bytes were written to the guest.
    ///
    /// @throws RingViolation if it makes no sense
    long execute(DescriptorChain chain) {
        chain.read(0, header, 4);
        switch (fields.getInt(0)) {
            case TYPE_TASK_MANAGEMENT -> {
                chain.read(0, header, TASK_BYTES);
                chain.writeByte(0, task(fields.getInt(4), ScsiAddress.of(header, 8)));
                return 1;
            }
            case TYPE_QUERY_NOTIFICATIONS, TYPE_SUBSCRIBE -> {
                chain.read(0, header, NOTIFICATION_BYTES);
                ScsiAddress address = ScsiAddress.of(header, 4);
                var answer = new byte[NOTIFICATION_ANSWER_BYTES]; // none of the events asked for
                answer[4] = (byte) (targets.containsKey(address.target()) ? FUNCTION_COMPLETE : BAD_TARGET);
                chain.write(0, answer, NOTIFICATION_ANSWER_BYTES);
                return NOTIFICATION_ANSWER_BYTES;
            }
            default -> throw new RingViolation("a control request of type %d".formatted(fields.getInt(0)));
        }
    }

    private int task(int function, ScsiAddress address) {
        @Nullable ScsiTarget target = targets.get(address.target());
        if (target == null) {
            return BAD_TARGET;
        }
        Optional<LogicalUnit> unit = target.unit(address.unit());
        if (unit.isEmpty() && function != NEXUS_RESET) {
            return INCORRECT_UNIT;
        }
        switch (function) {
            case ABORT_TASK, ABORT_TASK_SET, CLEAR_TASK_SET, QUERY_TASK, QUERY_TASK_SET -> gate.awaitThoseOfNow();
            case UNIT_RESET -> {
                gate.awaitThoseOfNow();
                unit.ifPresent(one -> one.reset(Sense.BUS_RESET));
            }
            case NEXUS_RESET -> {
                gate.awaitThoseOfNow();
                target.units().forEach(one -> one.reset(Sense.BUS_RESET));
            }
            default -> {
                return FUNCTION_REJECTED;
            }
        }
        return FUNCTION_COMPLETE;
    }
}
