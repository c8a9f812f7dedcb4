package org.jvirt.devices.virtio.console;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.List;
import org.jvirt.devices.virtio.DescriptorChain;
import org.jvirt.devices.virtio.RingViolation;
import org.jvirt.devices.virtio.VirtQueue;

/// The messages about ports (virtio §5.3.6.2).
///
/// ```
/// driver                        device
/// DEVICE_READY 1        ─────►
///                       ◄─────  PORT_ADD             for each port
/// PORT_READY 1          ─────►                       for each port
///                       ◄─────  CONSOLE_PORT 1, RESIZE   if it is a console
///                       ◄─────  PORT_NAME            if it has a name
///                       ◄─────  PORT_OPEN 1
/// PORT_OPEN 0 or 1      ─────►                       as programs come and go
/// ```
///
/// Thread-safe; messages wait, bounded, until the driver gives buffers.
final class ControlChannel {
    static final int DEVICE_READY = 0;
    static final int PORT_ADD = 1;
    static final int PORT_READY = 3;
    static final int CONSOLE_PORT = 4;
    static final int RESIZE = 5;
    static final int PORT_OPEN = 6;
    static final int PORT_NAME = 7;

    private static final int MESSAGE_BYTES = 8;
    private static final int MAX_WAITING_PER_PORT = 32;

    private final List<ConsolePort> ports;
    private final ArrayDeque<byte[]> waiting = new ArrayDeque<>(); // guarded by this
    private final byte[] received = new byte[MESSAGE_BYTES]; // queue thread only
    private final ByteBuffer fields = ByteBuffer.wrap(received).order(ByteOrder.LITTLE_ENDIAN);
    private int columns; // guarded by this
    private int rows; // guarded by this

    ControlChannel(List<ConsolePort> ports, ConsoleState saved) {
        this.ports = ports;
        waiting.addAll(saved.control());
        columns = saved.columns();
        rows = saved.rows();
    }

    synchronized void reset() {
        waiting.clear();
    }

    synchronized List<byte[]> waiting() {
        return List.copyOf(waiting);
    }

    /// Notes a new size and tells every console port of a driver that has got to know it.
    synchronized void resize(int newColumns, int newRows, boolean tell) {
        columns = newColumns;
        rows = newRows;
        for (int id = 0; tell && id < ports.size(); id++) {
            if (ports.get(id).spec().console() && waiting.size() < MAX_WAITING_PER_PORT * ports.size()) {
                sendSize(id);
            }
        }
    }

    synchronized int columns() {
        return columns;
    }

    synchronized int rows() {
        return rows;
    }

    private void sendSize(int id) {
        // Rows before columns: the order every Linux reads, though virtio 1.2 prints columns first.
        byte[] body = {(byte) rows, (byte) (rows >> 8), (byte) columns, (byte) (columns >> 8)};
        send(id, RESIZE, 0, body);
    }

    private synchronized void send(int id, int event, int value, byte[] body) {
        if (waiting.size() >= MAX_WAITING_PER_PORT * ports.size()) {
            throw new RingViolation("control messages asked for and not taken");
        }
        ByteBuffer message = ByteBuffer.allocate(MESSAGE_BYTES + body.length).order(ByteOrder.LITTLE_ENDIAN);
        message.putInt(id).putShort((short) event).putShort((short) value).put(body);
        waiting.add(message.array());
    }

    /// Hands waiting messages to the driver.
    void serveOut(VirtQueue queue, DescriptorChain chain) {
        do {
            while (!empty() && queue.pop(chain)) {
                byte[] message = take();
                int length = (int) Math.min(message.length, chain.writableBytes());
                chain.write(0, message, length);
                queue.push(chain, length);
                queue.signal();
            }
        } while (!empty() && queue.armNotification());
        queue.signal();
    }

    private synchronized boolean empty() {
        return waiting.isEmpty();
    }

    private synchronized byte[] take() {
        return waiting.remove();
    }

    /// Takes the driver's messages. Answers whether there is something to say in return.
    boolean serveIn(VirtQueue queue, DescriptorChain chain) {
        boolean answered = false;
        do {
            queue.suppressNotification();
            while (queue.pop(chain)) {
                if (chain.readableBytes() >= MESSAGE_BYTES) {
                    chain.read(0, received, MESSAGE_BYTES);
                    answer(fields.getInt(0), fields.getShort(4), fields.getShort(6));
                    answered = true;
                }
                queue.push(chain, 0);
                queue.signal();
            }
        } while (queue.armNotification());
        queue.signal();
        return answered;
    }

    private synchronized void answer(int id, int event, int value) {
        if (event == DEVICE_READY && value == 1) {
            for (int port = 0; port < ports.size(); port++) {
                send(port, PORT_ADD, 1, new byte[0]);
            }
            return;
        }
        if (id < 0 || id >= ports.size()) {
            return;
        }
        ConsolePort port = ports.get(id);
        if (event == PORT_OPEN) {
            port.setGuestOpen(value == 1);
        } else if (event == PORT_READY && value == 1) {
            introduce(id, port.spec());
        }
    }

    private void introduce(int id, PortSpec spec) {
        if (spec.console()) {
            send(id, CONSOLE_PORT, 1, new byte[0]);
            if (columns > 0 && rows > 0) {
                sendSize(id);
            }
        }
        if (!spec.name().isEmpty()) {
            send(id, PORT_NAME, 1, spec.name().getBytes(StandardCharsets.UTF_8));
        }
        send(id, PORT_OPEN, 1, new byte[0]);
    }
}
