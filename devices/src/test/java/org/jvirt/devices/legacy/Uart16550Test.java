package org.jvirt.devices.legacy;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.jvirt.testkit.ManualClock;
import org.jvirt.testkit.RecordingLine;

final class Uart16550Test {
    private static final int DATA = 0;
    private static final int IER = 1;
    private static final int IIR = 2;
    private static final int FCR = 2;
    private static final int LCR = 3;
    private static final int MCR = 4;
    private static final int LSR = 5;
    private static final int MSR = 6;

    /// Four characters of 10 bits at 115200 baud.
    private static final long TIMEOUT_NANOS = 347_222;

    private final ManualClock clock = new ManualClock();
    private final RecordingLine irq = new RecordingLine();
    private final FakeTerminal terminal = new FakeTerminal();
    private final Uart16550 uart = new Uart16550("serial0", clock, irq, terminal);

    @BeforeEach
    void setUp() {
        set(LCR, 0x83);
        set(0, 1);
        set(1, 0);
        set(LCR, 0x03);
        set(MCR, 0x0b);
    }

    private int get(int register) {
        return (int) uart.read(register, 1);
    }

    private void set(int register, int value) {
        uart.write(register, 1, value);
    }

    @Test
    void charactersGoOutAtOnce() {
        for (char c : "hello".toCharArray()) {
            assertThat(get(LSR) & 0x60).isEqualTo(0x60);
            set(DATA, c);
        }
        assertThat(terminal.shown()).isEqualTo("hello");
    }

    @Test
    void theDivisorLatchHidesDataAndEnables() {
        set(LCR, 0x83);
        set(0, 0x34);
        set(1, 0x12);
        assertThat(get(0) | get(1) << 8).isEqualTo(0x1234);
        set(LCR, 0x03);
        assertThat(get(IER)).isZero();
        assertThat(terminal.shown()).isEmpty();
    }

    @Test
    void identifiesItselfAs16550A() {
        set(IER, 0xff);
        assertThat(get(IER)).isEqualTo(0x0f);
        set(IER, 0);
        assertThat(get(IIR)).isEqualTo(0x01);
        set(FCR, 0xe7);
        assertThat(get(IIR)).isEqualTo(0xc1);
        set(7, 0x5a);
        assertThat(get(7)).isEqualTo(0x5a);
    }

    @Test
    void theTransmitterInterruptFollowsLinuxExpectations() {
        set(IER, 2);
        assertThat(irq.high()).isTrue();
        assertThat(get(IIR)).isEqualTo(0x02);
        assertThat(irq.high()).as("read takes it away").isFalse();
        assertThat(get(IIR)).isEqualTo(0x01);
        set(IER, 0);
        set(IER, 2);
        assertThat(get(IIR)).as("enabling raises it again").isEqualTo(0x02);
        set(DATA, 'x');
        assertThat(irq.high()).isTrue();
        assertThat(get(IIR)).isEqualTo(0x02);
        set(IER, 2);
        assertThat(irq.high()).as("no change of the enable").isFalse();
    }

    @Test
    void receivedCharactersInterruptAtTheTriggerLevel() {
        set(FCR, 0x87);
        set(IER, 1);
        terminal.type("1234567");
        assertThat(irq.high()).isFalse();
        terminal.type("8");
        assertThat(get(IIR)).isEqualTo(0xc4);
        for (char c : "12345678".toCharArray()) {
            assertThat(get(LSR) & 1).isEqualTo(1);
            assertThat(get(DATA)).isEqualTo(c);
        }
        assertThat(get(LSR)).isEqualTo(0x60);
        assertThat(irq.high()).isFalse();
    }

    @Test
    void aFewCharactersInterruptAfterTheTimeout() {
        set(FCR, 0xc7);
        set(IER, 1);
        terminal.type("ab");
        clock.advance(TIMEOUT_NANOS - 10);
        assertThat(irq.high()).isFalse();
        clock.advance(20);
        assertThat(get(IIR)).isEqualTo(0xcc);
        get(DATA);
        assertThat(irq.high()).isFalse();
        clock.advance(TIMEOUT_NANOS + 10);
        assertThat(irq.high()).isTrue();
        assertThat(get(DATA)).isEqualTo('b');
        clock.advance(TIMEOUT_NANOS * 3);
        assertThat(irq.high()).isFalse();
    }

