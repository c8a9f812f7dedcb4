package org.jvirt.devices.ahci;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.GuestAddressException;
import org.jvirt.core.GuestMemory;
import org.jvirt.devices.pci.GuestErrors;
import org.jvirt.devices.work.QueueRunner;
import org.jvirt.devices.work.QueueWorker;
import org.jvirt.devices.work.WorkerGroup;

/// One port: its registers (AHCI §3.3), and the worker that carries out the commands in its slots.
///
/// ```
///             ST = 1                    a command fails
///   stopped ─────────► running, CR = 1 ────────────────► halted, CR = 1
///      ▲                   │ ST = 0, link reset               │ ST = 0
///      └── CR = 0 when the worker is idle ◄───────────────────┘
/// ```
///
/// vCPU threads write registers and never wait; the worker takes the slots one after the other. All registers are
/// guarded by the controller's lock, which is never held while a device carries out a command.
final class AhciPort {
    static final int REGISTER_BYTES = 0x80;

    private static final System.Logger LOG = System.getLogger(AhciPort.class.getName());

    private static final int CLB = 0x00;
    private static final int CLBU = 0x04;
    private static final int FB = 0x08;
    private static final int FBU = 0x0c;
    private static final int IS = 0x10;
    private static final int IE = 0x14;
    private static final int CMD = 0x18;
    private static final int TFD = 0x20;
    private static final int SIG = 0x24;
    private static final int SSTS = 0x28;
    private static final int SCTL = 0x2c;
    private static final int SERR = 0x30;
    private static final int SACT = 0x34;
    private static final int CI = 0x38;

    private static final int CMD_ST = 1;
    private static final int CMD_SUD = 1 << 1;
    private static final int CMD_POD = 1 << 2;
    private static final int CMD_CLO = 1 << 3;
    private static final int CMD_FRE = 1 << 4;
    private static final int CMD_FR = 1 << 14;
    private static final int CMD_CR = 1 << 15;
    private static final int CMD_ATAPI = 1 << 24;

    private static final int IS_DHRS = 1;
    private static final int IS_PSS = 1 << 1;
    private static final int IS_SDBS = 1 << 3;
    private static final int IS_HBFS = 1 << 29;
    private static final int IS_TFES = 1 << 30;
    private static final int IS_IMPLEMENTED = 0xfdc000ff;

    private static final int LINK_UP = 0x123; // active, 3 Gbit/s, device present
    private static final int LINK_DOWN = 0;
    private static final int DET_RESET = 1;
    private static final int NO_SIGNATURE = -1;
    private static final int NO_DEVICE = 0x7f;
    private static final int FIS_TO_DEVICE = 0x27;
    private static final int FIS_COMMAND = 0x80;
    private static final int CONTROL_SOFT_RESET = 0x04;

    private final Object lock;
    private final @Nullable AtaDevice device;
    private final Runnable interruptsChanged;
    private final GuestErrors errors;
    private final QueueWorker worker;
    private final WorkerGroup group;

    // Worker only.
    private final CommandSlot slot;
    private final ReceivedFis received;
    private final TaskFile registers = new TaskFile();
    private final AtaDevice.Exchange exchange;
    private boolean softReset;

    // Guarded by lock.
    private long commandList;
    private long fisArea;
    private int interruptStatus;
    private int interruptEnable;
    private boolean started;
    private boolean running;
    private boolean receiving;
    private boolean halted;
    private boolean paused;
    private int taskFileData = NO_DEVICE;
    private int signature = NO_SIGNATURE;
    private int linkStatus;
    private int linkControl;
    private int linkError;
    private int active;
    private int issued;
    private int current;
    private boolean signatureWaits;

    /// @param interruptsChanged called with the lock held
    AhciPort(
            String name,
            Object lock,
            @Nullable AtaDevice device,
            GuestMemory memory,
            QueueRunner.Factory runners,
            Runnable interruptsChanged,
            GuestErrors errors) {
        this.lock = lock;
        this.device = device;
        this.interruptsChanged = interruptsChanged;
        this.errors = errors;
        slot = new CommandSlot(memory);
        exchange = new AtaDevice.Exchange(registers, slot);
        received = new ReceivedFis(memory);
        worker = new QueueWorker(name, runners, this::work);
        group = new WorkerGroup(List.of(worker));
        connectLocked();
    }

    QueueWorker worker() {
        return worker;
    }

    /// Whether interrupts that the guest wants are waiting.
    boolean interruptingLocked() {
        return (interruptStatus & interruptEnable) != 0;
    }

    // ---- registers

