package org.jvirt.machine.boot;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import org.jvirt.core.GuestMemory;
import org.jvirt.core.UserErrorException;
import org.jvirt.core.cpu.CpuState;
import org.jvirt.machine.layout.E820Entry;
import org.jvirt.machine.layout.MemoryMap;

/// A multiboot 1 kernel, as ELF of 32 or 64 bits or with addresses in its header; the initrd becomes its only
/// module. Either way it is entered in 32-bit protected mode. Source: Multiboot specification 0.6.96.
final class MultibootKernel implements BootLoader {
    private static final int HEADER_MAGIC = 0x1badb002;
    private static final int LOADER_MAGIC = 0x2badb002;
    private static final int SEARCH_BYTES = 8192;
    private static final int HAS_ADDRESSES = 1 << 16;
    private static final int UNKNOWN_REQUIREMENTS = 0xfff8;

    private static final int INFO_MEMORY = 1;
    private static final int INFO_COMMAND_LINE = 1 << 2;
    private static final int INFO_MODULES = 1 << 3;
    private static final int INFO_MEMORY_MAP = 1 << 6;
    private static final int INFO_LOADER_NAME = 1 << 9;
    private static final int LOWER_KIB = 639;

    private static final int MODULE_LIST = 0x80;
    private static final int MEMORY_MAP = 0xa0;
    private static final int LOADER_NAME = 0x300;
    private static final int MODULE_NAME = 0x310;
    private static final int INFORMATION_BYTES = 0x1000;

    /// How the kernel gets into memory, and where it begins.
    private interface Body {
        long entry();

        long end();

        void load(GuestMemory memory);
    }

    private final BootRequest request;
    private final Body body;
    private final byte[] commandLine;
    private final Optional<HostFile> initrd;
    private final long initrdGpa;

    MultibootKernel(BootRequest request, Image image, int header) {
        this.request = request;
        int flags = image.i32(header + 4);
        if ((flags & UNKNOWN_REQUIREMENTS) != 0) {
            throw new UserErrorException("The multiboot kernel '%s' requires features (0x%x) that nobody has defined"
                    .formatted(request.kernel(), flags & UNKNOWN_REQUIREMENTS));
        }
        body = (flags & HAS_ADDRESSES) != 0 && !ElfFile.isElf(image) ? plain(image, header) : elf(image);
        String line = request.commandLine().isEmpty()
                ? request.kernel().toString()
                : request.kernel() + " " + request.commandLine();
        commandLine = CommandLine.encode(line, BootArea.COMMAND_LINE_BYTES - 1);
        initrd = request.initrd().map(path -> HostFile.of("initrd", path));
        initrdGpa = initrd.map(this::placeModule).orElse(0L);
    }

    /// The offset of the multiboot header, or -1.
    static int header(Image image) {
        for (int at = 0; at < SEARCH_BYTES && image.has(at, 12); at += 4) {
            if (image.i32(at) == HEADER_MAGIC && HEADER_MAGIC + image.i32(at + 4) + image.i32(at + 8) == 0) {
                return at;
            }
        }
        return -1;
    }

    private Body elf(Image image) {
        if (!ElfFile.isElf(image)) {
            throw new UserErrorException("The multiboot kernel '%s' is neither ELF nor has addresses in its header"
                    .formatted(request.kernel()));
        }
        var elf = new ElfFile(image);
        elf.checkFits(request.memory());
        return new Body() {
            @Override
            public long entry() {
                return elf.entry() & 0xffff_ffffL;
            }

            @Override
            public long end() {
                return elf.end();
            }

            @Override
            public void load(GuestMemory memory) {
                elf.load(memory);
            }
        };
    }

