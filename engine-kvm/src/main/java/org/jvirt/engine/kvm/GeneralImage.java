package org.jvirt.engine.kvm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import org.jvirt.core.cpu.GeneralRegisters;

/// `struct kvm_regs`: rax, rbx, rcx, rdx, rsi, rdi, rsp, rbp, r8–r15, rip, rflags, 8 bytes each.
final class GeneralImage {
    static final int BYTES = 144;
    private static final int RIP = 16 * 8;
    private static final int RFLAGS = 17 * 8;

    /// The place of each register, by its number in instructions: rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, …
    private static final int[] PLACES = {0, 2, 3, 1, 6, 7, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15};

    private GeneralImage() {}

    static GeneralRegisters parse(MemorySegment image) {
        var registers = new long[GeneralRegisters.COUNT];
        for (int i = 0; i < registers.length; i++) {
            registers[i] = image.get(JAVA_LONG, PLACES[i] * 8L);
        }
        return GeneralRegisters.of(registers, rip(image), image.get(JAVA_LONG, RFLAGS));
    }

    static long rip(MemorySegment image) {
        return image.get(JAVA_LONG, RIP);
    }

    static void fill(MemorySegment image, GeneralRegisters state) {
        long[] registers = state.toArray();
        for (int i = 0; i < registers.length; i++) {
            image.set(JAVA_LONG, PLACES[i] * 8L, registers[i]);
        }
        image.set(JAVA_LONG, RIP, state.rip());
        image.set(JAVA_LONG, RFLAGS, state.rflags());
    }
}