    int readLocked(int register) {
        return switch (register) {
            case CLB -> (int) commandList;
            case CLBU -> (int) (commandList >>> 32);
            case FB -> (int) fisArea;
            case FBU -> (int) (fisArea >>> 32);
            case IS -> interruptStatus;
            case IE -> interruptEnable;
            case CMD -> command();
            case TFD -> taskFileData;
            case SIG -> signature;
            case SSTS -> linkStatus;
            case SCTL -> linkControl;
            case SERR -> linkError;
            case SACT -> active;
            case CI -> issued;
            default -> 0;
        };
    }

    private int command() {
        return CMD_SUD
                | CMD_POD
                | (started ? CMD_ST : 0)
                | (running ? CMD_CR | current << 8 : 0)
                | (receiving ? CMD_FRE | CMD_FR : 0)
                | (device instanceof AtapiDrive ? CMD_ATAPI : 0);
    }

    /// What is left to do after a write, once the lock has been let go.
    enum After {
        NOTHING,
        WAKE,
        STOP,
        RESET_LINK
    }

    After writeLocked(int register, int value) {
        switch (register) {
            case CLB -> commandList = commandList & ~0xffff_ffffL | value & 0xffff_fc00L;
            case CLBU -> commandList = commandList & 0xffff_ffffL | (long) value << 32;
            case FB -> fisArea = fisArea & ~0xffff_ffffL | value & 0xffff_ff00L;
            case FBU -> fisArea = fisArea & 0xffff_ffffL | (long) value << 32;
            case IS -> {
                interruptStatus &= ~value;
                interruptsChanged.run();
            }
            case IE -> {
                interruptEnable = value & IS_IMPLEMENTED;
                interruptsChanged.run();
            }
            case CMD -> {
                return writeCommand(value);
            }
            case SCTL -> {
                return writeLinkControl(value);
            }
            case SERR -> linkError &= ~value;
            case SACT -> active |= started ? value : 0;
            case CI -> {
                if (started) {
                    issued |= value;
                    return After.WAKE;
                }
            }
            default -> {
                // read-only or reserved
            }
        }
        return After.NOTHING;
    }

    private After writeCommand(int value) {
        receiving = (value & CMD_FRE) != 0;
        if ((value & CMD_CLO) != 0) {
            taskFileData &= ~(TaskFile.STATUS_BUSY | TaskFile.STATUS_REQUEST);
        }
        boolean start = (value & CMD_ST) != 0;
        if (start && !started) {
            // Only once the last run has ended; drivers wait for CR.
            if (!running) {
                started = true;
                running = true;
                halted = false;
                return After.WAKE;
            }
        } else if (!start && started) {
            started = false;
            return After.STOP;
        }
        return receiving && signatureWaits ? After.WAKE : After.NOTHING;
    }

    private After writeLinkControl(int value) {
        int before = linkControl & 0xf;
        linkControl = value & 0xfff;
        int wanted = linkControl & 0xf;
        if (wanted == DET_RESET) {
            linkStatus = LINK_DOWN;
            taskFileData = NO_DEVICE;
            signature = NO_SIGNATURE;
        } else if (wanted == 0 && before == DET_RESET) {
            return After.RESET_LINK;
        }
        return After.NOTHING;
    }

    /// Does what a register write has left.
    void finish(After after) {
        switch (after) {
            case NOTHING -> {}
            case WAKE -> worker.wake();
            case STOP -> group.whenIdle(this::stopped);
            case RESET_LINK -> group.whenIdle(this::linkReset);
        }
    }

    private void stopped() {
        synchronized (lock) {
            if (!started) {
                running = false;
                halted = false;
                issued = 0;
                active = 0;
                current = 0;
            }
        }
    }

    private void linkReset() {
        AtaDevice there = device;
        if (there != null) {
            there.reset(true);
        }
        synchronized (lock) {
            connectLocked();
        }
        worker.wake();
    }

    /// The link comes up, and the device shows its signature.
    private void connectLocked() {
        AtaDevice there = device;
        softReset = false;
        linkStatus = there == null ? LINK_DOWN : LINK_UP;
        signature = there == null ? NO_SIGNATURE : there.signature();
        taskFileData = there == null ? NO_DEVICE : there.resetStatus() | 1 << 8;
        signatureWaits = there != null;
        active = 0;
        issued = 0;
        halted = false;
    }

    /// As after a reset of the controller; the worker is idle.
    void reset() {
        AtaDevice there = device;
        if (there != null) {
            there.reset(true);
        }
        synchronized (lock) {
            interruptStatus = 0;
            interruptEnable = 0;
            started = false;
            running = false;
            receiving = false;
            linkControl = 0;
            linkError = 0;
            current = 0;
            connectLocked();
        }
    }

    /// All addresses gone, too.
    void powerOn() {
        reset();
        synchronized (lock) {
            commandList = 0;
            fisArea = 0;
        }
    }

