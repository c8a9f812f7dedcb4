package org.jvirt.machine.boot;

import java.util.Optional;
import org.jvirt.core.GuestMemory;
import org.jvirt.core.UserErrorException;
import org.jvirt.core.cpu.CpuState;
import org.jvirt.machine.layout.E820Entry;
import org.jvirt.machine.layout.MemoryMap;

/// A compressed Linux kernel: entered in 64-bit mode where it can be, else in 32-bit protected mode.
///
/// Source: Linux `Documentation/arch/x86/boot.rst`, protocol 2.15, and `zero-page.rst`.
final class BzImage implements BootLoader {
    private static final int SETUP_SECTS = 0x1f1;
    private static final int SYSSIZE = 0x1f4;
    private static final int BOOT_FLAG = 0x1fe;
    private static final int JUMP_LENGTH = 0x201;
    private static final int HEADER = 0x202;
    private static final int VERSION = 0x206;
    private static final int TYPE_OF_LOADER = 0x210;
    private static final int LOADFLAGS = 0x211;
    private static final int CODE32_START = 0x214;
    private static final int RAMDISK_IMAGE = 0x218;
    private static final int RAMDISK_SIZE = 0x21c;
    private static final int CMD_LINE_PTR = 0x228;
    private static final int INITRD_ADDR_MAX = 0x22c;
    private static final int RELOCATABLE_KERNEL = 0x234;
    private static final int XLOADFLAGS = 0x236;
    private static final int CMDLINE_SIZE = 0x238;
    private static final int SETUP_DATA = 0x250;
    private static final int PREF_ADDRESS = 0x258;
    private static final int INIT_SIZE = 0x260;

    private static final int ZP_ACPI_RSDP_ADDR = 0x70;
    private static final int ZP_E820_ENTRIES = 0x1e8;
    private static final int ZP_E820_TABLE = 0x2d0;

    private static final int HDRS = 0x53726448;
    private static final int LOADED_HIGH = 1;
    private static final int KEEP_SEGMENTS = 1 << 6;
    private static final int XLF_KERNEL_64 = 1;
    private static final int OLDEST = 0x206;
    private static final int WITH_64_BIT_ENTRY = 0x20c;
    private static final int WITH_INIT_SIZE = 0x20a;
    private static final int UNDEFINED_LOADER = 0xff;
    private static final int ENTRY_64 = 0x200;
    private static final int SETUP_RNG_SEED = 9;
    private static final int SEED_BYTES = 32;
    private static final int SECTOR = 512;

    private final BootRequest request;
    private final Image image;
    private final int version;
    private final long setupBytes;
    private final long loadGpa;
    private final boolean enter64;
    private final byte[] commandLine;
    private final Optional<HostFile> initrd;
    private final long initrdGpa;

    BzImage(BootRequest request, Image image) {
        this.request = request;
        this.image = image;
        version = image.u16(VERSION);
        if (version < OLDEST || (image.u8(LOADFLAGS) & LOADED_HIGH) == 0) {
            throw new UserErrorException(
                    "The kernel '%s' speaks Linux boot protocol %d.%02d; 2.06 (Linux 2.6.22) or later is needed"
                            .formatted(request.kernel(), version >> 8, version & 0xff));
        }
        int sectors = image.u8(SETUP_SECTS);
        setupBytes = (long) ((sectors == 0 ? 4 : sectors) + 1) * SECTOR;
        checkComplete();
        enter64 = version >= WITH_64_BIT_ENTRY && (image.u16(XLOADFLAGS) & XLF_KERNEL_64) != 0;
        long preferred = version >= WITH_INIT_SIZE ? image.u64(PREF_ADDRESS) : MemoryMap.ONE_MIB;
        loadGpa = image.u8(RELOCATABLE_KERNEL) != 0 && version >= WITH_INIT_SIZE ? preferred : MemoryMap.ONE_MIB;
        long kernelBytes = image.sizeBytes() - setupBytes;
        long needed = version >= WITH_INIT_SIZE ? Math.max(image.u32(INIT_SIZE), kernelBytes) : 4 * kernelBytes;
        long kernelEnd = Math.max(loadGpa, preferred) + needed;
        checkFits(kernelEnd);
        commandLine = CommandLine.encode(request.commandLine(), image.u32(CMDLINE_SIZE));
        initrd = request.initrd().map(path -> HostFile.of("initrd", path));
        long initrdLimit = image.u32(INITRD_ADDR_MAX) + 1;
        initrdGpa = initrd.map(file -> InitrdPlace.below(file, kernelEnd, initrdLimit, request.memory()))
                .orElse(0L);
    }