    private Body plain(Image image, int header) {
        long headerGpa = image.u32(header + 12);
        long loadGpa = image.u32(header + 16);
        long loadEnd = image.u32(header + 20);
        long bssEnd = image.u32(header + 24);
        long entry = image.u32(header + 28);
        long offset = header - (headerGpa - loadGpa);
        if (offset < 0 || headerGpa < loadGpa || loadEnd != 0 && loadEnd < loadGpa) {
            throw new UserErrorException(
                    "The multiboot kernel '%s' has impossible addresses in its header".formatted(request.kernel()));
        }
        long length = loadEnd == 0 ? image.sizeBytes() - offset : loadEnd - loadGpa;
        image.check(offset, length);
        long end = Math.max(bssEnd, loadGpa + length);
        if (loadGpa < MemoryMap.ONE_MIB || end > request.memory().lowRamEnd()) {
            throw new UserErrorException("The multiboot kernel '%s' wants to lie at 0x%x–0x%x; free are 0x%x–0x%x"
                    .formatted(
                            request.kernel(),
                            loadGpa,
                            end - 1,
                            MemoryMap.ONE_MIB,
                            request.memory().lowRamEnd() - 1));
        }
        return new Body() {
            @Override
            public long entry() {
                return entry;
            }

            @Override
            public long end() {
                return end;
            }

            @Override
            public void load(GuestMemory memory) {
                image.copyTo(memory, loadGpa, offset, length);
                memory.fill(loadGpa + length, end - loadGpa - length, (byte) 0);
            }
        };
    }

    /// Right behind the kernel, on a page of its own.
    private long placeModule(HostFile module) {
        long gpa = Math.max(body.end(), MemoryMap.ONE_MIB) + GuestMemory.PAGE_BYTES - 1 & -GuestMemory.PAGE_BYTES;
        long end = request.memory().lowRamEnd();
        if (module.sizeBytes() > end - gpa) {
            throw new UserErrorException(
                    "The module '%s' has %s, but only %s are free behind the kernel: give more memory"
                            .formatted(
                                    module.path(),
                                    MemoryMap.size(module.sizeBytes()),
                                    MemoryMap.size(Math.max(0, end - gpa))));
        }
        return gpa;
    }

    @Override
    public String description() {
        return "multiboot kernel '%s' (entry at 0x%x)".formatted(request.kernel(), body.entry());
    }

    @Override
    public boolean firmware() {
        return false;
    }

    @Override
    public CpuState load(GuestMemory memory, int signature) {
        body.load(memory);
        initrd.ifPresent(file -> file.copyTo(memory, initrdGpa));
        memory.write(BootArea.COMMAND_LINE, commandLine);
        writeInformation(memory);
        long[] registers = new long[16];
        registers[EntryState.RAX] = LOADER_MAGIC;
        registers[EntryState.RBX] = BootArea.INFORMATION;
        return EntryState.protectedMode(memory, signature, body.entry(), registers);
    }

    private void writeInformation(GuestMemory memory) {
        long info = BootArea.INFORMATION;
        memory.fill(info, INFORMATION_BYTES, (byte) 0);
        memory.writeInt(info, INFO_MEMORY | INFO_COMMAND_LINE | INFO_MODULES | INFO_MEMORY_MAP | INFO_LOADER_NAME);
        memory.writeInt(info + 4, LOWER_KIB);
        memory.writeInt(info + 8, (int) (request.memory().lowRamEnd() - MemoryMap.ONE_MIB >> 10));
        memory.writeInt(info + 16, (int) BootArea.COMMAND_LINE);
        memory.writeInt(info + 20, initrd.isPresent() ? 1 : 0);
        memory.writeInt(info + 24, (int) info + MODULE_LIST);
        initrd.ifPresent(file -> {
            memory.writeInt(info + MODULE_LIST, (int) initrdGpa);
            memory.writeInt(info + MODULE_LIST + 4, (int) (initrdGpa + file.sizeBytes()));
            memory.writeInt(info + MODULE_LIST + 8, (int) info + MODULE_NAME);
            writeText(memory, info + MODULE_NAME, file.path().toString());
        });
        int at = MEMORY_MAP;
        for (E820Entry range : request.memory().e820()) {
            memory.writeInt(info + at, 20);
            memory.writeLong(info + at + 4, range.gpa());
            memory.writeLong(info + at + 12, range.sizeBytes());
            memory.writeInt(info + at + 20, range.type().number());
            at += 24;
        }
        memory.writeInt(info + 44, at - MEMORY_MAP);
        memory.writeInt(info + 48, (int) info + MEMORY_MAP);
        memory.writeInt(info + 64, (int) info + LOADER_NAME);
        writeText(memory, info + LOADER_NAME, "jvirt");
    }

    private static void writeText(GuestMemory memory, long gpa, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        int room = INFORMATION_BYTES - MODULE_NAME - 1;
        memory.write(gpa, bytes.length <= room ? bytes : Arrays.copyOf(bytes, room));
    }
}