    /// Lets the worker find nothing to do.
    void hold(boolean hold) {
        synchronized (lock) {
            paused = hold;
        }
    }

    // ---- the worker

    private void work() {
        showSignature();
        while (true) {
            long list;
            int taken;
            synchronized (lock) {
                taken = nextLocked();
                if (taken < 0) {
                    return;
                }
                current = taken;
                list = commandList;
            }
            try {
                carryOut(list, taken);
            } catch (GuestAddressException broken) {
                errors.report(() -> "host bus error: " + broken.getMessage());
                fail(IS_HBFS);
            } catch (RuntimeException | Error bug) {
                LOG.log(System.Logger.Level.ERROR, "A SATA port failed; the guest must reset it", bug);
                fail(IS_HBFS);
            }
        }
    }

    /// From the slot behind the last one on, so that none starves.
    private int nextLocked() {
        int waiting = issued;
        if (!started || halted || paused || waiting == 0) {
            return -1;
        }
        int rotated = Integer.rotateRight(waiting, current + 1);
        return current + 1 + Integer.numberOfTrailingZeros(rotated) & 31;
    }

    private void fail(int cause) {
        synchronized (lock) {
            halted = true;
            interruptStatus |= cause;
            interruptsChanged.run();
        }
    }

    private void showSignature() {
        long area;
        AtaDevice there = device;
        synchronized (lock) {
            if (!signatureWaits || !receiving || there == null) {
                return;
            }
            signatureWaits = false;
            area = fisArea;
        }
        signatureRegisters(there);
        try {
            received.registers(area, registers, false);
        } catch (GuestAddressException broken) {
            errors.report(() -> "host bus error: " + broken.getMessage());
            fail(IS_HBFS);
        }
    }

    private void signatureRegisters(AtaDevice there) {
        int shown = there.signature();
        registers.status = there.resetStatus();
        registers.error = 1;
        registers.count = shown & 0xff;
        registers.lba = shown >>> 8 & 0xff_ffffL;
        registers.device = 0;
    }

    private void carryOut(long list, int taken) {
        AtaDevice there = device;
        slot.load(list, taken);
        byte[] fis = slot.fis();
        if (there == null || fis[0] != FIS_TO_DEVICE) {
            complete(taken, 0);
            return;
        }
        if ((fis[1] & FIS_COMMAND) == 0) {
            control(there, taken, fis[15] & 0xff);
            return;
        }
        registers.load(fis);
        there.execute(exchange);
        slot.moved(registers.movedBytes);
        finishCommand(taken);
    }

    /// A software reset begins with one FIS and ends with the next.
    private void control(AtaDevice there, int taken, int control) {
        boolean resetting = (control & CONTROL_SOFT_RESET) != 0;
        if (!resetting && softReset) {
            there.reset(false);
            signatureRegisters(there);
            long area = area();
            if (area >= 0) {
                received.registers(area, registers, false);
            }
            synchronized (lock) {
                signature = there.signature();
                taskFileData = registers.status | registers.error << 8;
            }
        }
        softReset = resetting;
        complete(taken, 0);
    }

    /// Where FISes go now, or -1 where the guest wants none.
    private long area() {
        synchronized (lock) {
            return receiving ? fisArea : -1;
        }
    }

    private void complete(int taken, int cause) {
        synchronized (lock) {
            issued &= ~(1 << taken);
            interruptStatus |= cause;
            interruptsChanged.run();
        }
    }

    private void finishCommand(int taken) {
        boolean failed = registers.failed();
        boolean queued = AtaOperation.queued(registers.command);
        long area = area();
        int cause = switch (registers.ending) {
            case QUEUED -> IS_SDBS;
            case PIO_IN -> failed ? IS_DHRS : IS_PSS;
            case REGISTERS -> IS_DHRS;
        };
        int completed = queued && !failed ? 1 << (registers.count >> 3 & 31) : 0;
        if (area >= 0) {
            switch (registers.ending) {
                case QUEUED -> received.deviceBits(area, registers, completed);
                case PIO_IN -> {
                    if (failed) {
                        received.registers(area, registers, true);
                    } else {
                        received.pioSetup(area, registers);
                    }
                }
                case REGISTERS -> received.registers(area, registers, true);
            }
        }
        synchronized (lock) {
            taskFileData = registers.status | registers.error << 8;
            active &= ~completed;
            if (failed) {
                // The slot stays issued: it tells the driver which command it was.
                halted = true;
                cause |= IS_TFES;
                if (queued) {
                    issued &= ~(1 << taken);
                }
            } else {
                issued &= ~(1 << taken);
            }
            interruptStatus |= cause;
            interruptsChanged.run();
        }
    }
}