    @Test
    void aFullFifoHoldsTheTerminalBack() {
        set(FCR, 0x07);
        terminal.type("0123456789abcdefghij");
        assertThat(terminal.waiting()).isEqualTo(4);
        var text = new StringBuilder();
        while ((get(LSR) & 1) != 0) {
            text.append((char) get(DATA));
        }
        assertThat(text).hasToString("0123456789abcdefghij");
        assertThat(get(LSR) & 2).as("overrun").isZero();
    }

    @Test
    void withoutFifoOneCharacterIsHeld() {
        terminal.type("ab");
        assertThat(terminal.waiting()).isEqualTo(1);
        assertThat(get(DATA)).isEqualTo('a');
        assertThat(get(DATA)).isEqualTo('b');
    }

    @Test
    void loopbackConnectsOutputsWithInputs() {
        set(MCR, 0x1a);
        assertThat(get(MSR) & 0xf0).isEqualTo(0x90);
        assertThat(get(MSR) & 0x0f).as("told once").isZero();
        set(DATA, 'L');
        assertThat(terminal.shown()).isEmpty();
        assertThat(get(DATA)).isEqualTo('L');
        set(DATA, 'a');
        set(DATA, 'b');
        assertThat(get(LSR) & 3).as("overrun").isEqualTo(3);
        assertThat(get(DATA)).isEqualTo('b');
        set(MCR, 0x15);
        get(MSR);
        set(MCR, 0x10);
        assertThat(get(MSR)).as("trailing edge of RI, change of DSR").isEqualTo(0x06);
        terminal.type("x");
        assertThat(terminal.waiting()).isEqualTo(1);
        set(MCR, 0x0b);
        assertThat(get(DATA)).isEqualTo('x');
        assertThat(get(MSR) & 0xf0).isEqualTo(0xb0);
    }

    @Test
    void modemChangesInterrupt() {
        set(IER, 8);
        set(MCR, 0x10);
        set(MCR, 0x0b);
        assertThat(irq.high()).isTrue();
        assertThat(get(IIR)).isZero();
        get(MSR);
        assertThat(irq.high()).isFalse();
    }

    @Test
    void aBreakIsANullWithItsError() {
        set(FCR, 0x07);
        set(IER, 5);
        terminal.type("a");
        terminal.sendBreak();
        assertThat(get(LSR)).as("not at the head yet").isEqualTo(0xe1);
        get(DATA);
        assertThat(get(IIR)).isEqualTo(0xc6);
        assertThat(get(LSR)).isEqualTo(0xf1);
        assertThat(get(LSR)).isEqualTo(0x61);
        assertThat(get(DATA)).isZero();
    }

    @Test
    void out2GatesTheInterrupt() {
        set(MCR, 0x03);
        set(IER, 2);
        assertThat(irq.high()).isFalse();
        set(MCR, 0x0b);
        assertThat(irq.high()).isTrue();
    }

    @Test
    void aGuestThatNeverSetsTheWordLengthStillReadsBytes() {
        set(LCR, 0x00);
        terminal.type("\u00ff");
        assertThat(get(DATA)).isEqualTo(0xff);
    }

    @Test
    void clearingTheFifoAndResetLetTheTerminalGoOn() {
        set(FCR, 0x01);
        terminal.type("0123456789abcdefXY");
        set(FCR, 0x03);
        assertThat(terminal.waiting()).isZero();
        assertThat(get(DATA)).isEqualTo('X');
        uart.reset();
        assertThat(get(LSR)).isEqualTo(0x60);
        assertThat(get(IER) | get(LCR) | get(MCR)).isZero();
    }

    @Test
    void aRestoredPortStillHoldsItsCharactersAndTimeout() {
        set(FCR, 0xc7);
        set(IER, 1);
        terminal.type("ab");
        var line = new RecordingLine();
        var other = new Uart16550("serial0", clock, line, new FakeTerminal(), uart.save());
        clock.advance(TIMEOUT_NANOS + 10);
        assertThat(line.high()).isTrue();
        assertThat(other.read(DATA, 1)).isEqualTo('a');
        assertThat(other.read(DATA, 1)).isEqualTo('b');
    }
}
