package org.jvirt.devices.pci;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.IoDevice;
import org.jvirt.core.MsiRoute;

/// One PCI function with a type 0 header: a device, or a part of one.
///
/// A subclass declares its BARs and capabilities in its constructor and is then given to [PciHost#add].
/// Configuration accesses and [#configWritten] run under the host's lock, on any vCPU thread; [#interrupt] may be
/// called by any thread.
public abstract class PciFunction {
    public static final int COMMAND_IO = 0x001;
    public static final int COMMAND_MEMORY = 0x002;
    public static final int COMMAND_MASTER = 0x004;
    public static final int COMMAND_INTX_DISABLE = 0x400;
    private static final int COMMAND_WRITABLE = 0x547;
    private static final int STATUS_INTERRUPT = 0x08;
    private static final int STATUS_CAPABILITIES = 0x10;
    private static final int STATUS_CLEARED_BY_ONE = 0xf900;
    private static final int FIRST_CAPABILITY = 0x40;

    private final String name;
    private final PciIdentity identity;
    private final ConfigSpace config = new ConfigSpace();
    private final List<Bar> bars = new ArrayList<>();
    private final GuestErrors errors;
    private byte @Nullable [] powerOn;
    private @Nullable PciHost host;
    private @Nullable PciAddress address;
    private @Nullable MsixCapability msix;
    private boolean express;
    private int nextCapability = FIRST_CAPABILITY;
    private int lastCapability = ConfigSpace.CAPABILITY_POINTER;

    private final Bar.Listener barListener = new Bar.Listener() {
        @Override
        public void shown(int index, long address) {
            barShown(index, address);
        }

        @Override
        public void hidden(int index) {
            barHidden(index);
        }
    };

    private final Object pinLock = new Object();
    private boolean pinAsserted; // guarded by pinLock
    private boolean pinDriven; // guarded by pinLock
    private volatile int command;

    /// @param name for messages and bus listings
    protected PciFunction(String name, PciIdentity identity) {
        this.name = name;
        this.identity = identity;
        errors = new GuestErrors(name);
        config.set(ConfigSpace.VENDOR_ID, 2, identity.vendor());
        config.set(ConfigSpace.DEVICE_ID, 2, identity.device());
        config.set(ConfigSpace.REVISION_ID, 4, (long) identity.classCode() << 8 | identity.revision());
        config.set(ConfigSpace.SUBSYSTEM_VENDOR_ID, 2, identity.subsystemVendor());
        config.set(ConfigSpace.SUBSYSTEM_ID, 2, identity.subsystemDevice());
        config.allow(ConfigSpace.COMMAND, 2, COMMAND_WRITABLE);
        config.allowClear(ConfigSpace.STATUS, 2, STATUS_CLEARED_BY_ONE);
        config.allow(ConfigSpace.CACHE_LINE_SIZE, 1, 0xff);
        config.allow(ConfigSpace.LATENCY_TIMER, 1, 0xff);
        config.allow(ConfigSpace.INTERRUPT_LINE, 1, 0xff);
    }

    public final String name() {
        return name;
    }

    public final PciIdentity identity() {
        return identity;
    }

    /// Where it was put, once it has been added to a host.
    public final Optional<PciAddress> address() {
        return Optional.ofNullable(address);
    }

    /// Guest misbehaviour of this function, counted and logged.
    public final GuestErrors errors() {
        return errors;
    }

    // ---- for subclasses, while they are built

    protected final ConfigSpace config() {
        return config;
    }

    /// Declares a base address register. A wide one takes `index` and the next.
    protected final void addBar(int index, BarKind kind, long sizeBytes, IoDevice device) {
        int last = kind.wide() ? index + 1 : index;
        if (index < 0 || last > 5) {
            throw new IllegalArgumentException("%s: no BAR %d".formatted(name, index));
        }
        for (Bar other : bars) {
            int otherLast = other.kind().wide() ? other.index() + 1 : other.index();
            if (index <= otherLast && other.index() <= last) {
                throw new IllegalArgumentException("%s: BAR %d is in use".formatted(name, index));
            }
        }
        var bar = new Bar(name + "-bar" + index, index, kind, sizeBytes, device, barListener, errors);
        bar.declare(config);
        bars.add(bar);
    }

    /// Appends a capability and answers its offset; its own bytes, from offset 2 on, are zero and read-only.
    protected final int addCapability(int id, int lengthBytes) {
        int at = nextCapability;
        if (at + lengthBytes > ConfigSpace.CONVENTIONAL_BYTES) {
            throw new IllegalArgumentException("%s: no room for capability 0x%x".formatted(name, id));
        }
        config.set(at, 1, id);
        config.set(lastCapability, 1, at);
        config.set(ConfigSpace.STATUS, 2, config.read(ConfigSpace.STATUS, 2) | STATUS_CAPABILITIES);
        lastCapability = at + 1;
        nextCapability = at + lengthBytes + 3 & ~3;
        return at;
    }

    /// Keeps capabilities clear of registers below `offset`.
    protected final void startCapabilitiesAt(int offset) {
        nextCapability = offset;
    }

    /// Shows all 4096 bytes in the memory-mapped window.
    final void markExpress() {
        express = true;
    }

    /// Adds the capability of an endpoint inside a PCI Express root complex.
    protected final void addPcieCapability() {
        PcieCapability.addTo(this);
    }

    protected final void markMultiFunction() {
        config.set(ConfigSpace.HEADER_TYPE, 1, 0x80);
    }

    /// Declares the interrupt pin, 1 (INTA#) to 4.
    protected final void usePin(int pin) {
        config.set(ConfigSpace.INTERRUPT_PIN, 1, pin);
    }

    final void useMsix(MsixCapability capability) {
        msix = capability;
    }

