package org.jvirt.devices.interrupt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.jvirt.core.InvalidMsrException;
import org.jvirt.core.interrupt.ApicConfig;

final class LocalApicTest {
    private final Board board = Board.enabled(4);

    private void msi(long address, int data) {
        board.controllers.msi().send(address, data);
    }

    private void send(int cpu, int vector) {
        msi(0xfee0_0000L | (long) cpu << 12, vector);
    }

    private static void assertInvalid(ThrowingCallable call) {
        assertThatThrownBy(call).isSameAs(InvalidMsrException.INSTANCE);
    }

    @Test
    void registersHaveTheirValuesAfterPowerOn() {
        var fresh = new Board(2);
        assertThat(fresh.cpu(0).apicBase()).isEqualTo(0xfee0_0900L);
        assertThat(fresh.cpu(1).apicBase()).isEqualTo(0xfee0_0800L);
        assertThat(fresh.apicRead(1, 0x20)).isEqualTo(1 << 24);
        assertThat(fresh.apicRead(0, 0x30)).isEqualTo(0x0105_0014);
        assertThat(fresh.apicRead(0, Board.SVR)).isEqualTo(0xff);
        assertThat(fresh.apicRead(0, Board.DFR)).isEqualTo(-1);
        assertThat(fresh.apicRead(0, Board.LVT_TIMER)).isEqualTo(0x10000);
        assertThat(fresh.apicRead(1, Board.LVT_LINT0)).isEqualTo(0x10000);
        assertThat(fresh.controllers.localApicGpa(1)).isEqualTo(0xfee0_0000L);
    }

    @Test
    void theHighestVectorIsDeliveredFirstAndNests() {
        send(0, 0x41);
        send(0, 0x52);
        assertThat(board.cpus.getFirst().take()).containsExactly("pending");
        assertThat(board.cpu(0).acknowledge()).isEqualTo(0x52);
        assertThat(board.cpu(0).pending()).isFalse();
        send(0, 0x5f);
        assertThat(board.cpu(0).pending()).as("same class").isFalse();
        send(0, 0x61);
        assertThat(board.cpu(0).acknowledge()).isEqualTo(0x61);
        board.cpu(0).endOfInterrupt();
        board.cpu(0).endOfInterrupt();
        assertThat(board.cpu(0).acknowledge()).isEqualTo(0x5f);
        board.cpu(0).endOfInterrupt();
        assertThat(board.cpu(0).acknowledge()).isEqualTo(0x41);
        assertThat(board.cpu(0).acknowledge()).isEqualTo(Board.NONE);
    }

    @Test
    void taskPriorityHoldsBackItsClassAndBelow() {
        board.cpu(0).setTaskPriority(5);
        send(0, 0x5f);
        assertThat(board.cpu(0).pending()).isFalse();
        assertThat(board.apicRead(0, 0xa0)).isEqualTo(0x50);
        board.cpus.getFirst().take();
        board.apicWrite(0, 0x80, 0x4f);
        assertThat(board.cpus.getFirst().take()).containsExactly("pending");
        assertThat(board.cpu(0).taskPriority()).isEqualTo(4);
        assertThat(board.cpu(0).acknowledge()).isEqualTo(0x5f);
        assertThat(board.apicRead(0, 0xa0)).isEqualTo(0x50);
    }

    @Test
    void aSoftwareDisabledApicTakesNmiAndInitOnly() {
        board.apicWrite(1, Board.SVR, 0xff);
        board.apicWrite(1, Board.LVT_TIMER, 0x20);
        assertThat(board.apicRead(1, Board.LVT_TIMER)).as("stays masked").isEqualTo(0x10020);
        send(1, 0x41);
        assertThat(board.cpu(1).pending()).isFalse();
        board.ipi(0, 1, 0x4400);
        board.ipi(0, 1, 0x4500);
        board.ipi(0, 1, 0x8500);
        board.ipi(0, 1, 0x4699);
        assertThat(board.cpus.get(1).take()).containsExactly("nmi", "init", "startup 0x99");
    }

