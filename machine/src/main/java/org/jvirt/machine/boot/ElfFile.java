package org.jvirt.machine.boot;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.jvirt.core.GuestMemory;
import org.jvirt.core.UserErrorException;
import org.jvirt.machine.layout.MemoryMap;

/// An ELF executable of 32 or 64 bits for x86. Source: System V ABI, chapters 4 and 5.
final class ElfFile {
    private static final int MAGIC = 0x464c457f;
    private static final int EM_386 = 3;
    private static final int EM_X86_64 = 62;
    private static final int PT_LOAD = 1;
    private static final int PT_NOTE = 4;
    private static final int PVH_ENTRY_NOTE = 18;

    /// A part of the file and where it goes.
    private record Segment(long offset, long gpa, long fileBytes, long memoryBytes) {}

    private final Image image;
    private final boolean wide;
    private final long entry;
    private final List<Segment> segments = new ArrayList<>();
    private OptionalLong pvhEntry = OptionalLong.empty();

    ElfFile(Image image) {
        this.image = image;
        wide = image.u8(4) == 2;
        int machine = image.u16(18);
        if (machine != EM_386 && machine != EM_X86_64 || image.u8(5) != 1) {
            throw new UserErrorException("The kernel '%s' is ELF for another processor (machine %d): jvirt runs x86"
                    .formatted(image.file().path(), machine));
        }
        entry = wide ? image.u64(24) : image.u32(24);
        long table = wide ? image.u64(32) : image.u32(28);
        int entryBytes = image.u16(wide ? 54 : 42);
        int count = image.u16(wide ? 56 : 44);
        for (int i = 0; i < count; i++) {
            programHeader(table + (long) i * entryBytes);
        }
        if (segments.isEmpty()) {
            throw new UserErrorException("The kernel '%s' is ELF without anything to load: is it an object file?"
                    .formatted(image.file().path()));
        }
    }

    static boolean isElf(Image image) {
        return image.has(0, 52) && image.i32(0) == MAGIC;
    }

    private void programHeader(long at) {
        int type = image.i32(at);
        long offset = wide ? image.u64(at + 8) : image.u32(at + 4);
        long fileBytes = wide ? image.u64(at + 32) : image.u32(at + 16);
        if (type == PT_LOAD) {
            long gpa = wide ? image.u64(at + 24) : image.u32(at + 12);
            long memoryBytes = wide ? image.u64(at + 40) : image.u32(at + 20);
            image.check(offset, fileBytes);
            if (memoryBytes > 0) {
                segments.add(new Segment(offset, gpa, Math.min(fileBytes, memoryBytes), memoryBytes));
            }
        } else if (type == PT_NOTE) {
            image.check(offset, fileBytes);
            notes(offset, offset + fileBytes);
        }
    }

    private void notes(long start, long end) {
        long at = start;
        while (at + 12 <= end) {
            long nameBytes = image.u32(at);
            long descriptorBytes = image.u32(at + 4);
            int type = image.i32(at + 8);
            long name = at + 12;
            long descriptor = name + (nameBytes + 3 & -4);
            if (type == PVH_ENTRY_NOTE && nameBytes == 4 && image.i32(name) == 0x006e6558 && descriptorBytes >= 4) {
                pvhEntry = OptionalLong.of(descriptorBytes >= 8 ? image.u64(descriptor) : image.u32(descriptor));
            }
            at = descriptor + (descriptorBytes + 3 & -4);
        }
    }

    long entry() {
        return entry;
    }

    /// The 32-bit entry point that Xen's note names.
    OptionalLong pvhEntry() {
        return pvhEntry;
    }

    HostFile file() {
        return image.file();
    }

    /// The end of what is loaded below 4 GiB.
    long end() {
        return segments.stream().mapToLong(s -> s.gpa + s.memoryBytes).max().orElse(0);
    }

    /// Below 1 MiB there is room between what multiboot and PVH kernels are handed: see [BootArea].
    void checkFits(MemoryMap memory) {
        for (Segment s : segments) {
            long end = s.gpa + s.memoryBytes;
            boolean low = s.gpa >= BootArea.ZERO_PAGE
                    && end >= s.gpa
                    && end <= MemoryMap.EBDA
                    && (end <= BootArea.COMMAND_LINE || s.gpa >= BootArea.COMMAND_LINE + BootArea.COMMAND_LINE_BYTES);
            boolean main = s.gpa >= MemoryMap.ONE_MIB && end >= s.gpa && end <= memory.lowRamEnd();
            if (!low && !main) {
                throw new UserErrorException("The kernel '%s' wants to lie at 0x%x–0x%x, where %s: %s"
                        .formatted(
                                image.file().path(),
                                s.gpa,
                                end - 1,
                                s.gpa >= MemoryMap.ONE_MIB
                                        ? "the machine's %s end".formatted(MemoryMap.size(memory.ramBytes()))
                                        : "the machine keeps its tables",
                                s.gpa >= MemoryMap.ONE_MIB && end > 0 && end <= MemoryMap.LOW_RAM_END
                                        ? "give at least %d MiB of memory"
                                                .formatted(Math.ceilDiv(end, MemoryMap.ONE_MIB))
                                        : "link it to another address"));
            }
        }
    }

    void load(GuestMemory memory) {
        for (Segment s : segments) {
            image.copyTo(memory, s.gpa, s.offset, s.fileBytes);
            memory.fill(s.gpa + s.fileBytes, s.memoryBytes - s.fileBytes, (byte) 0);
        }
    }
}
