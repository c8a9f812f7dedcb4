package org.jvirt.engine.kvm;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jvirt.core.InterruptLine;
import org.jvirt.linux.DeviceFile;

/// One wire to the interrupt controllers in the kernel. `struct kvm_irq_level`: irq, level. Thread-safe.
final class KernelLine implements InterruptLine {
    private final DeviceFile vm;
    private final MemorySegment up;
    private final MemorySegment down;
    private boolean level;

    KernelLine(DeviceFile vm, int gsi, Arena arena) {
        this.vm = vm;
        up = request(arena, gsi, 1);
        down = request(arena, gsi, 0);
    }

    private static MemorySegment request(Arena arena, int gsi, int level) {
        MemorySegment request = arena.allocate(8, 8);
        request.set(JAVA_INT, 0, gsi);
        request.set(JAVA_INT, 4, level);
        return request;
    }

    @Override
    public synchronized void set(boolean high) {
        if (high != level) {
            level = high;
            vm.ioctl("KVM_IRQ_LINE", Ioctls.KVM_IRQ_LINE, high ? up : down);
        }
    }

    synchronized boolean level() {
        return level;
    }
}