    static boolean matches(Image image) {
        return image.has(0, INIT_SIZE + 4) && image.u16(BOOT_FLAG) == 0xaa55 && image.i32(HEADER) == HDRS;
    }

    private void checkComplete() {
        long wanted = setupBytes + image.u32(SYSSIZE) * 16;
        long missing = wanted - image.sizeBytes();
        if (missing >= 16 || image.sizeBytes() <= setupBytes) {
            throw new UserErrorException("The kernel '%s' is truncated: it has %d bytes of %d: fetch it again"
                    .formatted(request.kernel(), image.sizeBytes(), wanted));
        }
    }

    private void checkFits(long kernelEnd) {
        if (loadGpa < MemoryMap.ONE_MIB
                || kernelEnd < 0
                || kernelEnd > request.memory().lowRamEnd()) {
            throw new UserErrorException(
                    "The kernel '%s' needs memory from 0x%x to 0x%x to start; the machine has %s: %s"
                            .formatted(
                                    request.kernel(),
                                    loadGpa,
                                    kernelEnd,
                                    MemoryMap.size(request.memory().ramBytes()),
                                    kernelEnd > 0 && kernelEnd <= MemoryMap.LOW_RAM_END
                                            ? "give at least %d MiB"
                                                    .formatted(Math.ceilDiv(kernelEnd, MemoryMap.ONE_MIB))
                                            : "no amount of memory is enough, the file is damaged"));
        }
    }

    @Override
    public String description() {
        return "Linux kernel '%s' (boot protocol %d.%02d, %s entry)"
                .formatted(request.kernel(), version >> 8, version & 0xff, enter64 ? "64-bit" : "32-bit");
    }

    @Override
    public boolean firmware() {
        return false;
    }

    @Override
    public CpuState load(GuestMemory memory, int signature) {
        image.copyTo(memory, loadGpa, setupBytes, image.sizeBytes() - setupBytes);
        initrd.ifPresent(file -> file.copyTo(memory, initrdGpa));
        memory.write(BootArea.COMMAND_LINE, commandLine);
        writeZeroPage(memory);
        long[] registers = new long[16];
        registers[EntryState.RSI] = BootArea.ZERO_PAGE;
        registers[EntryState.RSP] = BootArea.PAGE_TABLES;
        return enter64
                ? EntryState.longMode(memory, signature, loadGpa + ENTRY_64, registers)
                : EntryState.protectedMode(memory, signature, loadGpa, registers);
    }

    private void writeZeroPage(GuestMemory memory) {
        long zp = BootArea.ZERO_PAGE;
        memory.fill(zp, GuestMemory.PAGE_BYTES, (byte) 0);
        int headerEnd = Math.min(HEADER + image.u8(JUMP_LENGTH), ZP_E820_TABLE);
        memory.write(zp + SETUP_SECTS, image.bytes(SETUP_SECTS, headerEnd - SETUP_SECTS));
        memory.writeByte(zp + TYPE_OF_LOADER, UNDEFINED_LOADER);
        memory.writeByte(zp + LOADFLAGS, (image.u8(LOADFLAGS) | LOADED_HIGH) & ~KEEP_SEGMENTS);
        memory.writeInt(zp + CODE32_START, (int) loadGpa);
        memory.writeInt(zp + CMD_LINE_PTR, (int) BootArea.COMMAND_LINE);
        initrd.ifPresent(file -> {
            memory.writeInt(zp + RAMDISK_IMAGE, (int) initrdGpa);
            memory.writeInt(zp + RAMDISK_SIZE, (int) file.sizeBytes());
        });
        memory.writeLong(zp + ZP_ACPI_RSDP_ADDR, request.rsdpGpa());
        int count = 0;
        for (E820Entry entry : request.memory().e820()) {
            long at = zp + ZP_E820_TABLE + 20L * count++;
            memory.writeLong(at, entry.gpa());
            memory.writeLong(at + 8, entry.sizeBytes());
            memory.writeInt(at + 16, entry.type().number());
        }
        memory.writeByte(zp + ZP_E820_ENTRIES, count);
        memory.writeLong(zp + SETUP_DATA, BootArea.SETUP_DATA);
        writeSeed(memory);
    }

    private void writeSeed(GuestMemory memory) {
        byte[] seed = new byte[SEED_BYTES];
        request.entropy().fill(seed);
        memory.writeLong(BootArea.SETUP_DATA, 0);
        memory.writeInt(BootArea.SETUP_DATA + 8, SETUP_RNG_SEED);
        memory.writeInt(BootArea.SETUP_DATA + 12, SEED_BYTES);
        memory.write(BootArea.SETUP_DATA + 16, seed);
    }
}