    // ---- for subclasses, while they run

    /// Called after a guest's write to configuration space, under the host's lock.
    protected void configWritten(int offset, int size) {}

    /// Called before a guest reads configuration space, under the host's lock.
    protected void configReading(int offset, int size) {}

    /// Back to the power-on state of the device behind the function; waits for what is under way. The function's
    /// own registers have been reset already. Not for vCPU threads.
    protected void deviceReset() {}

    /// The level of the INTx pin.
    protected final void interrupt(boolean asserted) {
        synchronized (pinLock) {
            pinAsserted = asserted;
            drivePinLocked();
        }
    }

    /// Whether the guest lets this function send messages and touch memory.
    protected final boolean busMaster() {
        return (command & COMMAND_MASTER) != 0;
    }

    /// Prepares a message for many sendings. Only for a function that is on a bus.
    final MsiRoute route(long gpa, int data) {
        PciHost to = host;
        if (to == null) {
            throw new IllegalStateException(name + " is on no bus");
        }
        return to.msi().route(gpa, data);
    }

    /// Whether the function may send messages: it is on a bus, as a master.
    final boolean maySend() {
        return host != null && busMaster();
    }

    /// Sends a message-signalled interrupt, if the function is a bus master.
    final void sendMessage(long gpa, int data) {
        PciHost to = host;
        if (to != null && busMaster()) {
            to.msi().send(gpa, data);
        }
    }

    /// Guest accesses arrive at BAR `index` from now on, from `address`. Under the host's lock.
    protected void barShown(int index, long address) {}

    /// Guest accesses no longer arrive at BAR `index`. Under the host's lock.
    protected void barHidden(int index) {}

    /// Lets go of what was prepared for messages; none will be sent any more.
    protected final void closeMessages() {
        MsixCapability table = msix;
        if (table != null) {
            table.close();
        }
    }

    /// The device behind BAR `index` when its memory decoding is on, for windows in configuration space.
    protected final Optional<IoDevice> visibleBar(int index) {
        return bars.stream()
                .filter(bar -> bar.index() == index && bar.visible())
                .map(Bar::device)
                .findFirst();
    }

    private void drivePinLocked() {
        PciHost to = host;
        PciAddress at = address;
        int pin = (int) config.read(ConfigSpace.INTERRUPT_PIN, 1);
        boolean level = pinAsserted && (command & COMMAND_INTX_DISABLE) == 0;
        if (to == null || at == null || pin == 0 || level == pinDriven) {
            return;
        }
        pinDriven = level;
        to.router().pin(at.device(), pin - 1, level);
    }

    // ---- for the host; all under its lock

    void attach(PciHost to, PciAddress at) {
        if (host != null) {
            throw new IllegalStateException(name + " is already on a bus");
        }
        host = to;
        address = at;
        powerOn = config.bytes();
    }

    List<Bar> bars() {
        return bars;
    }

    long readConfig(int offset, int size) {
        if (offset >= ConfigSpace.CONVENTIONAL_BYTES && !express) {
            return -1;
        }
        configReading(offset, size);
        long value = config.read(offset, size);
        if (offset <= ConfigSpace.STATUS && offset + size > ConfigSpace.STATUS) {
            synchronized (pinLock) {
                if (pinAsserted) {
                    value |= (long) STATUS_INTERRUPT << 8 * (ConfigSpace.STATUS - offset);
                }
            }
        }
        return value;
    }

    /// Answers whether a BAR freed a place on a bus.
    boolean writeConfig(int offset, int size, long value) {
        if (offset >= ConfigSpace.CONVENTIONAL_BYTES && !express) {
            return false;
        }
        config.write(offset, size, value);
        boolean freed = applyConfig();
        configWritten(offset, size);
        return freed;
    }

    private boolean applyConfig() {
        PciHost on = host;
        command = (int) config.read(ConfigSpace.COMMAND, 2);
        synchronized (pinLock) {
            drivePinLocked();
        }
        MsixCapability table = msix;
        if (table != null) {
            table.controlWritten(config);
        }
        boolean freed = false;
        if (on != null) {
            for (Bar bar : bars) {
                freed |= bar.update(config, on.busOf(bar.kind()));
            }
        }
        return freed;
    }

    /// Configuration space as after power-on; BARs disappear.
    void resetConfig() {
        byte[] initial = powerOn;
        if (initial != null) {
            config.load(initial);
        }
        MsixCapability table = msix;
        if (table != null) {
            table.reset();
        }
        applyConfig();
        configWritten(0, ConfigSpace.BYTES);
        interrupt(false);
    }

    /// Resets function and device, as a reset of the machine does. Waits for what is under way; not for vCPU
    /// threads.
    public final void reset() {
        PciHost on = host;
        if (on == null) {
            deviceReset();
            return;
        }
        synchronized (on.lock()) {
            resetConfig();
        }
        deviceReset();
        interrupt(false);
    }

    // ---- saved state

    /// Configuration space and MSI-X table.
    protected final PciFunctionState saveFunction() {
        MsixCapability table = msix;
        synchronized (lock()) {
            return new PciFunctionState(
                    config.bytes(),
                    table == null ? new int[0] : table.table(),
                    table == null ? new long[0] : table.pending());
        }
    }

    /// Takes over a saved configuration space. To be called once, right after the function was added to its host
    /// and before the guest runs.
    protected final void restoreFunction(PciFunctionState state) {
        MsixCapability table = msix;
        synchronized (lock()) {
            config.load(state.config());
            if (table != null) {
                table.load(state.msixTable(), state.msixPending());
            }
            applyConfig();
            configWritten(0, ConfigSpace.BYTES);
        }
    }

    private Object lock() {
        PciHost on = host;
        return on == null ? this : on.lock();
    }
}
