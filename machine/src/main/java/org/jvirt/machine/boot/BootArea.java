package org.jvirt.machine.boot;

/// Where direct boot puts what it hands over; see the package.
final class BootArea {
    static final long GDT = 0x500;
    static final long INFORMATION = 0x6000;
    static final long ZERO_PAGE = 0x7000;
    static final long PAGE_TABLES = 0x9000;
    static final long SETUP_DATA = 0x1_0000;
    static final long COMMAND_LINE = 0x2_0000;
    static final int COMMAND_LINE_BYTES = 0x1_0000;

    private BootArea() {}
}
