package org.jvirt.engine.soft.translate.verify;

/// Where things lie in the machine of a verified program.
///
/// ```
/// physical
/// 0x00_1000  kernel        0x00_3000  GDT, IDT, TSS     0x00_8000  page tables
/// 0x01_0000  stacks        0x02_0000  the kernel's own words
/// 0x04_0000  entry states  0x0C_0000  the log of exits
/// 0x14_0000  code          0x18_0000  data, most of its pages in another order
/// 0xD000_0000  a page of read-only memory               0xE000_0000  a page of device registers
///
/// virtual
/// KERNEL + physical         the first 1.25 MiB, for the kernel only
/// CODE or CODE_HIGH         the program
/// DATA                      its data; again DATA behind the code (where RIP-relative operands reach them)
///                           and at DATA_HIGH
/// ```
///
/// The addresses are chosen so that the numbers that programs like to compute (small ones, powers of two) hit
/// nothing.
final class Layout {
    static final int PAGE = 0x1000;
    static final long RAM_BYTES = 0x20_0000;

    static final long KERNEL_GPA = 0x1000;
    static final long GDT_GPA = 0x3000;
    static final long IDT_GPA = 0x4000;
    static final long TSS_GPA = 0x5000;
    static final long TABLES_GPA = 0x8000;
    static final int TABLES_BYTES = 0x1_8000 - 0x8000;
    static final long WORDS_GPA = 0x2_0000;
    static final long ENTRIES_GPA = 0x4_0000;
    static final long LOG_GPA = 0xC_0000;
    static final long CODE_GPA = 0x14_0000;
    static final int CODE_BYTES = 0x4000;
    static final long DATA_GPA = 0x18_0000;

    static final long ROM_GPA = 0xD000_0000L;
    static final long DEVICE_GPA = 0xE000_0000L;

    static final long KERNEL = 0xFFFF_FFFF_9A60_0000L;
    static final int KERNEL_BYTES = 0x14_0000;
    static final long FAULT_STACK = KERNEL + 0x1_F000;
    static final long INTERRUPT_STACK = KERNEL + 0x1_E000;
    static final long KERNEL_STACK = KERNEL + 0x1_C000;

    static final long CODE = 0x1234_0000L;
    static final long CODE_HIGH = 0xFFFF_FFFF_A123_0000L;
    static final long DATA = 0x2345_0000L;
    static final long DATA_HIGH = 0xFFFF_9876_5432_0000L;

    static final int EXIT_PORT = 0xF4;
    static final int END_VECTOR = 0x81;
    static final int RETURN_VECTOR = 0x80;
    static final int INTERRUPT_VECTOR = 0x90;

    static final int CODE64 = 0x08;
    static final int DATA_SELECTOR = 0x10;
    static final int USER_CODE32 = 0x1B;
    static final int USER_DATA = 0x23;
    static final int USER_CODE64 = 0x2B;
    static final int TASK = 0x30;
    static final int CODE32 = 0x40;

    private Layout() {}
}
