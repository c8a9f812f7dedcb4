package org.jvirt.engine.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.jvirt.x86.Registers.AL;
import static org.jvirt.x86.Registers.EAX;
import static org.jvirt.x86.Registers.ECX;
import static org.jvirt.x86.Registers.EDX;

import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.jvirt.core.InterruptController;
import org.jvirt.core.InterruptLine;
import org.jvirt.core.LocalInterrupts;
import org.jvirt.core.MsiSink;
import org.jvirt.core.VcpuSignals;
import org.jvirt.core.interrupt.LocalApicState;

/// Local APICs in the kernel, 8259 pair and IO-APIC in the machine.
final class SplitInterruptsTest {
    private static final int READY = 0x11;
    private static final int LEVEL_ASSERTED = 1 << 15 | 1 << 14;

    @BeforeAll
    static void needsKvm() {
        Optional<String> problem = KvmProbe.probe().problem();
        assumeTrue(problem.isEmpty(), () -> problem.orElse(""));
    }

    /// An 8259 pair reduced to one vector, which it hands out once.
    private static final class OneVector implements InterruptController {
        private final AtomicInteger waiting = new AtomicInteger(LocalInterrupts.NONE);
        private final LinkedBlockingQueue<Integer> ended = new LinkedBlockingQueue<>();
        private volatile VcpuSignals signals;

        void raise(int vector) {
            waiting.set(vector);
            signals.interruptPending();
        }

        @Override
        public boolean hasLocalApics() {
            return false;
        }

        @Override
        public InterruptLine line(int gsi) {
            return high -> {};
        }

        @Override
        public MsiSink msi() {
            throw new AssertionError("messages go to the kernel's local APICs");
        }

        /// Everything but the two questions belongs to the kernel's local APIC.
        @Override
        public LocalInterrupts local(int index) {
            return (LocalInterrupts) Proxy.newProxyInstance(
                    getClass().getClassLoader(),
                    new Class<?>[] {LocalInterrupts.class},
                    (proxy, method, arguments) -> switch (method.getName()) {
                        case "pending" -> waiting.get() != LocalInterrupts.NONE;
                        case "acknowledge" -> waiting.getAndSet(LocalInterrupts.NONE);
                        default -> throw new AssertionError("asked for " + method.getName());
                    });
        }

        @Override
        public void connect(int index, VcpuSignals newSignals) {
            signals = newSignals;
        }

        @Override
        public void vectorEnded(int vector) {
            ended.add(vector);
        }
    }

    @Test
    void the8259OfTheMachineIsHeardThroughTheKernelsLocalApic() throws Exception {
        var controllers = new OneVector();
        try (var guest = new RealModeGuest(KvmOptions.DEFAULT, Optional.of(controllers))) {
            guest.handle(0x33, 3);
            guest.load(RealModeGuest.withApic()
                    .mov(AL, 1)
                    .out(READY, AL)
                    .sti()
                    .hlt()
                    .label("end")
                    .jmp("end"));
            var running = guest.start();
            guest.awaitWrite(READY);
            controllers.raise(0x33);
            assertThat(guest.awaitWrite(0x10)).isEqualTo(3);
            RealModeGuest.await(running);
        }
    }

    @Test
    void theMachinesIoApicIsToldOfTheEndOfALevelInterrupt() throws Exception {
        var controllers = new OneVector();
        try (var guest = new RealModeGuest(KvmOptions.DEFAULT, Optional.of(controllers))) {
            int at = RealModeGuest.HANDLER + 0x44 * 0x20;
            // EOI, then the end
            guest.memory.write(
                    at,
                    RealModeGuest.code(at)
                            .mov(ECX, 0x80B)
                            .mov(EAX, 0)
                            .mov(EDX, 0)
                            .wrmsr()
                            .out(0x10, AL)
                            .out(RealModeGuest.EXIT_PORT, AL)
                            .iret()
                            .assemble());
            guest.memory.writeInt(4L * 0x44, at);
            guest.vm.announcePin(9, 0xFEE0_0000L, LEVEL_ASSERTED | 0x44);
            guest.load(RealModeGuest.withApic()
                    .mov(AL, 1)
                    .out(READY, AL)
                    .sti()
                    .hlt()
                    .label("end")
                    .jmp("end"));
            var running = guest.start();
            guest.awaitWrite(READY);
            guest.vm.msi().send(0xFEE0_0000L, LEVEL_ASSERTED | 0x44);
            assertThat(guest.awaitWrite(0x10)).isZero();
            RealModeGuest.await(running);
            assertThat(controllers.ended.poll(10, TimeUnit.SECONDS)).isEqualTo(0x44);
        }
    }

    @Test
    void theKernelsLocalApicsAreSavedLoadedAndReset() throws Exception {
        try (var guest = new RealModeGuest(KvmOptions.DEFAULT, Optional.of(new OneVector()))) {
            List<LocalApicState> powerOn = guest.vm.saveLocalApics();
            guest.load(RealModeGuest.withApic().mov(AL, 1).out(RealModeGuest.EXIT_PORT, AL));
            RealModeGuest.await(guest.start());
            List<LocalApicState> enabled = guest.vm.saveLocalApics();
            assertThat(enabled).isNotEqualTo(powerOn);
            guest.vm.resetInterrupts();
            assertThat(guest.vm.saveLocalApics()).isEqualTo(powerOn);
            guest.vm.loadLocalApics(enabled);
            assertThat(guest.vm.saveLocalApics()).isEqualTo(enabled);
        }
    }
}
