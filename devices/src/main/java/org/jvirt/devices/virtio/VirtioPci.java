package org.jvirt.devices.virtio;

import org.jvirt.core.GuestMemory;
import org.jvirt.core.IoDevice;
import org.jvirt.core.Snapshottable;
import org.jvirt.devices.pci.BarKind;
import org.jvirt.devices.pci.ConfigSpace;
import org.jvirt.devices.pci.MsixCapability;
import org.jvirt.devices.pci.PciFunction;
import org.jvirt.devices.pci.PciIdentity;
import org.jvirt.devices.work.QueueRunner;
import org.jvirt.devices.work.WorkingFunction;

/// A virtio device as a PCI function, modern only (virtio §4.1).
///
/// ```
/// BAR 1   4 KiB   MSI-X: vector 0 … n, one for the configuration and one for each queue
/// BAR 4  16 KiB   0x0000 common configuration
///                 0x1000 ISR status
///                 0x2000 device-specific configuration
///                 0x3000 notification, 4 bytes a worker
/// ```
///
/// An engine with [org.jvirt.core.Capability#DOORBELLS] takes the notifications itself as long as BAR 4 shows: they
/// then wake the queue threads without passing here. Registers may be used by any vCPU thread. [#pause], [#resume],
/// [#save], [#reset] and [#close] are for the
/// machine's own thread: they wait for requests under way.
public final class VirtioPci extends PciFunction implements Snapshottable<VirtioPciState>, WorkingFunction {
    private static final int VENDOR = 0x1af4;
    private static final int SUBSYSTEM = 0x1100;
    private static final int MSIX_BAR = 1;
    private static final int REGISTER_BAR = 4;
    private static final int PART_BYTES = 0x1000;
    private static final int COMMON = 0x0000;
    private static final int ISR = 0x1000;
    private static final int DEVICE = 0x2000;
    private static final int NOTIFY = 0x3000;
    private static final int REGISTER_BYTES = 0x4000;
    private static final int NOTIFY_MULTIPLIER = 4;

    private static final int CAPABILITY_VENDOR = 0x09;
    private static final int CAP_COMMON_CFG = 1;
    private static final int CAP_NOTIFY_CFG = 2;
    private static final int CAP_ISR_CFG = 3;
    private static final int CAP_DEVICE_CFG = 4;
    private static final int CAP_PCI_CFG = 5;
    private static final int CAP_BYTES = 16;
    private static final int CAP_BAR = 4;
    private static final int CAP_OFFSET = 8;
    private static final int CAP_LENGTH = 12;
    private static final int CAP_EXTRA = 16;

    private final VirtioCore core;
    private final VirtioInterrupts interrupts;
    private final CommonRegisters common;
    private final Registers registers = new Registers();
    private final int window;

    /// @param name    of the device within its machine: `blk0`
    /// @param runners makes the queue threads
    public VirtioPci(String name, VirtioDevice<?> device, GuestMemory memory, QueueRunner.Factory runners) {
        super(
                name,
                new PciIdentity(
                        VENDOR, device.kind().pciDeviceId(), 1, device.kind().classCode(), VENDOR, SUBSYSTEM));
        usePin(1);
        int vectors = Math.min(device.queues() + 1, MsixCapability.MAX_VECTORS);
        var msix = new MsixCapability(this, MSIX_BAR, vectors);
        addBar(REGISTER_BAR, BarKind.MEMORY_64_PREFETCHABLE, REGISTER_BYTES, registers);
        interrupts = new VirtioInterrupts(msix, this::interrupt);
        core = new VirtioCore(name, device, memory, interrupts, errors(), runners);
        common = new CommonRegisters(core);
        addPart(CAP_COMMON_CFG, COMMON, CommonRegisters.BYTES, 0);
        addPart(CAP_ISR_CFG, ISR, 1, 0);
        addPart(CAP_DEVICE_CFG, DEVICE, PART_BYTES, 0);
        int notify = addPart(CAP_NOTIFY_CFG, NOTIFY, device.workers() * NOTIFY_MULTIPLIER, 4);
        config().set(notify + CAP_EXTRA, 4, NOTIFY_MULTIPLIER);
        window = addPart(CAP_PCI_CFG, 0, 0, 4);
        config().set(window + CAP_BAR, 1, 0);
        config().allow(window + CAP_BAR, 1, 0xff);
        config().allow(window + CAP_OFFSET, 4, -1);
        config().allow(window + CAP_LENGTH, 4, -1);
        config().allow(window + CAP_EXTRA, 4, -1);
        addPcieCapability();
    }

