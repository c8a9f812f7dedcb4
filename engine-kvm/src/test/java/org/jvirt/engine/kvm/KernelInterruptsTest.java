package org.jvirt.engine.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.jvirt.x86.Registers.AL;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.jvirt.core.MsiRoute;
import org.jvirt.core.RunResult;
import org.jvirt.core.interrupt.LocalApicState;
import org.jvirt.core.interrupt.PcInterruptsState;
import org.jvirt.core.interrupt.PitState;
import org.jvirt.x86.Assembler;

/// The interrupt controllers and the 8254 in the kernel, as the machine sees them.
final class KernelInterruptsTest {
    private static final int READY = 0x11;
    private static final long TO_FIRST = 0xFEE0_0000L;

    @BeforeAll
    static void needsKvm() {
        Optional<String> problem = KvmProbe.probe().problem();
        assumeTrue(problem.isEmpty(), () -> problem.orElse(""));
    }

    private static RealModeGuest guest() {
        return new RealModeGuest(KvmOptions.DEFAULT);
    }

    /// Says that it is ready at a port that is nobody's in the kernel, then waits for an interrupt.
    private static Assembler waiting(Assembler code) {
        return code.mov(AL, 1).out(READY, AL).sti().hlt().label("end").jmp("end");
    }

    @Test
    void aMessageWakesAHaltedProcessor() throws Exception {
        try (var guest = guest()) {
            guest.handle(0x40, 1);
            guest.load(waiting(RealModeGuest.withApic()));
            var running = guest.start();
            guest.awaitWrite(READY);
            guest.vm.msi().send(TO_FIRST, 0x40);
            assertThat(guest.awaitWrite(0x10)).isEqualTo(1);
            assertThat(RealModeGuest.await(running)).isEqualTo(RunResult.KICKED);
        }
    }

    @Test
    void aPreparedMessageArrivesUntilItIsGivenBack() throws Exception {
        try (var guest = guest()) {
            guest.handle(0x41, 7);
            guest.load(waiting(RealModeGuest.withApic()));
            MsiRoute other = guest.vm.msi().route(TO_FIRST, 0x50);
            MsiRoute route = guest.vm.msi().route(TO_FIRST, 0x41);
            other.close();
            var running = guest.start();
            guest.awaitWrite(READY);
            route.send();
            assertThat(guest.awaitWrite(0x10)).isEqualTo(7);
            RealModeGuest.await(running);
            route.close();
        }
    }

    @Test
    void aWireReachesThe8259AndThroughItTheProcessor() throws Exception {
        try (var guest = guest()) {
            guest.handle(0x24, 4);
            guest.load(waiting(RealModeGuest.withPics(RealModeGuest.code(RealModeGuest.CODE), 4)));
            var running = guest.start();
            guest.awaitWrite(READY);
            guest.vm.irq(4).set(true);
            assertThat(guest.awaitWrite(0x10)).isEqualTo(4);
            RealModeGuest.await(running);
        }
    }

    @Test
    void whatWasSavedIsLoadedAndSavedAgainTheSame() throws Exception {
        PcInterruptsState saved;
        try (var guest = guest()) {
            guest.handle(0x40, 1);
            guest.load(RealModeGuest.withPics(RealModeGuest.withApic(), 3).out(RealModeGuest.EXIT_PORT, AL));
            RealModeGuest.await(guest.start());
            guest.vm.irq(5).set(true);
            guest.vm.irq(20).set(true);
            saved = guest.vm.saveInterrupts();
        }
        assertThat(saved.master().vectorBase()).isEqualTo(0x20);
        assertThat(saved.slave().vectorBase()).isEqualTo(0x28);
        assertThat(saved.master().imr()).isEqualTo(0xF7);
        assertThat(saved.master().lines()).isEqualTo(1 << 5);
        assertThat(saved.ioApic().sources().get(20)).isNotZero();
        assertThat(saved.apics().getFirst().spuriousVector()).isEqualTo(0x1FF);
        assertThat(saved.apics().getFirst().apicBase() & 0xC00).isEqualTo(0xC00);
        try (var guest = guest()) {
            guest.vm.loadInterrupts(saved);
            assertThat(guest.vm.saveInterrupts()).isEqualTo(saved);
        }
    }

