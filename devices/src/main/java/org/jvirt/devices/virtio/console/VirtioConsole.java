package org.jvirt.devices.virtio.console;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.UserErrorException;
import org.jvirt.devices.virtio.ConfigBytes;
import org.jvirt.devices.virtio.DescriptorChain;
import org.jvirt.devices.virtio.VirtQueue;
import org.jvirt.devices.virtio.VirtioDevice;
import org.jvirt.devices.virtio.VirtioKind;
import org.jvirt.devices.virtio.VirtioTransport;

/// Terminals and byte channels. One thread serves all queues.
///
/// ```
/// queue 0, 1       input and output of port 0
/// queue 2, 3       control, to and from the driver   (only with VIRTIO_CONSOLE_F_MULTIPORT)
/// queue 2n+2, 2n+3 input and output of port n ≥ 1
/// ```
///
/// A driver without the multiport feature sees port 0 alone.
public final class VirtioConsole implements VirtioDevice<ConsoleState> {
    /// More ports than this are refused: each has two queues and two interrupt vectors.
    public static final int MAX_PORTS = 31;

    static final long VIRTIO_CONSOLE_F_SIZE = 1;
    static final long VIRTIO_CONSOLE_F_MULTIPORT = 1L << 1;
    static final long VIRTIO_CONSOLE_F_EMERG_WRITE = 1L << 2;

    private static final int QUEUE_SIZE = 128;
    private static final int CONTROL_OUT = 2;
    private static final int CONTROL_IN = 3;
    private static final int CONFIG_BYTES = 12;
    private static final int CONFIG_EMERGENCY = 8;

    private final List<ConsolePort> ports = new ArrayList<>();
    private final ControlChannel control;
    private final ConfigBytes config = new ConfigBytes(CONFIG_BYTES);
    private @Nullable VirtioTransport transport;
    private @Nullable DescriptorChain chain;
    private volatile boolean multiport;

    public VirtioConsole(List<PortSpec> specs) {
        this(specs, powerOn(specs.size()));
    }

    /// A device as it was saved, with the same ports.
    public VirtioConsole(List<PortSpec> specs, ConsoleState saved) {
        if (specs.isEmpty() || specs.size() > MAX_PORTS) {
            throw new UserErrorException("A virtio console has 1–%d ports, not %d".formatted(MAX_PORTS, specs.size()));
        }
        if (!specs.getFirst().console()) {
            throw new UserErrorException("The first port of a virtio console must be a console");
        }
        for (int i = 0; i < specs.size(); i++) {
            ports.add(new ConsolePort(specs.get(i), saved.ports().get(i), this::wake));
        }
        control = new ControlChannel(ports, saved);
        config.set(0, 2, saved.columns());
        config.set(2, 2, saved.rows());
        config.set(4, 4, specs.size());
    }

    private static ConsoleState powerOn(int ports) {
        var states = new ArrayList<PortState>();
        for (int i = 0; i < ports; i++) {
            states.add(new PortState(false, new byte[0]));
        }
        return new ConsoleState(0, 0, states, List.of());
    }

    /// The terminal has a new size. Any thread.
    public void resize(int columns, int rows) {
        if (((columns | rows) & ~0xffff) != 0) {
            throw new IllegalArgumentException("Terminal of %d × %d".formatted(columns, rows));
        }
        config.set(0, 4, columns | (long) rows << 16);
        control.resize(columns, rows, multiport);
        VirtioTransport to = transport;
        if (to != null) {
            to.configChanged();
            to.wake(0);
        }
    }

    private void wake() {
        VirtioTransport to = transport;
        if (to != null) {
            to.wake(0);
        }
    }

    @Override
    public VirtioKind kind() {
        return VirtioKind.CONSOLE;
    }

    @Override
    public long features() {
        return VIRTIO_CONSOLE_F_SIZE | VIRTIO_CONSOLE_F_MULTIPORT | VIRTIO_CONSOLE_F_EMERG_WRITE;
    }

    @Override
    public int queues() {
        return 2 * ports.size() + 2;
    }

    @Override
    public int queueSize() {
        return QUEUE_SIZE;
    }

    @Override
    public int workers() {
        return 1;
    }

    @Override
    public int workerOf(int queue) {
        return 0;
    }

    @Override
    public void connect(VirtioTransport to) {
        chain = new DescriptorChain(to.memory());
        transport = to;
        ports.forEach(ConsolePort::connect);
    }

    @Override
    public void start(long features) {
        multiport = (features & VIRTIO_CONSOLE_F_MULTIPORT) != 0;
    }

    @Override
    public void reset() {
        multiport = false;
        control.reset();
        ports.forEach(ConsolePort::reset);
    }

    @Override
    public void serve(int index, VirtQueue queue) {
        DescriptorChain request = chain;
        if (request == null) {
            throw new IllegalStateException("The console serves a queue without being connected");
        }
        if (index == CONTROL_OUT) {
            control.serveOut(queue, request);
        } else if (index == CONTROL_IN) {
            if (control.serveIn(queue, request)) {
                wake();
            }
        } else {
            ConsolePort port = ports.get(index < CONTROL_OUT ? 0 : index / 2 - 1);
            if (index % 2 == 0) {
                port.serveInput(queue, request);
            } else {
                port.serveOutput(queue, request);
            }
        }
    }

    @Override
    public long readConfig(int offset, int size) {
        return config.read(offset, size);
    }

    @Override
    public void writeConfig(int offset, int size, long value) {
        if (offset == CONFIG_EMERGENCY) {
            ports.getFirst().writeEmergency((int) value);
        }
    }

    @Override
    public ConsoleState save() {
        return new ConsoleState(
                control.columns(),
                control.rows(),
                ports.stream().map(ConsolePort::save).toList(),
                control.waiting());
    }

    @Override
    public void close() {}
}