    private int addPart(int type, int offset, int length, int extraBytes) {
        int at = addCapability(CAPABILITY_VENDOR, CAP_BYTES + extraBytes);
        config().set(at + 2, 1, CAP_BYTES + extraBytes);
        config().set(at + 3, 1, type);
        config().set(at + CAP_BAR, 1, REGISTER_BAR);
        config().set(at + CAP_OFFSET, 4, offset);
        config().set(at + CAP_LENGTH, 4, length);
        return at;
    }

    // ---- the window in configuration space (virtio §4.1.4.9)

    private boolean touchesWindow(int offset, int size) {
        return size <= 4 && offset < window + CAP_EXTRA + 4 && offset + size > window + CAP_EXTRA;
    }

    /// The width of an access that the window's registers allow, or 0.
    private int windowWidth() {
        ConfigSpace config = config();
        long offset = config.read(window + CAP_OFFSET, 4);
        long length = config.read(window + CAP_LENGTH, 4);
        boolean width = length == 1 || length == 2 || length == 4;
        boolean inside = config.read(window + CAP_BAR, 1) == REGISTER_BAR
                && width
                && offset % length == 0
                && offset <= REGISTER_BYTES - length;
        return inside ? (int) length : 0;
    }

    @Override
    protected void configReading(int offset, int size) {
        if (touchesWindow(offset, size)) {
            int width = windowWidth();
            if (width != 0) {
                long value = registers.read(config().read(window + CAP_OFFSET, 4), width);
                config().set(window + CAP_EXTRA, width, value);
            }
        }
    }

    @Override
    protected void configWritten(int offset, int size) {
        if (touchesWindow(offset, size)) {
            int width = windowWidth();
            if (width != 0) {
                long value = config().read(window + CAP_EXTRA, width);
                registers.write(config().read(window + CAP_OFFSET, 4), width, value);
            }
        }
    }

    @Override
    protected void barShown(int index, long gpa) {
        if (index == REGISTER_BAR) {
            core.notificationsAt(gpa + NOTIFY, NOTIFY_MULTIPLIER);
        }
    }

    @Override
    protected void barHidden(int index) {
        if (index == REGISTER_BAR) {
            core.notificationsHidden();
        }
    }

    // ---- life

    @Override
    protected void deviceReset() {
        core.resetNow();
    }

    @Override
    public void pause() {
        core.pause();
    }

    /// Goes on after [#pause], or after [#restore].
    @Override
    public void resume() {
        core.resume();
    }

    @Override
    public String id() {
        return name();
    }

    /// Requests under way are completed first. Guest memory belongs to the same saved state, so [#pause] must
    /// already have been called where that is saved too.
    @Override
    public VirtioPciState save() {
        VirtioCoreState coreState = core.save();
        return new VirtioPciState(saveFunction(), coreState);
    }

    /// Takes over saved state; right after this fresh function was added to its host. It is paused until [#resume].
    public void restore(VirtioPciState state) {
        restoreFunction(state.function());
        core.restore(state.core());
    }

    @Override
    public void close() {
        core.close();
        closeMessages();
    }

    /// BAR 4.
    private final class Registers implements IoDevice {
        @Override
        public long read(long offset, int size) {
            int part = (int) offset & -PART_BYTES;
            int at = (int) offset & PART_BYTES - 1;
            return switch (part) {
                case COMMON -> at < CommonRegisters.BYTES ? common.read(at, size) : 0;
                case ISR -> at == 0 ? interrupts.takeIsr() : 0;
                case DEVICE -> core.readConfig(at, size);
                default -> 0;
            };
        }

        @Override
        public void write(long offset, int size, long value) {
            int part = (int) offset & -PART_BYTES;
            int at = (int) offset & PART_BYTES - 1;
            switch (part) {
                case COMMON -> {
                    if (at < CommonRegisters.BYTES) {
                        common.write(at, size, value);
                    }
                }
                case DEVICE -> core.writeConfig(at, size, value);
                case NOTIFY -> core.notify(at / NOTIFY_MULTIPLIER);
                default -> {
                    // ISR status is read-only
                }
            }
        }
    }
}
