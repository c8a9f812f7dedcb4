package org.jvirt.engine.kvm;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.OptionalInt;
import org.jvirt.core.HostFailureException;
import org.jvirt.core.MsiRoute;
import org.jvirt.core.MsiSink;
import org.jvirt.linux.DeviceFile;
import org.jvirt.linux.EventFd;

/// Messages to local APICs in the kernel. A single message goes by `KVM_SIGNAL_MSI`; a route is an event descriptor
/// that KVM listens to (irqfd), or single messages when routes or descriptors have run out. Thread-safe.
///
/// `struct kvm_msi`: address_lo, address_hi, data, flags; 32 bytes. `struct kvm_irqfd`: fd, gsi, flags; 32 bytes.
///
/// Source: API, 4.71 and 4.75.
final class KernelMsi implements MsiSink {
    private static final int BYTES = 32;
    private static final int DEASSIGN = 1;

    private final DeviceFile vm;
    private final RouteTable routes;
    private final ThreadLocal<MemorySegment> messages;

    KernelMsi(DeviceFile vm, RouteTable routes) {
        this.vm = vm;
        this.routes = routes;
        messages = ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(BYTES, 8));
    }

    @Override
    public void send(long address, int data) {
        MemorySegment message = messages.get();
        Msi.fill(message, address, data);
        // A message to nobody, or to an APIC that is off, is lost as on the bus (answer 0, or an error).
        var _ = vm.tryIoctl(Ioctls.KVM_SIGNAL_MSI, message);
    }

    @Override
    public MsiRoute route(long address, int data) {
        OptionalInt gsi = routes.add(address, data);
        if (gsi.isPresent()) {
            try {
                return new EventRoute(gsi.getAsInt());
            } catch (HostFailureException _) {
                // no descriptor left: the message is as good
                routes.remove(gsi.getAsInt());
            }
        }
        return new MessageRoute(address, data);
    }

    private final class MessageRoute implements MsiRoute {
        private final MemorySegment message = Arena.ofAuto().allocate(BYTES, 8);

        MessageRoute(long address, int data) {
            Msi.fill(message, address, data);
        }

        @Override
        public void send() {
            var _ = vm.tryIoctl(Ioctls.KVM_SIGNAL_MSI, message);
        }

        @Override
        public void close() {
            // nothing of the kernel is held
        }
    }

    private final class EventRoute implements MsiRoute {
        private final int gsi;
        private final EventFd event = new EventFd();

        EventRoute(int gsi) {
            this.gsi = gsi;
            int result = assign(0);
            if (result < 0) {
                event.close();
                throw new HostFailureException("Cannot connect an event descriptor to interrupt " + gsi);
            }
        }

        private int assign(int flags) {
            try (Arena temporary = Arena.ofConfined()) {
                MemorySegment request = temporary.allocate(BYTES, 8);
                request.set(JAVA_INT, 0, event.fd());
                request.set(JAVA_INT, 4, gsi);
                request.set(JAVA_INT, 8, flags);
                return vm.tryIoctl(Ioctls.KVM_IRQFD, request);
            }
        }

        @Override
        public void send() {
            event.signal();
        }

        @Override
        public void close() {
            var _ = assign(DEASSIGN);
            event.close();
            routes.remove(gsi);
        }
    }
}
