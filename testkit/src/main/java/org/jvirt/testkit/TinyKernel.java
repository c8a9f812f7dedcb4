package org.jvirt.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;

/// Guests of a few bytes: code behind a multiboot header in an ELF file, entered in 32-bit protected mode without
/// paging.
///
/// ```
/// 0x10_0000  ELF header   0x10_0034  program header   0x10_0054  multiboot header   0x10_0060  code
/// ```
public final class TinyKernel {
    /// Where the code lies in guest memory.
    public static final int ENTRY = 0x10_0060;

    private static final int BASE = 0x10_0000;
    private static final int PROGRAM_HEADER = 0x34;
    private static final int MULTIBOOT_HEADER = 0x54;
    private static final int CODE = ENTRY - BASE;
    private static final int MULTIBOOT_MAGIC = 0x1bad_b002;

    private TinyKernel() {}

    /// Writes such a guest.
    ///
    /// @param code bytes, as integers for the writer's convenience
    /// @return `file`
    public static Path write(Path file, int... code) {
        int size = CODE + code.length;
        ByteBuffer elf = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
        // e_ident: 32 bits, little-endian, version 1
        elf.putInt(0x464c_457f).put(new byte[] {1, 1, 1}).position(16);
        // e_type EXEC, e_machine 386, e_version, e_entry, e_phoff, e_shoff, e_flags, e_ehsize, e_phentsize, e_phnum
        elf.putShort((short) 2)
                .putShort((short) 3)
                .putInt(1)
                .putInt(ENTRY)
                .putInt(PROGRAM_HEADER)
                .putInt(0)
                .putInt(0);
        elf.putShort((short) 0x34).putShort((short) 0x20).putShort((short) 1).putShort((short) 0x28);
        elf.position(PROGRAM_HEADER);
        // p_type LOAD, p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_flags RWX, p_align
        elf.putInt(1)
                .putInt(0)
                .putInt(BASE)
                .putInt(BASE)
                .putInt(size)
                .putInt(size)
                .putInt(7)
                .putInt(0x1000);
        elf.position(MULTIBOOT_HEADER);
        elf.putInt(MULTIBOOT_MAGIC).putInt(0).putInt(-MULTIBOOT_MAGIC);
        for (int b : code) {
            elf.put((byte) b);
        }
        try {
            return Files.write(file, elf.array());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
