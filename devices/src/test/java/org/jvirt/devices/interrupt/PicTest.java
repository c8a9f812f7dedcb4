package org.jvirt.devices.interrupt;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.jvirt.core.IoDevice;

final class PicTest {
    private final Board board = new Board(1);
    private final IoDevice master = board.controllers.pins().masterPic();
    private final IoDevice slave = board.controllers.pins().slavePic();

    private void init(int icw4) {
        master.write(0, 1, 0x11);
        master.write(1, 1, 0x20);
        master.write(1, 1, 4);
        master.write(1, 1, icw4);
        slave.write(0, 1, 0x11);
        slave.write(1, 1, 0x28);
        slave.write(1, 1, 2);
        slave.write(1, 1, icw4 & ~0x10);
    }

    private int acknowledge() {
        return board.cpu(0).pending() ? board.cpu(0).acknowledge() : Board.NONE;
    }

    private void pulse(int irq) {
        board.controllers.line(irq).pulse();
    }

    private int isr(IoDevice pic) {
        pic.write(0, 1, 0x0b);
        return (int) pic.read(0, 1);
    }

    private int irr(IoDevice pic) {
        pic.write(0, 1, 0x0a);
        return (int) pic.read(0, 1);
    }

    @Test
    void lowerNumbersComeFirstAndTheSlaveSitsAtTwo() {
        init(1);
        pulse(4);
        pulse(3);
        pulse(9);
        assertThat(acknowledge()).isEqualTo(0x29);
        assertThat(isr(master)).isEqualTo(4);
        assertThat(isr(slave)).isEqualTo(2);
        assertThat(acknowledge()).isEqualTo(Board.NONE);
        slave.write(0, 1, 0x20);
        master.write(0, 1, 0x20);
        assertThat(acknowledge()).isEqualTo(0x23);
        master.write(0, 1, 0x20);
        assertThat(acknowledge()).isEqualTo(0x24);
        assertThat(board.cpus.getFirst().take()).contains("pending");
    }

    @Test
    void aHigherRequestInterruptsALowerOneInService() {
        init(1);
        pulse(5);
        assertThat(acknowledge()).isEqualTo(0x25);
        pulse(6);
        assertThat(acknowledge()).isEqualTo(Board.NONE);
        pulse(1);
        assertThat(acknowledge()).isEqualTo(0x21);
        assertThat(isr(master)).isEqualTo(0x22);
        master.write(0, 1, 0x65);
        assertThat(isr(master)).isEqualTo(2);
    }

    @Test
    void aMaskedRequestWaits() {
        init(1);
        master.write(1, 1, 0x10);
        pulse(4);
        assertThat(acknowledge()).isEqualTo(Board.NONE);
        assertThat(irr(master)).isEqualTo(0x10);
        master.write(1, 1, 0);
        assertThat(acknowledge()).isEqualTo(0x24);
    }

    @Test
    void automaticEndOfInterruptLeavesNothingInService() {
        init(3);
        pulse(4);
        assertThat(acknowledge()).isEqualTo(0x24);
        assertThat(isr(master)).isZero();
        pulse(5);
        assertThat(acknowledge()).isEqualTo(0x25);
    }

    @Test
    void automaticRotationMakesTheServedInputTheLast() {
        init(3);
        master.write(0, 1, 0x80);
        pulse(3);
        assertThat(acknowledge()).isEqualTo(0x23);
        pulse(3);
        pulse(5);
        assertThat(acknowledge()).isEqualTo(0x25);
        assertThat(acknowledge()).isEqualTo(0x23);
    }

    @Test
    void specificRotationSetsTheLowestPriority() {
        init(1);
        master.write(0, 1, 0xc4);
        pulse(3);
        pulse(5);
        assertThat(acknowledge()).isEqualTo(0x25);
        master.write(0, 1, 0xa0);
        assertThat(isr(master)).isZero();
        pulse(6);
        assertThat(acknowledge()).isEqualTo(0x26);
    }

    @Test
    void specialMaskModeLetsLowerRequestsThrough() {
        init(1);
        pulse(1);
        assertThat(acknowledge()).isEqualTo(0x21);
        pulse(6);
        assertThat(acknowledge()).isEqualTo(Board.NONE);
        master.write(1, 1, 0x02);
        master.write(0, 1, 0x68);
        assertThat(acknowledge()).isEqualTo(0x26);
        master.write(0, 1, 0x48);
        assertThat(isr(master)).isEqualTo(0x42);
    }

    @Test
    void specialFullyNestedModeLetsTheSlaveInterruptItself() {
        init(0x11);
        pulse(12);
        assertThat(acknowledge()).isEqualTo(0x2c);
        pulse(9);
        assertThat(acknowledge()).isEqualTo(0x29);
        assertThat(isr(slave)).isEqualTo(0x12);
    }

    @Test
    void pollingTakesARequestIntoService() {
        init(1);
        master.write(0, 1, 0x0c);
        assertThat(master.read(0, 1)).isZero();
        pulse(4);
        master.write(0, 1, 0x0c);
        assertThat(master.read(0, 1)).isEqualTo(0x84);
        assertThat(isr(master)).isEqualTo(0x10);
        assertThat(acknowledge()).isEqualTo(Board.NONE);
    }

    @Test
    void aLevelInputRequestsAsLongAsItIsHigh() {
        init(1);
        board.controllers.pins().elcr().write(1, 1, 0x02);
        board.raise(9);
        assertThat(acknowledge()).isEqualTo(0x29);
        slave.write(0, 1, 0x20);
        master.write(0, 1, 0x20);
        assertThat(acknowledge()).isEqualTo(0x29);
        board.lower(9);
        slave.write(0, 1, 0x20);
        master.write(0, 1, 0x20);
        assertThat(acknowledge()).isEqualTo(Board.NONE);
    }

    @Test
    void aRequestThatVanishesBeforeItsAcknowledgementIsSpuriousSeven() {
        init(1);
        board.controllers.pins().elcr().write(0, 1, 0x20);
        board.raise(5);
        assertThat(board.cpu(0).pending()).isTrue();
        board.lower(5);
        assertThat(board.controllers.acknowledgeIntr()).isEqualTo(0x27);
        assertThat(isr(master)).isZero();
    }

    @Test
    void elcrKeepsTheTimerKeyboardAndCascadeEdgeTriggered() {
        board.controllers.pins().elcr().write(0, 2, 0xffff);
        assertThat(board.controllers.pins().elcr().read(0, 2)).isEqualTo(0xdef8);
    }

    @Test
    void initialisationForgetsMasksAndServices() {
        init(1);
        pulse(4);
        acknowledge();
        master.write(1, 1, 0xaa);
        init(1);
        assertThat(master.read(1, 1)).isZero();
        assertThat(isr(master)).isZero();
    }

    @Test
    void resetForgetsEverythingButLevels() {
        init(1);
        board.controllers.pins().elcr().write(1, 1, 0x02);
        board.raise(9);
        board.controllers.reset();
        assertThat(board.controllers.pins().elcr().read(0, 2)).isZero();
        init(1);
        board.controllers.pins().elcr().write(1, 1, 0x02);
        assertThat(acknowledge()).isEqualTo(0x29);
    }
}
