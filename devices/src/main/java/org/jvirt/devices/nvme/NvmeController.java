package org.jvirt.devices.nvme;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.stream.IntStream;
import org.jvirt.core.BlockBackend;
import org.jvirt.core.GuestAddressException;
import org.jvirt.core.GuestMemory;
import org.jvirt.core.IoDevice;
import org.jvirt.core.UserErrorException;
import org.jvirt.devices.pci.BarKind;
import org.jvirt.devices.pci.MsixCapability;
import org.jvirt.devices.pci.PciFunction;
import org.jvirt.devices.pci.PciIdentity;
import org.jvirt.devices.storage.StorageDevice;
import org.jvirt.devices.work.QueueRunner;
import org.jvirt.devices.work.QueueWorker;
import org.jvirt.devices.work.WorkerGroup;
import org.jvirt.devices.work.WorkingFunction;

/// An NVMe 1.4 controller as a PCI function (NVMe §3).
///
/// ```
/// BAR 0  16 KiB  0x0000 capabilities, configuration, status, admin queues
///                0x1000 + 8·n  doorbells of queue n: submission tail, completion head
/// BAR 4   4 KiB  MSI-X, one vector for each queue
///
///            EN = 1                     EN = 0
///   disabled ──────► ready, RDY = 1 ──────────────► RDY = 0 when all workers are idle
///                     │ queues not in RAM: CFS = 1, until EN = 0
/// ```
///
/// Registers may be used by any vCPU thread and never wait; [#pause], [#resume], [#reset] and [#close] are for the
/// machine's own thread.
public final class NvmeController extends PciFunction implements WorkingFunction, StorageDevice {
    /// I/O queues at most.
    public static final int MAX_QUEUES = 64;

    static final int VENDOR = 0x1b36;
    static final int SUBSYSTEM_VENDOR = 0x1af4;
    static final int VERSION_1_4 = 0x0001_0400;

    private static final System.Logger LOG = System.getLogger(NvmeController.class.getName());
    private static final int SERIAL_BYTES = 20;
    private static final int REGISTER_BAR = 0;
    private static final int REGISTER_BYTES = 0x4000;
    private static final int MSIX_BAR = 4;
    private static final int DOORBELLS = 0x1000;
    private static final int CAP = 0x00;
    private static final int CAP_HIGH = 0x04;
    private static final int VS = 0x08;
    private static final int INTMS = 0x0c;
    private static final int INTMC = 0x10;
    private static final int CC = 0x14;
    private static final int CSTS = 0x1c;
    private static final int AQA = 0x24;
    private static final int ASQ = 0x28;
    private static final int ASQ_HIGH = 0x2c;
    private static final int ACQ = 0x30;
    private static final int ACQ_HIGH = 0x34;

    private static final int MAX_ENTRIES = 2048;
    private static final int MAX_PAGE_EXPONENT = 4;
    /// Contiguous queues, ready within 7.5 s; then the NVM command set, pages of 4 KiB to 64 KiB.
    private static final int CAPABILITIES = MAX_ENTRIES - 1 | 1 << 16 | 0x0f << 24;

    private static final int CAPABILITIES_HIGH = 1 << 5 | MAX_PAGE_EXPONENT << 20;
    private static final int CC_ENABLE = 1;
    private static final int CC_SHUTDOWN = 3 << 14;
    private static final int CC_WRITABLE = 0x00ff_fff1;
    private static final int CSTS_READY = 1;
    private static final int CSTS_FATAL = 2;
    private static final int CSTS_SHUTDOWN_DONE = 2 << 2;
    private static final int CSTS_SHUTDOWN_UNDER_WAY = 1 << 2;

    private final GuestMemory memory;
    private final Namespace namespace;
    private final Features features;
    private final AsyncEvents events = new AsyncEvents();
    private final AdminCommands admin;
    private final MsixCapability msix;
    private final int queues;
    private final AtomicReferenceArray<SubmissionQueue> submissions;
    private final AtomicReferenceArray<CompletionQueue> completions;
    private final NvmeCommand[] commands;
    private final WorkerGroup workers;
    private final Object lock = new Object();

