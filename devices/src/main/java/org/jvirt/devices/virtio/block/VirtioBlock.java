package org.jvirt.devices.virtio.block;

import org.jspecify.annotations.Nullable;
import org.jvirt.core.BlockBackend;
import org.jvirt.devices.pci.GuestErrors;
import org.jvirt.devices.storage.StorageDevice;
import org.jvirt.devices.virtio.DescriptorChain;
import org.jvirt.devices.virtio.VirtQueue;
import org.jvirt.devices.virtio.VirtioDevice;
import org.jvirt.devices.virtio.VirtioKind;
import org.jvirt.devices.virtio.VirtioTransport;

/// A disk. Each queue has a thread of its own, so requests in different queues run in parallel; those of one queue
/// run in order.
///
/// The size is the backend's when the device is made, and again at each [#resized]; if the backend shrinks in
/// between, requests behind its end fail.
public final class VirtioBlock implements VirtioDevice<VirtioBlock.State>, StorageDevice {
    private final BlockBackend backend;
    private final BlockOptions options;
    private final BlockConfig config;
    private final Lane[] lanes;
    private @Nullable VirtioTransport transport;
    private volatile boolean started;
    private volatile boolean flushNegotiated;
    private volatile boolean cacheSwitchNegotiated;
    private volatile boolean writeback;

    /// What the driver can change.
    ///
    /// @param writeback whether writes may stay in a cache until flushed
    public record State(boolean writeback) {
        /// After power-on.
        public static final State RESET = new State(true);
    }

    /// What one queue's thread works with.
    private record Lane(DescriptorChain chain, BlockRequest request, BlockIo io) {}

    public VirtioBlock(BlockBackend backend, BlockOptions options) {
        this(backend, options, State.RESET);
    }

    /// A device as it was saved, on the same backend with the same options.
    public VirtioBlock(BlockBackend backend, BlockOptions options, State saved) {
        this.backend = backend;
        this.options = options;
        config = new BlockConfig(backend.sizeBytes() / BlockConfig.SECTOR_BYTES, options);
        lanes = new Lane[options.queues()];
        setWriteback(saved.writeback());
    }

    @Override
    public VirtioKind kind() {
        return VirtioKind.BLOCK;
    }

    @Override
    public long features() {
        long features = BlockFeature.VIRTIO_BLK_F_SEG_MAX
                | BlockFeature.VIRTIO_BLK_F_GEOMETRY
                | BlockFeature.VIRTIO_BLK_F_BLK_SIZE
                | BlockFeature.VIRTIO_BLK_F_FLUSH
                | BlockFeature.VIRTIO_BLK_F_TOPOLOGY
                | BlockFeature.VIRTIO_BLK_F_CONFIG_WCE;
        if (options.queues() > 1) {
            features |= BlockFeature.VIRTIO_BLK_F_MQ;
        }
        return features
                | (backend.readOnly()
                        ? BlockFeature.VIRTIO_BLK_F_RO
                        : BlockFeature.VIRTIO_BLK_F_DISCARD | BlockFeature.VIRTIO_BLK_F_WRITE_ZEROES);
    }

    @Override
    public int queues() {
        return options.queues();
    }

    @Override
    public int queueSize() {
        return options.queueSize();
    }

    @Override
    public int workers() {
        return options.queues();
    }

    @Override
    public int workerOf(int queue) {
        return queue;
    }

    @Override
    public void connect(VirtioTransport to) {
        transport = to;
        var failures = new GuestErrors("disk " + backend.name());
        for (int i = 0; i < lanes.length; i++) {
            lanes[i] = new Lane(
                    new DescriptorChain(to.memory()),
                    new BlockRequest(),
                    new BlockIo(backend, options.serial(), config, failures));
        }
    }

    /// Tells the driver the backend's size of now. Any thread.
    @Override
    public void resized() {
        config.setSectors(backend.sizeBytes() / BlockConfig.SECTOR_BYTES);
        VirtioTransport to = transport;
        if (to != null) {
            to.configChanged();
        }
    }

    @Override
    public void start(long features) {
        flushNegotiated = (features & BlockFeature.VIRTIO_BLK_F_FLUSH) != 0;
        cacheSwitchNegotiated = (features & BlockFeature.VIRTIO_BLK_F_CONFIG_WCE) != 0;
        started = true;
    }

    @Override
    public void reset() {
        started = false;
        setWriteback(true);
    }

    @Override
    public void serve(int index, VirtQueue queue) {
        Lane lane = lanes[index];
        DescriptorChain chain = lane.chain();
        do {
            queue.suppressNotification();
            while (queue.pop(chain)) {
                lane.request().parse(chain);
                int status = lane.io().execute(lane.request(), chain, !cached());
                chain.writeByte(lane.request().dataInBytes(), status);
                queue.push(chain, chain.writableBytes());
                queue.signal();
            }
        } while (queue.armNotification());
        // An interrupt that a save or a halt left open.
        queue.signal();
    }

    /// Without VIRTIO_BLK_F_FLUSH a driver cannot flush, so every write must (virtio §5.2.5.2).
    private boolean cached() {
        return flushNegotiated && (!cacheSwitchNegotiated || writeback);
    }

    @Override
    public long readConfig(int offset, int size) {
        return config.read(offset, size);
    }

    @Override
    public void writeConfig(int offset, int size, long value) {
        if (BlockConfig.isWriteback(offset, size) && (!started || cacheSwitchNegotiated)) {
            setWriteback((value & 1) != 0);
        }
    }

    private void setWriteback(boolean on) {
        writeback = on;
        config.setWriteback(on);
    }

    @Override
    public State save() {
        return new State(writeback);
    }

    @Override
    public void close() {}
}
