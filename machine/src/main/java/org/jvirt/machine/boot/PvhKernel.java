package org.jvirt.machine.boot;

import java.util.Optional;
import org.jvirt.core.GuestMemory;
import org.jvirt.core.UserErrorException;
import org.jvirt.core.cpu.CpuState;
import org.jvirt.machine.layout.E820Entry;

/// An ELF kernel with a PVH note (an uncompressed Linux `vmlinux`, FreeBSD): entered in 32-bit protected mode with
/// EBX pointing at the start information. Source: Xen `public/arch-x86/hvm/start_info.h`, version 1.
final class PvhKernel implements BootLoader {
    private static final int MAGIC = 0x336ec578;
    private static final int VERSION = 1;
    private static final int MODULE_LIST = 0x40;
    private static final int MEMORY_MAP = 0x80;
    private static final int INFORMATION_BYTES = 0x400;

    private final BootRequest request;
    private final ElfFile elf;
    private final long entry;
    private final byte[] commandLine;
    private final Optional<HostFile> initrd;
    private final long initrdGpa;

    PvhKernel(BootRequest request, ElfFile elf) {
        this.request = request;
        this.elf = elf;
        entry = elf.pvhEntry()
                .orElseThrow(() -> new UserErrorException(
                        "The kernel '%s' is ELF, but has neither a PVH note nor a multiboot header: give the bzImage (vmlinuz)"
                                .formatted(request.kernel())));
        elf.checkFits(request.memory());
        commandLine = CommandLine.encode(request.commandLine(), BootArea.COMMAND_LINE_BYTES - 1);
        initrd = request.initrd().map(path -> HostFile.of("initrd", path));
        initrdGpa = initrd.map(file -> InitrdPlace.below(file, elf.end(), Long.MAX_VALUE, request.memory()))
                .orElse(0L);
    }

    @Override
    public String description() {
        return "ELF kernel '%s' (PVH entry at 0x%x)".formatted(request.kernel(), entry);
    }

    @Override
    public boolean firmware() {
        return false;
    }

    @Override
    public CpuState load(GuestMemory memory, int signature) {
        elf.load(memory);
        initrd.ifPresent(file -> file.copyTo(memory, initrdGpa));
        memory.write(BootArea.COMMAND_LINE, commandLine);
        long info = BootArea.INFORMATION;
        memory.fill(info, INFORMATION_BYTES, (byte) 0);
        memory.writeInt(info, MAGIC);
        memory.writeInt(info + 4, VERSION);
        initrd.ifPresent(file -> {
            memory.writeInt(info + 12, 1);
            memory.writeLong(info + 16, info + MODULE_LIST);
            memory.writeLong(info + MODULE_LIST, initrdGpa);
            memory.writeLong(info + MODULE_LIST + 8, file.sizeBytes());
        });
        memory.writeLong(info + 24, BootArea.COMMAND_LINE);
        memory.writeLong(info + 32, request.rsdpGpa());
        memory.writeLong(info + 40, info + MEMORY_MAP);
        int count = 0;
        for (E820Entry range : request.memory().e820()) {
            long at = info + MEMORY_MAP + 24L * count++;
            memory.writeLong(at, range.gpa());
            memory.writeLong(at + 8, range.sizeBytes());
            memory.writeInt(at + 16, range.type().number());
        }
        memory.writeInt(info + 48, count);
        long[] registers = new long[16];
        registers[EntryState.RBX] = info;
        return EntryState.protectedMode(memory, signature, entry, registers);
    }
}