    // Guarded by lock; what workers read is volatile.
    private int configuration;
    private volatile int status;
    private int adminSizes;
    private long adminSubmissions;
    private long adminCompletions;
    private int maskedPins;
    private boolean disabling;
    private volatile boolean held;
    private volatile boolean paused;
    private volatile int pageBytes = 4096;
    private volatile boolean shutdownWanted;

    /// @param name               of the device within its machine: `nvme0`
    /// @param serial             up to 20 ASCII characters; empty: the name
    /// @param queues             I/O queues, 1–64, each with its own thread
    /// @param blockBytes         512 or 4096
    /// @param physicalBlockBytes what the guest is told is written at once: a power of two, at least a block
    /// @param runners            makes the queue threads
    public NvmeController(
            String name,
            BlockBackend backend,
            String serial,
            int queues,
            int blockBytes,
            int physicalBlockBytes,
            GuestMemory memory,
            QueueRunner.Factory runners) {
        super(name, new PciIdentity(VENDOR, 0x0010, 2, 0x010802, SUBSYSTEM_VENDOR, 0x1100));
        if (serial.length() > SERIAL_BYTES
                || !StandardCharsets.US_ASCII.newEncoder().canEncode(serial)) {
            throw new UserErrorException(
                    "NVMe serial \"%s\" is not up to %d ASCII characters".formatted(serial, SERIAL_BYTES));
        }
        if (queues < 1 || queues > MAX_QUEUES) {
            throw new UserErrorException("An NVMe disk has 1–%d queues, not %d".formatted(MAX_QUEUES, queues));
        }
        this.memory = memory;
        this.queues = queues;
        String ownSerial = serial.isEmpty() ? "jvirt-" + name : serial;
        namespace = new Namespace(backend, name + "/" + ownSerial, blockBytes, physicalBlockBytes);
        features = new Features(namespace, queues);
        admin = new AdminCommands(this, namespace, features, events, ownSerial);
        submissions = new AtomicReferenceArray<>(queues + 1);
        completions = new AtomicReferenceArray<>(queues + 1);
        commands = new NvmeCommand[queues + 1];
        for (int i = 0; i <= queues; i++) {
            commands[i] = new NvmeCommand(memory);
        }
        usePin(1);
        msix = new MsixCapability(this, MSIX_BAR, queues + 1);
        addBar(REGISTER_BAR, BarKind.MEMORY_64, REGISTER_BYTES, new Registers());
        addPcieCapability();
        workers = new WorkerGroup(IntStream.rangeClosed(0, queues)
                .mapToObj(i -> new QueueWorker(name + "-q" + i, runners, () -> work(i)))
                .toList());
    }

    // ---- StorageDevice

    @Override
    public void resized() {
        namespace.measure();
        if ((features.asyncEvents() & Features.NAMESPACE_EVENTS) != 0) {
            admin.noteChange();
            events.happened(AsyncEvents.NOTICE, AsyncEvents.NAMESPACE_CHANGED, AdminCommands.LOG_CHANGED_NAMESPACES);
            workers.worker(0).wake();
        }
    }

    // ---- workers

    private boolean serving() {
        return (status & (CSTS_READY | CSTS_FATAL)) == CSTS_READY && !held && !paused;
    }

    private void work(int index) {
        try {
            if (index == 0) {
                tellEvents();
            }
            serve(index);
            if (index == 0) {
                tellEvents();
                shutDown();
            }
        } catch (GuestAddressException broken) {
            errors().report(() -> "queue %d: %s".formatted(index, broken.getMessage()));
            fatal();
        } catch (RuntimeException | Error bug) {
            LOG.log(System.Logger.Level.ERROR, "An NVMe controller failed; the guest must reset it", bug);
            fatal();
        }
    }

    private void fatal() {
        synchronized (lock) {
            status |= CSTS_FATAL;
        }
    }

    private void serve(int index) {
        NvmeCommand command = commands[index];
        while (serving()) {
            SubmissionQueue queue = submissions.get(index);
            // Where completions have no room, the driver's next doorbell wakes this again.
            if (queue == null || queue.empty() || !queue.completions().reserve()) {
                return;
            }
            command.load(queue.next(), pageBytes);
            queue.advance();
            int outcome = index == 0 ? admin(command) : io(command);
            if (outcome < 0) {
                queue.completions().release();
            } else {
                complete(queue, index, command.id(), index == 0 ? admin.result() : 0, outcome);
            }
        }
    }

