package org.jvirt.devices.fwcfg;

/// The fixed selector keys. Values of these items are little-endian.
public final class FwCfgKey {
    public static final int SIGNATURE = 0x00;
    public static final int ID = 0x01;
    public static final int UUID = 0x02;
    public static final int RAM_SIZE = 0x03;
    public static final int NOGRAPHIC = 0x04;
    public static final int NB_CPUS = 0x05;
    public static final int MACHINE_ID = 0x06;
    public static final int KERNEL_ADDR = 0x07;
    public static final int KERNEL_SIZE = 0x08;
    public static final int KERNEL_CMDLINE = 0x09;
    public static final int INITRD_ADDR = 0x0a;
    public static final int INITRD_SIZE = 0x0b;
    public static final int BOOT_DEVICE = 0x0c;
    public static final int NUMA = 0x0d;
    public static final int BOOT_MENU = 0x0e;
    public static final int MAX_CPUS = 0x0f;
    public static final int KERNEL_ENTRY = 0x10;
    public static final int KERNEL_DATA = 0x11;
    public static final int INITRD_DATA = 0x12;
    public static final int CMDLINE_ADDR = 0x13;
    public static final int CMDLINE_SIZE = 0x14;
    public static final int CMDLINE_DATA = 0x15;
    public static final int SETUP_ADDR = 0x16;
    public static final int SETUP_SIZE = 0x17;
    public static final int SETUP_DATA = 0x18;
    public static final int FILE_DIR = 0x19;
    public static final int FILE_FIRST = 0x20;

    /// Keys from here on are the architecture's own; those of x86 follow.
    public static final int ARCH_LOCAL = 0x8000;

    public static final int ACPI_TABLES = 0x8000;
    public static final int SMBIOS_ENTRIES = 0x8001;
    public static final int IRQ0_OVERRIDE = 0x8002;
    public static final int E820_TABLE = 0x8003;
    public static final int HPET = 0x8004;

    private FwCfgKey() {}
}