    @Test
    void aMachineMovedInTheMiddleHearsItsInterrupts() throws Exception {
        try (var first = guest();
                var second = guest()) {
            first.load(waiting(RealModeGuest.withPics(RealModeGuest.withApic(), 4)));
            var running = first.start();
            first.awaitWrite(READY);
            first.vcpu.kick();
            RealModeGuest.await(running);
            byte[] memory = new byte[1 << 20];
            first.memory.read(0, memory);
            second.memory.write(0, memory);
            second.handle(0x24, 9);
            second.vcpu.load(first.vcpu.state());
            second.vm.loadInterrupts(first.vm.saveInterrupts());
            var moved = second.start();
            second.vm.irq(4).set(true);
            assertThat(second.awaitWrite(0x10)).isEqualTo(9);
            RealModeGuest.await(moved);
        }
    }

    @Test
    void aWireThatWasHighIsNoNewEdgeAfterLoading() throws Exception {
        PcInterruptsState saved;
        try (var guest = guest()) {
            guest.load(RealModeGuest.withPics(RealModeGuest.withApic(), 4).out(RealModeGuest.EXIT_PORT, AL));
            RealModeGuest.await(guest.start());
            guest.vm.irq(7).set(true);
            saved = guest.vm.saveInterrupts();
        }
        try (var guest = guest()) {
            guest.vm.loadInterrupts(saved);
            guest.vm.irq(7).set(true);
            assertThat(guest.vm.saveInterrupts()).isEqualTo(saved);
        }
    }

    @Test
    void resetMakesTheControllersNewAndLeavesTheWires() throws Exception {
        try (var guest = guest()) {
            PcInterruptsState atPowerOn = guest.vm.saveInterrupts();
            guest.load(RealModeGuest.withPics(RealModeGuest.withApic(), 3).out(RealModeGuest.EXIT_PORT, AL));
            RealModeGuest.await(guest.start());
            guest.vm.irq(6).set(true);
            guest.vm.resetInterrupts();
            PcInterruptsState now = guest.vm.saveInterrupts();
            assertThat(now.apics()).isEqualTo(atPowerOn.apics());
            assertThat(now.master().vectorBase()).isZero();
            assertThat(now.master().lines()).isEqualTo(1 << 6);
            assertThat(now.ioApic().entries()).containsOnly(1L << 16);
        }
    }

    @Test
    void theApicTimersRestIsSavedAndLoaded() throws Exception {
        try (var guest = guest()) {
            var state = guest.vm.saveInterrupts();
            var apic = state.apics().getFirst();
            var counting = new LocalApicState(
                    apic.id(),
                    apic.apicBase(),
                    0,
                    apic.logicalDestination(),
                    apic.destinationFormat(),
                    0x1FF,
                    0,
                    0,
                    0,
                    List.of(0x1_0033, 0x1_0000, 0x1_0000, 0x700, 0x1_0000, 0x1_0000),
                    apic.irr(),
                    apic.isr(),
                    apic.tmr(),
                    false,
                    false,
                    2_000_000_000,
                    0b1011,
                    guest.clock.nanos() + 1_500_000_000,
                    0);
            guest.vm.loadInterrupts(new PcInterruptsState(
                    state.config(), state.master(), state.slave(), state.ioApic(), List.of(counting)));
            var back = guest.vm.saveInterrupts().apics().getFirst();
            assertThat(back.initialCount()).isEqualTo(2_000_000_000);
            // the host's time has passed since
            assertThat(back.deadlineNanos() - guest.clock.nanos()).isCloseTo(1_500_000_000L, within(300_000_000L));
        }
    }

    @Test
    void theIntervalTimerIsSavedAndLoaded() throws Exception {
        PitState saved;
        try (var guest = guest()) {
            Assembler code = RealModeGuest.code(RealModeGuest.CODE);
            int[][] writes = {{0x43, 0x34}, {0x40, 0x34}, {0x40, 0x12}, {0x43, 0xB6}, {0x42, 0x55}, {0x61, 3}};
            for (int[] write : writes) {
                code.mov(AL, write[1]).out(write[0], AL);
            }
            guest.load(code.out(RealModeGuest.EXIT_PORT, AL));
            RealModeGuest.await(guest.start());
            saved = guest.vm.savePit();
        }
        assertThat(saved.channels().getFirst().control()).isEqualTo(0x34);
        assertThat(saved.channels().getFirst().count()).isEqualTo(0x1234);
        assertThat(saved.channels().getLast().writeLow()).as("half a count").isEqualTo(0x55);
        assertThat(saved.portB()).isEqualTo(3);
        try (var guest = guest()) {
            guest.vm.loadPit(saved);
            PitState back = guest.vm.savePit();
            assertThat(back.channels().getFirst().control()).isEqualTo(0x34);
            assertThat(back.channels().getFirst().count()).isEqualTo(0x1234);
            assertThat(back.channels().getLast().writeLow()).isEqualTo(0x55);
            assertThat(back.portB()).isEqualTo(3);
        }
    }
}
