package org.jvirt.devices.virtio.rng;

import org.jspecify.annotations.Nullable;
import org.jvirt.core.EntropySource;
import org.jvirt.devices.virtio.DescriptorChain;
import org.jvirt.devices.virtio.VirtQueue;
import org.jvirt.devices.virtio.VirtioDevice;
import org.jvirt.devices.virtio.VirtioKind;
import org.jvirt.devices.virtio.VirtioTransport;

/// Random bytes for the guest, at most 64 KiB a request: a driver that asks for more gets a short answer.
public final class VirtioRng implements VirtioDevice<VirtioRng.State> {
    private static final int MAX_BYTES = 64 << 10;
    private static final int CHUNK_BYTES = 4096;
    private static final int QUEUE_SIZE = 64;

    private final EntropySource source;
    private @Nullable DescriptorChain chain;

    /// Nothing: requests are complete before anything is saved.
    public record State() {}

    public VirtioRng(EntropySource source) {
        this.source = source;
    }

    @Override
    public VirtioKind kind() {
        return VirtioKind.RNG;
    }

    @Override
    public long features() {
        return 0;
    }

    @Override
    public int queues() {
        return 1;
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
    public void connect(VirtioTransport transport) {
        chain = new DescriptorChain(transport.memory());
    }

    @Override
    public void start(long features) {}

    @Override
    public void reset() {}

    @Override
    public void serve(int index, VirtQueue queue) {
        DescriptorChain request = chain;
        if (request == null) {
            throw new IllegalStateException("The entropy device serves a queue without being connected");
        }
        do {
            queue.suppressNotification();
            while (queue.pop(request)) {
                int wanted = (int) Math.min(request.writableBytes(), MAX_BYTES);
                for (int at = 0; at < wanted; at += CHUNK_BYTES) {
                    var random = new byte[Math.min(CHUNK_BYTES, wanted - at)];
                    source.fill(random);
                    request.write(at, random, random.length);
                }
                queue.push(request, wanted);
                queue.signal();
            }
        } while (queue.armNotification());
        queue.signal();
    }

    @Override
    public long readConfig(int offset, int size) {
        return 0;
    }

    @Override
    public void writeConfig(int offset, int size, long value) {}

    @Override
    public State save() {
        return new State();
    }

    @Override
    public void close() {}
}
