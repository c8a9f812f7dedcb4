package org.jvirt.machine.boot;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/// Kernel files made for tests, as small as the formats allow.
public final class KernelFiles {
    static final int SETUP_BYTES = 5 * 512;
    public static final long PREFERRED = 0x100_0000;
    static final int INIT_SIZE = 0x20_0000;

    private KernelFiles() {}

    /// A bzImage of protocol 2.15 whose protected-mode part repeats 0xA5.
    public static byte[] bzImage(int payloadBytes, boolean with64BitEntry) {
        ByteBuffer file = ByteBuffer.allocate(SETUP_BYTES + payloadBytes).order(ByteOrder.LITTLE_ENDIAN);
        file.put(0x1f1, (byte) 4);
        file.putInt(0x1f4, payloadBytes / 16);
        file.putShort(0x1fe, (short) 0xaa55);
        file.putShort(0x200, (short) 0x6aeb);
        file.putInt(0x202, 0x53726448);
        file.putShort(0x206, (short) 0x20f);
        file.put(0x211, (byte) 1);
        file.putInt(0x22c, 0x7fff_ffff);
        file.putInt(0x230, 0x20_0000);
        file.put(0x234, (byte) 1);
        file.putShort(0x236, (short) (with64BitEntry ? 1 : 0));
        file.putInt(0x238, 2047);
        file.putLong(0x258, PREFERRED);
        file.putInt(0x260, INIT_SIZE);
        Arrays.fill(file.array(), SETUP_BYTES, file.capacity(), (byte) 0xa5);
        return file.array();
    }

    /// An ELF64 file with one segment at `gpa`, and a PVH note if `entry` is not 0.
    static byte[] elf64(long gpa, byte[] content, int memoryBytes, int entry) {
        ByteBuffer file = ByteBuffer.allocate(0x200 + content.length).order(ByteOrder.LITTLE_ENDIAN);
        file.put(0, new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1});
        file.putShort(16, (short) 2).putShort(18, (short) 62).putInt(20, 1);
        file.putLong(24, 0xffff_ffff_8100_0000L);
        file.putLong(32, 64);
        file.putShort(52, (short) 64).putShort(54, (short) 56).putShort(56, (short) (entry == 0 ? 1 : 2));
        file.putInt(64, 1).putLong(72, 0x200).putLong(80, gpa).putLong(88, gpa);
        file.putLong(96, content.length).putLong(104, memoryBytes);
        if (entry != 0) {
            file.putInt(120, 4).putLong(128, 0x180).putLong(152, 20).putLong(160, 20);
            file.putInt(0x180, 4)
                    .putInt(0x184, 4)
                    .putInt(0x188, 18)
                    .putInt(0x18c, 0x006e6558)
                    .putInt(0x190, entry);
        }
        file.put(0x200, content);
        return file.array();
    }

    static byte[] multiboot32(int gpa, int memoryBytes) {
        return multiboot32(gpa, memoryBytes, new byte[0]);
    }

    /// An ELF32 file with one segment at `gpa` that begins with a multiboot header; the entry is behind it.
    ///
    /// @param code what lies there
    public static byte[] multiboot32(int gpa, int memoryBytes, byte[] code) {
        int bytes = Math.max(64, 12 + code.length);
        ByteBuffer content = multibootHeader(0x3, bytes).put(12, code);
        ByteBuffer file = ByteBuffer.allocate(0x100 + bytes).order(ByteOrder.LITTLE_ENDIAN);
        file.put(0, new byte[] {0x7f, 'E', 'L', 'F', 1, 1, 1});
        file.putShort(16, (short) 2)
                .putShort(18, (short) 3)
                .putInt(20, 1)
                .putInt(24, gpa + 12)
                .putInt(28, 52);
        file.putShort(40, (short) 52).putShort(42, (short) 32).putShort(44, (short) 1);
        file.putInt(52, 1)
                .putInt(56, 0x100)
                .putInt(60, gpa)
                .putInt(64, gpa)
                .putInt(68, bytes)
                .putInt(72, memoryBytes);
        file.put(0x100, content.array());
        return file.array();
    }

    /// No ELF: the header itself says where to go.
    static byte[] multibootPlain(int gpa) {
        ByteBuffer content = multibootHeader(0x1_0003, 128);
        content.putInt(12, gpa)
                .putInt(16, gpa)
                .putInt(20, gpa + 128)
                .putInt(24, gpa + 4096)
                .putInt(28, gpa + 32);
        return content.array();
    }

    private static ByteBuffer multibootHeader(int flags, int bytes) {
        return ByteBuffer.allocate(bytes)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(0, 0x1badb002)
                .putInt(4, flags)
                .putInt(8, -(0x1badb002 + flags));
    }
}
