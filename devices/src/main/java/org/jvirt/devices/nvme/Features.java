package org.jvirt.devices.nvme;

import java.util.OptionalInt;

/// What a driver can set (NVMe §5.21.1). Admin queue's worker only, but for [#asyncEvents].
final class Features {
    static final int NAMESPACE_EVENTS = 1 << 8;
    private static final int ARBITRATION = 0x01;
    private static final int POWER = 0x02;
    private static final int TEMPERATURE = 0x04;
    private static final int ERROR_RECOVERY = 0x05;
    private static final int WRITE_CACHE = 0x06;
    private static final int QUEUES = 0x07;
    private static final int COALESCING = 0x08;
    private static final int VECTOR = 0x09;
    private static final int ATOMICITY = 0x0a;
    private static final int ASYNC_EVENTS = 0x0b;
    private static final int OVER_TEMPERATURE = 0x157;
    private static final int CHANGEABLE = 1 << 2;

    private final Namespace namespace;
    private final int queues;
    private int arbitration;
    private int errorRecovery;
    private int temperature;
    private int coalescing;
    private int atomicity;
    private volatile int asyncEvents;

    Features(Namespace namespace, int queues) {
        this.namespace = namespace;
        this.queues = queues;
        reset();
    }

    void reset() {
        arbitration = 7; // no limit
        errorRecovery = 0;
        temperature = OVER_TEMPERATURE;
        coalescing = 0;
        atomicity = 0;
        asyncEvents = 0;
        namespace.writeCache(true);
    }

    int asyncEvents() {
        return asyncEvents;
    }

    /// The value, or empty where there is no such feature.
    ///
    /// @param select 0 current, 1 default, 2 saved, 3 what can be done with it
    OptionalInt get(int number, int select, int parameter) {
        boolean known = number >= ARBITRATION && number <= ASYNC_EVENTS && number != 0x03;
        if (!known) {
            return OptionalInt.empty();
        }
        return switch (select) {
            case 0 -> OptionalInt.of(current(number, parameter));
            case 1, 2 -> OptionalInt.of(usual(number, parameter));
            case 3 -> OptionalInt.of(number == POWER || number == VECTOR ? 0 : CHANGEABLE);
            default -> OptionalInt.empty();
        };
    }

    private int current(int number, int parameter) {
        return switch (number) {
            case ARBITRATION -> arbitration;
            case TEMPERATURE -> temperature;
            case ERROR_RECOVERY -> errorRecovery;
            case WRITE_CACHE -> namespace.writeCache() ? 1 : 0;
            case QUEUES -> queues - 1 | queues - 1 << 16;
            case COALESCING -> coalescing;
            case VECTOR -> parameter & 0xffff;
            case ATOMICITY -> atomicity;
            case ASYNC_EVENTS -> asyncEvents;
            default -> 0;
        };
    }

    private int usual(int number, int parameter) {
        return switch (number) {
            case ARBITRATION -> 7;
            case TEMPERATURE -> OVER_TEMPERATURE;
            case WRITE_CACHE -> 1;
            case QUEUES, VECTOR -> current(number, parameter);
            default -> 0;
        };
    }

    /// Answers a status.
    int set(int number, int value) {
        switch (number) {
            case ARBITRATION -> arbitration = value;
            case POWER -> {
                if ((value & 0x1f) != 0) {
                    return NvmeStatus.INVALID_FIELD;
                }
            }
            case TEMPERATURE -> temperature = value & 0xffff;
            case ERROR_RECOVERY -> errorRecovery = value & 0xffff;
            case WRITE_CACHE -> namespace.writeCache((value & 1) != 0);
            case QUEUES -> {
                if ((value & 0xffff) == 0xffff || value >>> 16 == 0xffff) {
                    return NvmeStatus.INVALID_FIELD;
                }
            }
            case COALESCING -> coalescing = value & 0xffff;
            case VECTOR -> {
                return NvmeStatus.FEATURE_NOT_CHANGEABLE;
            }
            case ATOMICITY -> atomicity = value & 1;
            case ASYNC_EVENTS -> asyncEvents = value & (0xff | NAMESPACE_EVENTS);
            default -> {
                return NvmeStatus.INVALID_FIELD;
            }
        }
        return NvmeStatus.SUCCESS;
    }
}
