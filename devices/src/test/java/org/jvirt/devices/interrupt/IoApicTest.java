package org.jvirt.devices.interrupt;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

final class IoApicTest {
    private static final long LEVEL = 0x8000;
    private static final long MASKED = 0x1_0000;
    private static final long LOGICAL = 0x800;

    private final Board board = Board.enabled(3);

    private static long to(int destination) {
        return (long) destination << 56;
    }

    @Test
    void identifiesItselfAsIch9() {
        board.controllers.pins().ioApic().write(0, 4, 1);
        assertThat(board.controllers.pins().ioApic().read(0x10, 4)).isEqualTo(0x0017_0020);
        board.controllers.pins().ioApic().write(0, 4, 0);
        board.controllers.pins().ioApic().write(0x10, 4, 0x0f00_0000);
        assertThat(board.controllers.pins().ioApic().read(0x10, 4)).isEqualTo(0x0f00_0000);
        assertThat(board.redirection(5)).isEqualTo(MASKED);
    }

    @Test
    void anEdgeGoesToTheProcessorNamed() {
        board.redirect(4, 0x31 | to(1));
        board.raise(4);
        assertThat(board.cpu(0).pending()).isFalse();
        assertThat(board.cpus.get(1).take()).containsExactly("pending");
        assertThat(board.cpu(1).acknowledge()).isEqualTo(0x31);
        board.cpu(1).endOfInterrupt();
        board.raise(4);
        assertThat(board.cpu(1).pending()).as("no new edge").isFalse();
    }

    @Test
    void interruptZeroArrivesAtPinTwo() {
        board.redirect(2, 0x30 | to(0));
        board.controllers.line(0).pulse();
        assertThat(board.cpu(0).acknowledge()).isEqualTo(0x30);
    }

    @Test
    void anEdgeWhileMaskedIsLost() {
        board.redirect(4, 0x31 | MASKED);
        board.raise(4);
        board.redirect(4, 0x31);
        assertThat(board.cpu(0).pending()).isFalse();
    }

    @Test
    void aLevelIsSentOnceAndAgainAfterItsEnd() {
        board.redirect(20, 0x51 | LEVEL);
        board.raise(20);
        assertThat(board.redirection(20)).isEqualTo(0x51 | LEVEL | 0x4000);
        assertThat(board.cpu(0).acknowledge()).isEqualTo(0x51);
        assertThat(board.cpu(0).pending()).isFalse();
        board.cpu(0).endOfInterrupt();
        assertThat(board.cpu(0).acknowledge()).isEqualTo(0x51);
        board.lower(20);
        board.cpu(0).endOfInterrupt();
        assertThat(board.cpu(0).pending()).isFalse();
        assertThat(board.redirection(20)).isEqualTo(0x51 | LEVEL);
    }

    @Test
    void aLevelWhileMaskedIsSentOnUnmasking() {
        board.redirect(20, 0x51 | LEVEL | MASKED);
        board.raise(20);
        assertThat(board.cpu(0).pending()).isFalse();
        board.redirect(20, 0x51 | LEVEL);
        assertThat(board.cpu(0).acknowledge()).isEqualTo(0x51);
    }

    @Test
    void withBroadcastSuppressedTheEoiRegisterEndsALevel() {
        board.apicWrite(0, Board.SVR, 0x11ff);
        board.redirect(20, 0x51 | LEVEL);
        board.raise(20);
        assertThat(board.cpu(0).acknowledge()).isEqualTo(0x51);
        board.cpu(0).endOfInterrupt();
        assertThat(board.cpu(0).pending()).isFalse();
        board.controllers.pins().ioApic().write(0x40, 4, 0x51);
        assertThat(board.cpu(0).acknowledge()).isEqualTo(0x51);
    }

    @Test
    void turningAnEntryToEdgeForgetsRemoteIrr() {
        board.redirect(20, 0x51 | LEVEL);
        board.raise(20);
        board.redirect(20, 0x51 | MASKED);
        assertThat(board.redirection(20)).isEqualTo(0x51 | MASKED);
    }