    private int admin(NvmeCommand command) {
        try {
            return admin.execute(command);
        } catch (GuestAddressException broken) {
            errors().report(() -> "admin command 0x%02x: %s".formatted(command.operation(), broken.getMessage()));
            return NvmeStatus.DATA_TRANSFER_ERROR;
        }
    }

    private int io(NvmeCommand command) {
        try {
            return namespace.execute(command);
        } catch (GuestAddressException broken) {
            errors().report(() -> "command 0x%02x: %s".formatted(command.operation(), broken.getMessage()));
            return NvmeStatus.DATA_TRANSFER_ERROR;
        }
    }

    private void complete(SubmissionQueue queue, int index, int command, int result, int outcome) {
        CompletionQueue into = queue.completions();
        into.post(result, queue.head(), index, command, outcome);
        if (!into.interrupts()) {
            return;
        }
        if (msix.enabled()) {
            msix.raise(into.vector());
        } else {
            drivePin();
        }
    }

    /// Completes the requests that wait for events.
    private void tellEvents() {
        SubmissionQueue queue = submissions.get(0);
        while (queue != null && serving() && events.due() && queue.completions().reserve()) {
            AsyncEvents.Completion next = events.take();
            complete(queue, 0, next.command(), next.result(), NvmeStatus.SUCCESS);
        }
    }

    private void shutDown() {
        if (!shutdownWanted) {
            return;
        }
        shutdownWanted = false;
        try {
            namespace.flush();
        } catch (IOException e) {
            errors().report(() -> "flush at shutdown failed: " + e.getMessage());
        }
        synchronized (lock) {
            status = status & ~CSTS_SHUTDOWN_UNDER_WAY | CSTS_SHUTDOWN_DONE;
        }
    }

    // ---- interrupts without MSI-X

    private void drivePin() {
        synchronized (lock) {
            boolean level = false;
            for (int i = 0; i <= queues && !msix.enabled(); i++) {
                CompletionQueue queue = completions.get(i);
                boolean masked = queue != null && (maskedPins >> Math.min(queue.vector(), 31) & 1) != 0;
                level |= queue != null && queue.interrupts() && !masked && !queue.empty();
            }
            interrupt(level);
        }
    }

    @Override
    protected void configWritten(int offset, int size) {
        drivePin();
    }

    // ---- queues, for the admin queue's worker

    int createCompletionQueue(int id, int size, long base, int vector, boolean interrupts) {
        if (id == 0 || id > queues || completions.get(id) != null) {
            return NvmeStatus.INVALID_QUEUE_ID;
        }
        if (size < 2 || size > MAX_ENTRIES) {
            return NvmeStatus.INVALID_QUEUE_SIZE;
        }
        if (vector >= msix.vectors()) {
            return NvmeStatus.INVALID_VECTOR;
        }
        if (!aligned(base)) {
            return NvmeStatus.INVALID_PRP_OFFSET;
        }
        if (!memory.contains(base, (long) size * CompletionQueue.ENTRY_BYTES)) {
            return NvmeStatus.DATA_TRANSFER_ERROR;
        }
        completions.set(id, new CompletionQueue(memory, base, size, vector, interrupts));
        return NvmeStatus.SUCCESS;
    }

    int createSubmissionQueue(int id, int size, long base, int completionId) {
        if (id == 0 || id > queues || submissions.get(id) != null) {
            return NvmeStatus.INVALID_QUEUE_ID;
        }
        CompletionQueue into = completionId == 0 || completionId > queues ? null : completions.get(completionId);
        if (into == null) {
            return NvmeStatus.INVALID_COMPLETION_QUEUE;
        }
        if (size < 2 || size > MAX_ENTRIES) {
            return NvmeStatus.INVALID_QUEUE_SIZE;
        }
        if (!aligned(base)) {
            return NvmeStatus.INVALID_PRP_OFFSET;
        }
        if (!memory.contains(base, (long) size * NvmeCommand.BYTES)) {
            return NvmeStatus.DATA_TRANSFER_ERROR;
        }
        submissions.set(id, new SubmissionQueue(base, size, completionId, into));
        return NvmeStatus.SUCCESS;
    }

