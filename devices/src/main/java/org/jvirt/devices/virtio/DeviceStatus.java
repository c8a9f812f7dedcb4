package org.jvirt.devices.virtio;

/// The bits of the device status field (virtio §2.1).
final class DeviceStatus {
    static final int ACKNOWLEDGE = 1;
    static final int DRIVER = 2;
    static final int DRIVER_OK = 4;
    static final int FEATURES_OK = 8;
    static final int DEVICE_NEEDS_RESET = 64;
    static final int FAILED = 128;

    private DeviceStatus() {}
}
