package org.jvirt.engine.soft.oracle;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/// Writes the smallest program that has the memory of [TestLayout] and waits in an endless loop.
///
/// Source: System V ABI, chapter 5; ELF-64 object file format.
final class TinyElf {
    private static final int HEADER_BYTES = 64;
    private static final int PROGRAM_HEADER_BYTES = 56;
    private static final int CODE_OFFSET = 0x1000;
    private static final int PT_LOAD = 1;
    private static final int PT_GNU_STACK = 0x6474e551;
    private static final int R = 4;
    private static final int W = 2;
    private static final int X = 1;

    private TinyElf() {}

    static Path write() throws IOException {
        Path file = Files.createTempFile(
                "oracle", "", PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        var elf = ByteBuffer.allocate(CODE_OFFSET + 2).order(ByteOrder.LITTLE_ENDIAN);
        elf.put(new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1, 0}).putLong(0);
        elf.putShort((short) 2).putShort((short) 62).putInt(1);
        elf.putLong(TestLayout.CODE).putLong(HEADER_BYTES).putLong(0).putInt(0);
        elf.putShort((short) HEADER_BYTES)
                .putShort((short) PROGRAM_HEADER_BYTES)
                .putShort((short) 3);
        elf.putShort((short) 0).putShort((short) 0).putShort((short) 0);
        segment(elf, PT_LOAD, R | W | X, CODE_OFFSET, TestLayout.CODE, 2, TestLayout.CODE_BYTES);
        segment(elf, PT_LOAD, R | W, 0, TestLayout.DATA, 0, TestLayout.DATA_BYTES);
        segment(elf, PT_GNU_STACK, R | W, 0, 0, 0, 0);
        elf.position(CODE_OFFSET).put((byte) 0xeb).put((byte) 0xfe);
        Files.write(file, elf.array());
        return file;
    }

    private static void segment(
            ByteBuffer elf, int type, int flags, long offset, long address, long fileBytes, long memoryBytes) {
        elf.putInt(type).putInt(flags).putLong(offset).putLong(address).putLong(address);
        elf.putLong(fileBytes).putLong(memoryBytes).putLong(0x1000);
    }
}
