package org.jvirt.devices.pci;

/// The PCI Express capability, version 2, of an endpoint inside the root complex (PCIe 3.0 §7.8): what a function
/// directly on bus 0 of a q35 machine carries. It has no link, so the link registers are zero.
final class PcieCapability {
    private static final int ID = 0x10;
    private static final int LENGTH = 0x3c;
    private static final int VERSION_2 = 2;
    private static final int ROOT_COMPLEX_INTEGRATED_ENDPOINT = 9;
    private static final int DEVICE_CAPABILITIES = 4;
    private static final int ROLE_BASED_ERROR_REPORTING = 1 << 15;
    private static final int DEVICE_CONTROL = 8;
    private static final int DEVICE_CONTROL_WRITABLE = 0x7fff;
    private static final int DEVICE_STATUS = 10;
    private static final int DEVICE_STATUS_CLEARED_BY_ONE = 0xf;

    private PcieCapability() {}

    static void addTo(PciFunction function) {
        int at = function.addCapability(ID, LENGTH);
        ConfigSpace config = function.config();
        config.set(at + 2, 2, VERSION_2 | ROOT_COMPLEX_INTEGRATED_ENDPOINT << 4);
        config.set(at + DEVICE_CAPABILITIES, 4, ROLE_BASED_ERROR_REPORTING);
        config.allow(at + DEVICE_CONTROL, 2, DEVICE_CONTROL_WRITABLE);
        config.allowClear(at + DEVICE_STATUS, 2, DEVICE_STATUS_CLEARED_BY_ONE);
        function.markExpress();
    }
}
