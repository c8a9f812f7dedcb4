package org.jvirt.engine.soft.translate.verify;

/// The layout of an entry state and of a record in the log: registers, frame, system registers, XSAVE area.
final class Slot {
    static final int GENERAL = 0;
    static final int RIP = 0x80;
    static final int CS = 0x88;
    static final int RFLAGS = 0x90;
    static final int RSP = 0x98;
    static final int SS = 0xA0;
    static final int FS_BASE = 0xA8;
    static final int GS_BASE = 0xB0;
    static final int CR0 = 0xB8;
    static final int CR4 = 0xC0;
    static final int XCR0 = 0xC8;
    /// In an entry: whether CR0, CR4 and XCR0 are to be loaded.
    static final int SPECIAL = 0xD0;
    /// In the log.
    static final int VECTOR = 0xD0;
    static final int ERROR_CODE = 0xD8;
    static final int CR2 = 0xE0;
    static final int SELECTORS = 0xE8;
    static final int EXTENDED = 0x100;
    static final int EXTENDED_BYTES = 576 + 256;
    static final int BYTES = EXTENDED + EXTENDED_BYTES;

    private Slot() {}
}
