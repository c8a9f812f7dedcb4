package org.jvirt.devices.virtio;

/// The feature bits of queues and transport (virtio §6), as masks.
public final class VirtioFeature {
    public static final long VIRTIO_F_INDIRECT_DESC = 1L << 28;
    public static final long VIRTIO_F_EVENT_IDX = 1L << 29;
    public static final long VIRTIO_F_VERSION_1 = 1L << 32;
    public static final long VIRTIO_F_RING_PACKED = 1L << 34;

    /// What every device offers.
    static final long TRANSPORT =
            VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | VIRTIO_F_VERSION_1 | VIRTIO_F_RING_PACKED;

    private VirtioFeature() {}
}