    @Test
    void initPutsTheRegistersBackButKeepsTheBase() {
        board.apicWrite(1, Board.LDR, 0x0200_0000);
        send(1, 0x41);
        board.ipi(0, 1, 0x4500);
        assertThat(board.apicRead(1, Board.SVR)).isEqualTo(0xff);
        assertThat(board.apicRead(1, Board.LDR)).isZero();
        assertThat(board.cpu(1).pending()).isFalse();
    }

    @Test
    void shorthandsReachSelfAllOrOthers() {
        board.ipi(1, 0, 0x4_0041);
        assertThat(board.cpu(1).acknowledge()).isEqualTo(0x41);
        board.ipi(1, 0, 0xc_0042);
        assertThat(board.cpu(1).pending()).isFalse();
        assertThat(board.cpu(0).acknowledge()).isEqualTo(0x42);
        assertThat(board.cpu(2).acknowledge()).isEqualTo(0x42);
        board.ipi(1, 0, 0x8_0053);
        for (int i = 0; i < 4; i++) {
            assertThat(board.cpu(i).acknowledge()).isEqualTo(0x53);
        }
    }

    @Test
    void physicalBroadcastReachesAll() {
        board.ipi(0, 0xff, 0x41);
        for (int i = 0; i < 4; i++) {
            assertThat(board.cpu(i).pending()).isTrue();
        }
    }

    @Test
    void clusterModelMatchesClusterAndMember() {
        for (int i = 0; i < 4; i++) {
            board.apicWrite(i, Board.DFR, 0);
            board.apicWrite(i, Board.LDR, ((i < 2 ? 0x10L : 0x20L) | 1 << (i & 1)) << 24);
        }
        board.ipi(0, 0x23, 0x841);
        assertThat(board.cpu(0).pending() || board.cpu(1).pending()).isFalse();
        assertThat(board.cpu(2).pending() && board.cpu(3).pending()).isTrue();
    }

    @Test
    void illegalVectorsAreReportedNotDelivered() {
        board.apicWrite(0, Board.LVT_ERROR, 0xe0);
        board.ipi(0, 1, 0x4003);
        assertThat(board.cpu(0).acknowledge()).isEqualTo(0xe0);
        assertThat(board.apicRead(0, Board.ESR)).as("before the write").isZero();
        board.apicWrite(0, Board.ESR, 0);
        assertThat(board.apicRead(0, Board.ESR)).isEqualTo(0x20);
        send(1, 0x0f);
        board.apicWrite(1, Board.ESR, 0);
        assertThat(board.apicRead(1, Board.ESR)).isEqualTo(0x40);
        board.apicWrite(2, 0x3f0, 1);
        board.apicWrite(2, Board.ESR, 0);
        assertThat(board.apicRead(2, Board.ESR)).isEqualTo(0x80);
        board.apicWrite(2, Board.ESR, 0);
        assertThat(board.apicRead(2, Board.ESR)).isZero();
    }

    @Test
    void lint1IsTheNmiPin() {
        board.controllers.nmi();
        assertThat(board.cpus.getFirst().take()).as("masked").isEmpty();
        board.apicWrite(0, Board.LVT_LINT1, 0x400);
        board.controllers.nmi();
        assertThat(board.cpus.getFirst().take()).containsExactly("nmi");
        assertThat(board.cpus.get(1).take()).isEmpty();
    }

    @Test
    void messagesHonourModeRedirectionAndPlace() {
        msi(0xfee0_2000L, 0x400);
        assertThat(board.cpus.get(2).take()).containsExactly("nmi");
        for (int i = 0; i < 4; i++) {
            board.apicWrite(i, Board.LDR, 1L << 24 + i);
        }
        board.cpu(1).setTaskPriority(2);
        msi(0xfee0_600cL, 0x71);
        assertThat(board.cpu(2).acknowledge())
                .as("hint: the less busy of 1 and 2")
                .isEqualTo(0x71);
        assertThat(board.cpu(1).pending()).isFalse();
        msi(0xfec0_0000L, 0x72);
        msi(0x1_fee0_0000L, 0x72);
        assertThat(board.cpu(0).pending()).isFalse();
    }