    @Test
    void aLevelNobodyTakesIsNotInFlight() {
        board.redirect(20, 0x51 | LEVEL | to(77));
        board.raise(20);
        assertThat(board.redirection(20)).isEqualTo(0x51 | LEVEL);
        board.redirect(20, 0x51 | LEVEL | to(0));
        assertThat(board.cpu(0).acknowledge()).isEqualTo(0x51);
    }

    @Test
    void logicalDestinationsReachEveryProcessorInTheMask() {
        for (int i = 0; i < 3; i++) {
            board.apicWrite(i, Board.LDR, 1L << 24 + i);
        }
        board.redirect(5, 0x61 | LOGICAL | to(5));
        board.raise(5);
        assertThat(board.cpu(0).pending()).isTrue();
        assertThat(board.cpu(1).pending()).isFalse();
        assertThat(board.cpu(2).pending()).isTrue();
    }

    @Test
    void lowestPriorityChoosesTheLeastBusy() {
        for (int i = 0; i < 3; i++) {
            board.apicWrite(i, Board.LDR, 1L << 24 + i);
        }
        board.cpu(0).setTaskPriority(4);
        board.cpu(2).setTaskPriority(3);
        board.redirect(5, 0x61 | LOGICAL | 0x100 | to(7));
        board.raise(5);
        assertThat(board.cpu(1).acknowledge()).isEqualTo(0x61);
        assertThat(board.cpu(0).pending() || board.cpu(2).pending()).isFalse();
    }

    @Test
    void nmiAndExtIntPassThrough() {
        board.redirect(6, 0x400 | to(2));
        board.raise(6);
        assertThat(board.cpus.get(2).take()).containsExactly("nmi");
        board.redirect(0, 0x700 | to(1));
        board.initPics(1);
        board.apicWrite(0, Board.LVT_LINT0, 0x10000);
        board.controllers.line(3).pulse();
        assertThat(board.cpu(0).pending()).isFalse();
        assertThat(board.cpu(1).acknowledge()).isEqualTo(0x23);
    }

    @Test
    void levelsRaisedAndEndedOnTwoThreadsAreNeverLost() throws InterruptedException {
        int rounds = 20_000;
        board.redirect(20, 0x51 | LEVEL);
        var raised = new AtomicInteger();
        var handled = new AtomicInteger();
        var device = Thread.ofPlatform().start(() -> {
            for (int i = 1; i <= rounds; i++) {
                raised.set(i);
                board.raise(20);
                while (handled.get() < i) {
                    Thread.onSpinWait();
                }
            }
        });
        while (handled.get() < rounds) {
            if (board.cpu(0).pending() && board.cpu(0).acknowledge() == 0x51) {
                board.lower(20);
                int round = raised.get();
                board.cpu(0).endOfInterrupt();
                handled.set(round);
            }
        }
        device.join();
        assertThat(board.redirection(20)).isEqualTo(0x51 | LEVEL);
        assertThat(board.cpu(0).pending()).isFalse();
    }

    @Test
    void resetMasksEveryPinAndPutsTheLocalApicsBack() {
        board.redirect(20, 0x51 | LEVEL);
        board.raise(20);
        board.cpu(1).setApicBase(0xfee0_0c00L);
        board.controllers.reset();
        assertThat(board.redirection(20)).isEqualTo(MASKED);
        assertThat(board.cpu(0).pending()).isFalse();
        assertThat(board.cpu(1).apicBase()).isEqualTo(0xfee0_0800L);
        board.apicWrite(0, Board.SVR, 0x1ff);
        board.redirect(20, 0x52 | LEVEL);
        assertThat(board.cpu(0).acknowledge()).as("the line is still high").isEqualTo(0x52);
    }

    @Test
    void vectorsBelowSixteenAreRefusedWithoutEndlessRetry() {
        board.redirect(20, 0x05 | LEVEL);
        board.raise(20);
        assertThat(board.cpu(0).pending()).isFalse();
        board.redirect(7, 0x05);
        board.raise(7);
        board.apicWrite(0, Board.ESR, 0);
        assertThat(board.apicRead(0, Board.ESR)).isEqualTo(0x40);
    }
}
