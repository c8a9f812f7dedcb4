package org.jvirt.devices.nvme;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;

/// The commands of the admin queue (NVMe §5). Its worker only.
final class AdminCommands {
    private static final int DELETE_SUBMISSION_QUEUE = 0x00;
    private static final int CREATE_SUBMISSION_QUEUE = 0x01;
    private static final int GET_LOG_PAGE = 0x02;
    private static final int DELETE_COMPLETION_QUEUE = 0x04;
    private static final int CREATE_COMPLETION_QUEUE = 0x05;
    private static final int IDENTIFY = 0x06;
    private static final int ABORT = 0x08;
    private static final int SET_FEATURES = 0x09;
    private static final int GET_FEATURES = 0x0a;
    private static final int ASYNC_EVENT_REQUEST = 0x0c;

    private static final int LOG_ERRORS = 0x01;
    private static final int LOG_HEALTH = 0x02;
    private static final int LOG_FIRMWARE = 0x03;
    static final int LOG_CHANGED_NAMESPACES = 0x04;

    private static final int PHYSICALLY_CONTIGUOUS = 1;
    private static final int INTERRUPTS_ENABLED = 2;
    private static final int SAVE = 1 << 31;
    private static final int RETAIN_EVENT = 1 << 15;
    private static final int NOT_ABORTED = 1;
    private static final int MAX_LOG_BYTES = 64 << 10;
    private static final int STRUCTURE_BYTES = 4096;
    private static final int TEMPERATURE_KELVIN = 0x143;
    private static final String FIRMWARE = "0.1";
    private static final String MODEL = "JVIRT NVMe Ctrl";

    private final NvmeController controller;
    private final Namespace namespace;
    private final Features features;
    private final AsyncEvents events;
    private final String serial;
    private boolean namespaceChanged;
    private int result;

    AdminCommands(
            NvmeController controller, Namespace namespace, Features features, AsyncEvents events, String serial) {
        this.controller = controller;
        this.namespace = namespace;
        this.features = features;
        this.events = events;
        this.serial = serial;
    }

    /// Double word 0 of the completion.
    int result() {
        return result;
    }

    /// A status, or -1 where the command completes another time.
    int execute(NvmeCommand command) {
        result = 0;
        if (!command.plain()) {
            return NvmeStatus.INVALID_FIELD;
        }
        return switch (command.operation()) {
            case IDENTIFY -> identify(command);
            case GET_LOG_PAGE -> logPage(command);
            case GET_FEATURES -> getFeatures(command);
            case SET_FEATURES -> setFeatures(command);
            case CREATE_COMPLETION_QUEUE -> createCompletionQueue(command);
            case CREATE_SUBMISSION_QUEUE -> createSubmissionQueue(command);
            case DELETE_COMPLETION_QUEUE -> controller.deleteCompletionQueue(command.word(10) & 0xffff);
            case DELETE_SUBMISSION_QUEUE -> controller.deleteSubmissionQueue(command.word(10) & 0xffff);
            case ABORT -> {
                result = NOT_ABORTED;
                yield NvmeStatus.SUCCESS;
            }
            case ASYNC_EVENT_REQUEST -> events.request(command.id()) ? -1 : NvmeStatus.TOO_MANY_EVENT_REQUESTS;
            default -> NvmeStatus.INVALID_OPERATION;
        };
    }

    // ---- queues

    private int createCompletionQueue(NvmeCommand command) {
        int id = command.word(10) & 0xffff;
        int size = (command.word(10) >>> 16) + 1;
        int flags = command.word(11);
        if ((flags & PHYSICALLY_CONTIGUOUS) == 0) {
            return NvmeStatus.INVALID_FIELD;
        }
        return controller.createCompletionQueue(
                id, size, command.pointer1(), flags >>> 16, (flags & INTERRUPTS_ENABLED) != 0);
    }

    private int createSubmissionQueue(NvmeCommand command) {
        int id = command.word(10) & 0xffff;
        int size = (command.word(10) >>> 16) + 1;
        if ((command.word(11) & PHYSICALLY_CONTIGUOUS) == 0) {
            return NvmeStatus.INVALID_FIELD;
        }
        return controller.createSubmissionQueue(id, size, command.pointer1(), command.word(11) >>> 16);
    }

    // ---- features

    private int getFeatures(NvmeCommand command) {
        int word = command.word(10);
        OptionalInt value = features.get(word & 0xff, word >>> 8 & 7, command.word(11));
        result = value.orElse(0);
        return value.isPresent() ? NvmeStatus.SUCCESS : NvmeStatus.INVALID_FIELD;
    }

    private int setFeatures(NvmeCommand command) {
        int word = command.word(10);
        if ((word & SAVE) != 0) {
            return NvmeStatus.FEATURE_NOT_SAVEABLE;
        }
        int status = features.set(word & 0xff, command.word(11));
        if (status == NvmeStatus.SUCCESS && (word & 0xff) == 0x07) {
            result = features.get(0x07, 0, 0).orElse(0);
        }
        return status;
    }