    @Test
    void levelMessagesAreMarkedInTmr() {
        msi(0xfee0_0000L, 0xc041);
        assertThat(board.cpu(0).acknowledge()).isEqualTo(0x41);
        assertThat(board.apicRead(0, 0x1a0)).isEqualTo(2);
        assertThat(board.cpu(0).allowsSilentEnd(0x41)).isFalse();
        board.cpu(0).endOfInterrupt();
        send(0, 0x41);
        assertThat(board.cpu(0).acknowledge()).isEqualTo(0x41);
        assertThat(board.cpu(0).allowsSilentEnd(0x41)).isTrue();
        send(0, 0x31);
        assertThat(board.cpu(0).allowsSilentEnd(0x41)).as("another waits").isFalse();
    }

    /// The guest may have ended the interrupt in service without telling: only its processor can find out.
    @Test
    void aProcessorThatMayEndSilentlyHearsOfEveryInterruptThatArrives() {
        send(0, 0x41);
        assertThat(board.cpu(0).acknowledge()).isEqualTo(0x41);
        board.cpus.get(0).take();
        send(0, 0x40);
        assertThat(board.cpus.get(0).take())
                .as("held back, and no offer was made")
                .isEmpty();
        board.cpu(0).endOfInterrupt();
        assertThat(board.cpu(0).acknowledge()).isEqualTo(0x40);
        assertThat(board.cpu(0).allowsSilentEnd(0x40)).isTrue();
        board.cpus.get(0).take();
        send(0, 0x31);
        assertThat(board.cpus.get(0).take()).containsExactly("pending");
        assertThat(board.cpu(0).pending()).isFalse();
        board.cpu(0).endOfInterrupt();
        assertThat(board.cpu(0).acknowledge()).isEqualTo(0x31);
    }

    @Test
    void apicBaseAllowsOnlyTheTransitionsOfTheManual() {
        var cpu = board.cpu(1);
        assertInvalid(() -> cpu.setApicBase(0xfee0_0400L));
        assertInvalid(() -> cpu.setApicBase(0xfee0_0801L));
        assertInvalid(() -> cpu.setApicBase(1L << 40 | 0x800));
        cpu.setApicBase(0xfee0_0c00L);
        assertThat(board.controllers.localApicGpa(1)).isEqualTo(-1);
        assertInvalid(() -> cpu.setApicBase(0xfee0_0800L));
        cpu.setApicBase(0xfee0_0000L);
        assertInvalid(() -> cpu.setApicBase(0xfee0_0c00L));
        cpu.setApicBase(0x4200_0800L);
        assertThat(board.controllers.localApicGpa(1)).isEqualTo(0x4200_0000L);
        assertThat(board.apicRead(1, Board.SVR)).as("power-up state").isEqualTo(0xff);
    }

    @Test
    void withoutX2apicInCpuidTheModeIsRefused() {
        var plain = new PcInterrupts(new ApicConfig(1, 40, false), board.tsc);
        assertInvalid(() -> plain.local(0).setApicBase(0xfee0_0d00L));
        assertInvalid(() -> plain.local(0).readMsr(0x802));
    }

    @Test
    void x2apicRegistersAreMsrs() {
        var cpu = board.cpu(2);
        cpu.setApicBase(0xfee0_0c00L);
        assertThat(cpu.readMsr(0x802)).isEqualTo(2);
        assertThat(cpu.readMsr(0x80d)).isEqualTo(4);
        assertThat(board.apicRead(2, 0x20)).as("no page in this mode").isEqualTo(-1);
        cpu.writeMsr(0x83f, 0x55);
        assertThat(cpu.acknowledge()).isEqualTo(0x55);
        assertInvalid(() -> cpu.writeMsr(0x80b, 1));
        cpu.writeMsr(0x80b, 0);
        assertThat(cpu.readMsr(0x812)).isZero();
        assertInvalid(() -> cpu.readMsr(0x80b));
        assertInvalid(() -> cpu.readMsr(0x80e));
        assertInvalid(() -> cpu.writeMsr(0x802, 1));
        assertInvalid(() -> cpu.writeMsr(0x828, 1));
        assertInvalid(() -> cpu.writeMsr(0x808, 0x100));
        assertInvalid(() -> cpu.writeMsr(0x832, 1L << 32));
        assertInvalid(() -> cpu.readMsr(0x831));
        assertInvalid(() -> cpu.readMsr(0x8ff));
        cpu.writeMsr(0x830, 3L << 32 | 0x4041);
        assertThat(cpu.readMsr(0x830)).isEqualTo(3L << 32 | 0x4041);
        assertThat(board.cpu(3).acknowledge()).isEqualTo(0x41);
    }

