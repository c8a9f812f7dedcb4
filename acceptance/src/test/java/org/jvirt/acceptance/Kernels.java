package org.jvirt.acceptance;

import java.nio.file.Path;
import org.jvirt.testkit.TinyKernel;

/// Guests of a few bytes that end, or never end, in a known way. All talk to COM1 and to a debug exit at port 0xF4.
final class Kernels {
    private static final int HLT = 0xf4;

    private Kernels() {}

    /// Writes `value` to the debug exit.
    static Path exiting(Path file, int value) {
        return TinyKernel.write(
                file,
                // mov al, value; out 0xf4, al; cli; hlt
                0xb0,
                value,
                0xe6,
                0xf4,
                0xfa,
                HLT);
    }

    /// Writes `R` and line feed to COM1, then every byte that it reads there in upper case (of letters).
    static Path echoing(Path file) {
        return TinyKernel.write(
                file,
                // eight data bits: mov dx, 0x3fb; mov al, 3; out dx, al
                0x66,
                0xba,
                0xfb,
                0x03,
                0xb0,
                3,
                0xee,
                // mov dx, 0x3f8; mov al, 'R'; out dx, al; mov al, '\n'; out dx, al
                0x66,
                0xba,
                0xf8,
                0x03,
                0xb0,
                'R',
                0xee,
                0xb0,
                '\n',
                0xee,
                // next: mov dx, 0x3fd; wait: in al, dx; test al, 1; jz wait
                0x66,
                0xba,
                0xfd,
                0x03,
                0xec,
                0xa8,
                0x01,
                0x74,
                0xfb,
                // mov dx, 0x3f8; in al, dx; and al, 0xdf; out dx, al; jmp next
                0x66,
                0xba,
                0xf8,
                0x03,
                0xec,
                0x24,
                0xdf,
                0xee,
                0xeb,
                0xed);
    }

    /// Waits for a byte on COM1, writes `count` letters there, then 3 to the debug exit.
    static Path chattering(Path file, int count) {
        return TinyKernel.write(
                file,
                // mov dx, 0x3fd; wait: in al, dx; test al, 1; jz wait
                0x66,
                0xba,
                0xfd,
                0x03,
                0xec,
                0xa8,
                0x01,
                0x74,
                0xfb,
                // mov ecx, count; mov dx, 0x3f8; mov al, 'x'; more: out dx, al; loop more
                0xb9,
                count & 0xff,
                count >> 8 & 0xff,
                count >> 16 & 0xff,
                count >>> 24,
                0x66,
                0xba,
                0xf8,
                0x03,
                0xb0,
                'x',
                0xee,
                0xe2,
                0xfd,
                // mov al, 3; out 0xf4, al; cli; hlt
                0xb0,
                3,
                0xe6,
                0xf4,
                0xfa,
                HLT);
    }

    /// Asks the keyboard controller for a reset.
    static Path resetting(Path file) {
        return TinyKernel.write(
                file,
                // mov al, 0xfe; out 0x64, al; cli; hlt
                0xb0,
                0xfe,
                0xe6,
                0x64,
                0xfa,
                HLT);
    }

    /// Takes the interrupt table away and raises an exception.
    static Path tripleFaulting(Path file) {
        int noTable = TinyKernel.ENTRY + 9;
        return TinyKernel.write(
                file,
                // lidt [noTable]; ud2
                0x0f,
                0x01,
                0x1d,
                noTable & 0xff,
                noTable >> 8 & 0xff,
                noTable >> 16 & 0xff,
                0,
                0x0f,
                0x0b,
                // noTable: limit 0, base 0
                0,
                0,
                0,
                0,
                0,
                0);
    }

    /// Jumps to an address where nothing is, without an interrupt table.
    static Path jumpingIntoNowhere(Path file) {
        int noTable = TinyKernel.ENTRY + 14;
        return TinyKernel.write(
                file,
                // lidt [noTable]; mov eax, 0xd0000000; jmp eax
                0x0f,
                0x01,
                0x1d,
                noTable & 0xff,
                noTable >> 8 & 0xff,
                noTable >> 16 & 0xff,
                0,
                0xb8,
                0,
                0,
                0,
                0xd0,
                0xff,
                0xe0,
                // noTable: limit 0, base 0
                0,
                0,
                0,
                0,
                0,
                0);
    }
}