    /// Waits for the command under way in the queue; those behind it are forgotten.
    int deleteSubmissionQueue(int id) {
        if (id == 0 || id > queues || submissions.get(id) == null) {
            return NvmeStatus.INVALID_QUEUE_ID;
        }
        submissions.set(id, null);
        new WorkerGroup(List.of(workers.worker(id))).awaitIdle(() -> {});
        return NvmeStatus.SUCCESS;
    }

    int deleteCompletionQueue(int id) {
        if (id == 0 || id > queues || completions.get(id) == null) {
            return NvmeStatus.INVALID_QUEUE_ID;
        }
        for (int i = 1; i <= queues; i++) {
            SubmissionQueue queue = submissions.get(i);
            if (queue != null && queue.completionId() == id) {
                return NvmeStatus.INVALID_QUEUE_DELETION;
            }
        }
        completions.set(id, null);
        drivePin();
        return NvmeStatus.SUCCESS;
    }

    private boolean aligned(long base) {
        return (base & pageBytes - 1) == 0;
    }

    // ---- registers, called by vCPU threads

    private int readRegister(int offset) {
        synchronized (lock) {
            return switch (offset) {
                case CAP -> CAPABILITIES;
                case CAP_HIGH -> CAPABILITIES_HIGH;
                case VS -> VERSION_1_4;
                case INTMS, INTMC -> maskedPins;
                case CC -> configuration;
                case CSTS -> status;
                case AQA -> adminSizes;
                case ASQ -> (int) adminSubmissions;
                case ASQ_HIGH -> (int) (adminSubmissions >>> 32);
                case ACQ -> (int) adminCompletions;
                case ACQ_HIGH -> (int) (adminCompletions >>> 32);
                default -> 0;
            };
        }
    }

    private void writeRegister(int offset, int value) {
        if (offset >= DOORBELLS) {
            ring((offset - DOORBELLS) / 8, (offset & 4) != 0, value);
            return;
        }
        switch (offset) {
            case CC -> writeConfiguration(value);
            case INTMS, INTMC -> {
                synchronized (lock) {
                    maskedPins = offset == INTMS ? maskedPins | value : maskedPins & ~value;
                }
                drivePin();
            }
            default -> {
                synchronized (lock) {
                    writeAdmin(offset, value);
                }
            }
        }
    }

    private void writeAdmin(int offset, int value) {
        if ((configuration & CC_ENABLE) != 0) {
            return;
        }
        switch (offset) {
            case AQA -> adminSizes = value & 0x0fff_0fff;
            case ASQ -> adminSubmissions = adminSubmissions & ~0xffff_ffffL | value & 0xffff_f000L;
            case ASQ_HIGH -> adminSubmissions = adminSubmissions & 0xffff_ffffL | (long) value << 32;
            case ACQ -> adminCompletions = adminCompletions & ~0xffff_ffffL | value & 0xffff_f000L;
            case ACQ_HIGH -> adminCompletions = adminCompletions & 0xffff_ffffL | (long) value << 32;
            default -> {
                // read-only or reserved
            }
        }
    }

    private void writeConfiguration(int value) {
        boolean disable = false;
        boolean wake = false;
        synchronized (lock) {
            int before = configuration;
            configuration = value & CC_WRITABLE;
            boolean enabled = (configuration & CC_ENABLE) != 0;
            if (enabled && (before & CC_ENABLE) == 0) {
                if (!disabling) {
                    enableLocked();
                }
            } else if (!enabled && (before & CC_ENABLE) != 0) {
                disable = !disabling;
                disabling = true;
                held = true;
            }
            if ((configuration & CC_SHUTDOWN) != 0 && (before & CC_SHUTDOWN) == 0) {
                status = status & ~CSTS_SHUTDOWN_DONE | CSTS_SHUTDOWN_UNDER_WAY;
                shutdownWanted = true;
                wake = true;
            }
        }
        if (disable) {
            workers.whenIdle(this::disabled);
        }
        if (wake) {
            workers.worker(0).wake();
        }
    }