    // ---- identify

    private int identify(NvmeCommand command) {
        int selector = command.word(10) & 0xff;
        int id = command.namespace();
        byte[] answer;
        switch (selector) {
            case 0x00 -> {
                if (id != Namespace.ID && id != Namespace.ALL) {
                    return NvmeStatus.INVALID_NAMESPACE;
                }
                answer = namespace.identify();
            }
            case 0x01 -> answer = identifyController();
            case 0x02 -> {
                if (id == Namespace.ALL || id == Namespace.ALL - 1) {
                    return NvmeStatus.INVALID_NAMESPACE;
                }
                answer = ByteBuffer.allocate(STRUCTURE_BYTES)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putInt(0, id == 0 ? Namespace.ID : 0)
                        .array();
            }
            case 0x03 -> {
                if (id != Namespace.ID) {
                    return NvmeStatus.INVALID_NAMESPACE;
                }
                answer = namespace.identities();
            }
            default -> {
                return NvmeStatus.INVALID_FIELD;
            }
        }
        return command.give(answer, 0, STRUCTURE_BYTES);
    }

    private static void text(ByteBuffer data, int at, int width, String text) {
        byte[] ascii = text.getBytes(StandardCharsets.US_ASCII);
        for (int i = 0; i < width; i++) {
            data.put(at + i, i < ascii.length ? ascii[i] : (byte) ' ');
        }
    }

    /// NVMe §5.15.3.
    private byte[] identifyController() {
        ByteBuffer data = ByteBuffer.allocate(STRUCTURE_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        data.putShort(0, (short) NvmeController.VENDOR).putShort(2, (short) NvmeController.SUBSYSTEM_VENDOR);
        text(data, 4, 20, serial);
        text(data, 24, 40, MODEL);
        text(data, 64, 8, FIRMWARE);
        data.put(72, (byte) 6);
        data.put(77, (byte) Namespace.MAX_TRANSFER_EXPONENT);
        data.putInt(80, NvmeController.VERSION_1_4);
        data.putInt(92, Features.NAMESPACE_EVENTS);
        data.put(111, (byte) 1); // an I/O controller
        data.put(258, (byte) 3).put(259, (byte) (AsyncEvents.MAX_REQUESTS - 1));
        data.put(260, (byte) 0x03); // one firmware slot, read only
        data.putShort(266, (short) 0x157).putShort(268, (short) 0x175);
        data.put(512, (byte) 0x66).put(513, (byte) 0x44);
        data.putInt(516, 1);
        data.putShort(520, (short) 0x1d); // Compare, Dataset Management, Write Zeroes, Select in features
        data.put(525, (byte) 0x07); // volatile write cache; Flush takes all namespaces
        byte[] name = ("nqn.2026-01.org.jvirt:nvme:" + serial).getBytes(StandardCharsets.US_ASCII);
        data.put(768, name);
        data.putShort(2048, (short) 2500).putInt(2052, 16).putInt(2056, 4);
        return data.array();
    }

    // ---- log pages (NVMe §5.14)

    private int logPage(NvmeCommand command) {
        int word = command.word(10);
        long words = (word >>> 16 | (long) (command.word(11) & 0xffff) << 16) + 1;
        long offset = command.words(12);
        long length = words * 4;
        if (length > MAX_LOG_BYTES || offset < 0 || (offset & 3) != 0) {
            return NvmeStatus.INVALID_FIELD;
        }
        byte[] page;
        int type;
        switch (word & 0xff) {
            case LOG_ERRORS -> {
                page = new byte[64];
                type = AsyncEvents.ERROR;
            }
            case LOG_HEALTH -> {
                page = health();
                type = 1;
            }
            case LOG_FIRMWARE -> {
                ByteBuffer data = ByteBuffer.allocate(512).put(0, (byte) 1);
                text(data, 8, 8, FIRMWARE);
                page = data.array();
                type = -1;
            }
            case LOG_CHANGED_NAMESPACES -> {
                page = ByteBuffer.allocate(4096)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putInt(0, takeChange() ? Namespace.ID : 0)
                        .array();
                type = AsyncEvents.NOTICE;
            }
            default -> {
                return NvmeStatus.INVALID_LOG_PAGE;
            }
        }
        if (offset > page.length) {
            return NvmeStatus.INVALID_FIELD;
        }
        if (type >= 0 && (word & RETAIN_EVENT) == 0) {
            events.read(type);
        }
        return command.give(page, (int) offset, (int) length);
    }

    private byte[] health() {
        ByteBuffer page = ByteBuffer.allocate(512).order(ByteOrder.LITTLE_ENDIAN);
        page.putShort(1, (short) TEMPERATURE_KELVIN);
        page.put(3, (byte) 100).put(4, (byte) 10);
        namespace.count(page);
        return page.array();
    }

    /// Any thread.
    synchronized void noteChange() {
        namespaceChanged = true;
    }

    private synchronized boolean takeChange() {
        boolean changed = namespaceChanged;
        namespaceChanged = false;
        return changed;
    }
}