    @Test
    void x2apicReachesProcessorsBeyond255() {
        var big = new Board(300);
        for (int i = 0; i < 300; i++) {
            big.cpu(i).setApicBase(big.cpu(i).apicBase() | 0xc00);
            big.cpu(i).writeMsr(0x80f, 0x1ff);
        }
        assertThat(big.cpu(299).readMsr(0x80d)).isEqualTo(0x12_0800);
        big.cpu(0).writeMsr(0x830, 299L << 32 | 0x41);
        assertThat(big.cpu(299).acknowledge()).isEqualTo(0x41);
        big.cpu(0).writeMsr(0x830, 0x12_0801L << 32 | 0x842);
        big.cpu(299).endOfInterrupt();
        assertThat(big.cpu(299).acknowledge()).isEqualTo(0x42);
        assertThat(big.cpu(288).acknowledge()).isEqualTo(0x42);
        assertThat(big.cpu(289).pending()).isFalse();
        big.controllers.msi().send(0xfee0_0000L | 1 << 5 | 43L << 12, 0x77);
        assertThat(big.cpu(299).pending()).as("extended destination").isTrue();
        big.cpu(299).endOfInterrupt();
        assertThat(big.cpu(299).acknowledge()).isEqualTo(0x77);
        big.cpu(5).writeMsr(0x830, 0xffff_ffff_0000_0081L);
        assertThat(big.cpu(150).acknowledge()).isEqualTo(0x81);
    }

    @Test
    void afterAnInterruptOfThe8259TheApicsOwnIsAnnouncedAgain() {
        board.initPics(1);
        send(0, 0x41);
        board.controllers.line(4).pulse();
        board.apicWrite(0, Board.LVT_LINT0, 0x700);
        board.cpus.getFirst().take();
        assertThat(board.cpu(0).acknowledge()).isEqualTo(0x24);
        assertThat(board.cpus.getFirst().take()).containsExactly("pending");
        assertThat(board.cpu(0).acknowledge()).isEqualTo(0x41);
    }

    @Test
    void oddAccessesToThePageAreHarmless() {
        assertThat(board.controllers.localApicPage(1).read(0x23, 1)).isEqualTo(1);
        assertThat(board.controllers.localApicPage(1).read(0x24, 4)).isZero();
        board.controllers.localApicPage(1).write(0x82, 2, 0xff);
        assertThat(board.cpu(1).taskPriority()).isZero();
    }

    @Test
    void deliveryAndAcknowledgementRaceWithoutLoss() throws InterruptedException {
        int rounds = 20_000;
        var sender = Thread.ofPlatform().start(() -> {
            for (int i = 0; i < rounds; i++) {
                send(1, 0x40 + i % 100);
            }
            send(1, 0xff);
        });
        boolean[] seen = new boolean[256];
        while (!seen[0xff]) {
            if (board.cpu(1).pending()) {
                int vector = board.cpu(1).acknowledge();
                if (vector != Board.NONE) {
                    seen[vector] = true;
                    board.cpu(1).endOfInterrupt();
                }
            }
        }
        sender.join();
        while (board.cpu(1).pending()) {
            int vector = board.cpu(1).acknowledge();
            seen[vector] = true;
            board.cpu(1).endOfInterrupt();
        }
        for (int vector = 0x40; vector < 0x40 + 100; vector++) {
            assertThat(seen[vector]).as("vector 0x%x", vector).isTrue();
        }
    }
}