    private void enableLocked() {
        int exponent = configuration >> 7 & 0xf;
        boolean commandSet = (configuration >> 4 & 7) == 0;
        int submissionSize = (adminSizes & 0xfff) + 1;
        int completionSize = (adminSizes >> 16 & 0xfff) + 1;
        if (exponent > MAX_PAGE_EXPONENT
                || !commandSet
                || submissionSize < 2
                || completionSize < 2
                || !memory.contains(adminSubmissions, (long) submissionSize * NvmeCommand.BYTES)
                || !memory.contains(adminCompletions, (long) completionSize * CompletionQueue.ENTRY_BYTES)) {
            errors().report(() -> "cannot be enabled as configured: 0x%x, admin queues 0x%x at 0x%x and 0x%x"
                    .formatted(configuration, adminSizes, adminSubmissions, adminCompletions));
            status |= CSTS_FATAL;
            return;
        }
        pageBytes = 4096 << exponent;
        var into = new CompletionQueue(memory, adminCompletions, completionSize, 0, true);
        completions.set(0, into);
        submissions.set(0, new SubmissionQueue(adminSubmissions, submissionSize, 0, into));
        held = false;
        status = CSTS_READY;
    }

    /// All workers are idle and stay so.
    private void disabled() {
        synchronized (lock) {
            clearLocked();
            if ((configuration & CC_ENABLE) != 0) {
                // Enabled again before this was done.
                enableLocked();
            }
        }
    }

    private void clearLocked() {
        for (int i = 0; i <= queues; i++) {
            submissions.set(i, null);
            completions.set(i, null);
        }
        events.reset();
        features.reset();
        status = 0;
        maskedPins = 0;
        shutdownWanted = false;
        disabling = false;
        interrupt(false);
    }

    private void ring(int id, boolean completion, int value) {
        boolean known = id <= queues && (completion ? completions.get(id) : submissions.get(id)) != null;
        if (!known) {
            wrongDoorbell(AsyncEvents.INVALID_DOORBELL);
        } else if (completion) {
            freed(id, value & 0xffff);
        } else {
            SubmissionQueue queue = submissions.get(id);
            if (queue != null && !queue.ring(value & 0xffff)) {
                wrongDoorbell(AsyncEvents.INVALID_DOORBELL_VALUE);
            } else {
                workers.worker(id).wake();
            }
        }
    }

    private void freed(int id, int head) {
        CompletionQueue queue = completions.get(id);
        if (queue == null) {
            return;
        }
        if (!queue.free(head)) {
            wrongDoorbell(AsyncEvents.INVALID_DOORBELL_VALUE);
            return;
        }
        if (!msix.enabled()) {
            drivePin();
        }
        for (int i = 0; i <= queues; i++) {
            SubmissionQueue waiting = submissions.get(i);
            if (waiting != null && waiting.completionId() == id && !waiting.empty()) {
                workers.worker(i).wake();
            }
        }
        if (id == 0 && events.due()) {
            workers.worker(0).wake();
        }
    }

    private void wrongDoorbell(int information) {
        errors().report(() -> "a doorbell or value that there is not");
        events.happened(AsyncEvents.ERROR, information, 1);
        workers.worker(0).wake();
    }

    // ---- life

    @Override
    protected void deviceReset() {
        held = true;
        workers.awaitIdle(() -> {
            synchronized (lock) {
                configuration = 0;
                adminSizes = 0;
                adminSubmissions = 0;
                adminCompletions = 0;
                clearLocked();
            }
        });
    }

    @Override
    public void pause() {
        paused = true;
        workers.awaitIdle(() -> {});
    }

    @Override
    public void resume() {
        paused = false;
        workers.wakeAll();
    }

    @Override
    public void close() {
        held = true;
        workers.awaitIdle(() -> {});
        workers.close();
        closeMessages();
    }

    /// BAR 0: registers of 32 bits, or two of them at once.
    private final class Registers implements IoDevice {
        @Override
        public long read(long offset, int size) {
            int at = (int) offset & ~3;
            if (at >= DOORBELLS) {
                return 0;
            }
            long value = readRegister(at) & 0xffff_ffffL;
            if (offset - at + size > 4) {
                value |= (long) readRegister(at + 4) << 32;
            }
            return value >>> 8 * (offset - at);
        }

        @Override
        public void write(long offset, int size, long value) {
            if ((offset & 3) != 0 || size < 4) {
                errors().report(() -> "write of %d bytes at 0x%x".formatted(size, offset));
                return;
            }
            writeRegister((int) offset, (int) value);
            if (size == 8) {
                writeRegister((int) offset + 4, (int) (value >>> 32));
            }
        }
    }
}
