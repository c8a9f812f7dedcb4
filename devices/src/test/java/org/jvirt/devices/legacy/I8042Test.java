package org.jvirt.devices.legacy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.jvirt.devices.acpi.RecordingPower;
import org.jvirt.testkit.RecordingLine;

final class I8042Test {
    private final RecordingLine irq1 = new RecordingLine();
    private final RecordingLine irq12 = new RecordingLine();
    private final RecordingPower power = new RecordingPower();
    private final I8042 controller = new I8042(irq1, irq12, power);

    private void command(int value) {
        controller.commandPort().write(0, 1, value);
    }

    private void data(int value) {
        controller.dataPort().write(0, 1, value);
    }

    private int status() {
        return (int) controller.commandPort().read(0, 1);
    }

    private int get() {
        assertThat(status() & 1).as("output buffer full").isEqualTo(1);
        return (int) controller.dataPort().read(0, 1);
    }

    private List<Integer> drain() {
        List<Integer> bytes = new ArrayList<>();
        while ((status() & 1) != 0) {
            bytes.add((int) controller.dataPort().read(0, 1));
        }
        return bytes;
    }

    private void commandByte(int value) {
        command(0x60);
        data(value);
    }

    private List<Integer> toMouse(int... values) {
        List<Integer> answers = new ArrayList<>();
        for (int value : values) {
            command(0xd4);
            data(value);
            while ((status() & 1) != 0) {
                assertThat(status() & 0x20).as("from the mouse").isNotZero();
                answers.add(get());
            }
        }
        return answers;
    }

    private List<Integer> toKeyboard(int... values) {
        List<Integer> answers = new ArrayList<>();
        for (int value : values) {
            data(value);
            answers.addAll(drain());
        }
        return answers;
    }

    @Test
    void selfTestsPass() {
        command(0xaa);
        assertThat(get()).isEqualTo(0x55);
        command(0xab);
        assertThat(get()).isZero();
        command(0xa9);
        assertThat(get()).isZero();
        assertThat(status()).isEqualTo(0x1c);
    }

    @Test
    void theCommandByteCanBeReadBack() {
        commandByte(0x65);
        command(0x20);
        assertThat(get()).isEqualTo(0x65);
        command(0xa7);
        command(0xad);
        command(0x20);
        assertThat(get()).isEqualTo(0x75);
        command(0xa8);
        command(0xae);
        command(0x20);
        assertThat(get()).isEqualTo(0x45);
    }

    @Test
    void linuxFindsTheAuxPortAndNoMultiplexer() {
        commandByte(0x47);
        command(0xd3);
        data(0x5a);
        assertThat(status() & 0x21).isEqualTo(0x21);
        assertThat(irq12.high()).isTrue();
        assertThat(get()).isEqualTo(0x5a);
        assertThat(irq12.high()).isFalse();
        for (int value : new int[] {0xf0, 0x56, 0xa4}) {
            command(0xd3);
            data(value);
            assertThat(get()).as("a plain echo").isEqualTo(value);
        }
    }

    @Test
    void linuxFindsTheKeyboard() {
        commandByte(0x40);
        assertThat(toKeyboard(0xf2)).containsExactly(0xfa, 0xab, 0x41);
        commandByte(0x00);
        assertThat(toKeyboard(0xf2)).containsExactly(0xfa, 0xab, 0x83);
        assertThat(toKeyboard(0xff)).containsExactly(0xfa, 0xaa);
        assertThat(toKeyboard(0xed, 5)).containsExactly(0xfa, 0xfa);
        assertThat(controller.leds()).isEqualTo(5);
        assertThat(toKeyboard(0xf3, 0)).containsExactly(0xfa, 0xfa);
        assertThat(toKeyboard(0xee)).containsExactly(0xee);
        assertThat(toKeyboard(0xf0, 0)).containsExactly(0xfa, 0xfa, 2);
        assertThat(toKeyboard(0xf0, 3)).containsExactly(0xfa, 0xfe);
        assertThat(toKeyboard(0x12)).containsExactly(0xfe);
    }

    @Test
    void linuxFindsAWheelMouse() {
        assertThat(toMouse(0xff)).containsExactly(0xfa, 0xaa, 0x00);
        assertThat(toMouse(0xf2)).containsExactly(0xfa, 0x00);
        toMouse(0xf3, 200, 0xf3, 100, 0xf3, 80);
        assertThat(toMouse(0xf2)).containsExactly(0xfa, 0x03);
        toMouse(0xf3, 200, 0xf3, 200, 0xf3, 80);
        assertThat(toMouse(0xf2)).containsExactly(0xfa, 0x04);
        assertThat(toMouse(0xe8, 3, 0xe9)).containsExactly(0xfa, 0xfa, 0xfa, 0x00, 3, 80);
        assertThat(toMouse(0xe1)).containsExactly(0xfe);
        assertThat(toMouse(0xee, 0x55, 0xec)).containsExactly(0xfa, 0x55, 0xfa);
    }

    @Test
    void keysAreTranslatedAndInterrupt() {
        commandByte(0x41);
        controller.key(0x1c, false, true);
        assertThat(irq1.high()).isTrue();
        assertThat(get()).isEqualTo(0x1e);
        assertThat(irq1.high()).isFalse();
        controller.key(0x1c, false, false);
        assertThat(drain()).containsExactly(0x9e);
        controller.key(0x75, true, true);
        controller.key(0x75, true, false);
        int edges = irq1.risingEdges();
        assertThat(drain()).containsExactly(0xe0, 0x48, 0xe0, 0xc8);
        assertThat(irq1.risingEdges()).as("one edge for each further byte").isEqualTo(edges + 3);
    }

    @Test
    void rawCodesComeInTheChosenSet() {
        commandByte(0x00);
        controller.key(0x1c, false, false);
        assertThat(drain()).containsExactly(0xf0, 0x1c);
        toKeyboard(0xf0, 1);
        controller.key(0x1c, false, false);
        assertThat(drain()).containsExactly(0x9e);
    }

    @Test
    void aDisabledPortHoldsItsBytes() {
        commandByte(0x51);
        controller.key(0x1c, false, true);
        assertThat(status() & 1).isZero();
        command(0xae);
        assertThat(get()).isEqualTo(0x1e);
    }

    @Test
    void keysBeyondTheQueueAreLostWhole() {
        commandByte(0x10);
        for (int i = 0; i < 100; i++) {
            controller.key(0x75, true, false);
        }
        command(0xae);
        List<Integer> bytes = drain();
        assertThat(bytes).hasSizeLessThanOrEqualTo(16);
        assertThat(bytes.size() % 3).isZero();
    }

    @Test
    void theMouseReportsMovementInPackets() {
        commandByte(0x02);
        toMouse(0xf4);
        controller.mouse(5, -3, 0, 1);
        assertThat(irq12.high()).isTrue();
        assertThat(drain()).containsExactly(0x29, 5, 0xfd);
        controller.mouse(600, 0, 0, 0);
        assertThat(drain()).as("large moves take several").containsExactly(8, 255, 0, 8, 255, 0, 8, 90, 0);
        toMouse(0xf5);
        controller.mouse(1, 1, 0, 0);
        assertThat(drain()).isEmpty();
        assertThat(toMouse(0xeb)).containsExactly(0xfa, 8, 1, 1);
    }

    @Test
    void theWheelIsTheFourthByte() {
        toMouse(0xf3, 200, 0xf3, 100, 0xf3, 80, 0xf4);
        controller.mouse(0, 0, 1, 0);
        assertThat(drain()).containsExactly(8, 0, 0, 0xff);
    }

    @Test
    void resetIsAskedForThreeWays() {
        command(0xfe);
        assertThat(power.take()).containsExactly("reset");
        command(0xff);
        assertThat(power.take()).isEmpty();
        command(0xd1);
        data(0xde);
        assertThat(power.take()).containsExactly("reset");
        var port92 = new SystemControlPortA(power);
        port92.write(0, 1, 3);
        assertThat(power.take()).containsExactly("reset");
    }

    @Test
    void theOutputPortKeepsA20() {
        command(0xdd);
        command(0xd0);
        assertThat(get() & 2).isZero();
        command(0xd1);
        data(0xdf);
        command(0xd0);
        assertThat(get() & 2).isEqualTo(2);
    }

    @Test
    void resetForgetsAll() {
        commandByte(0x00);
        controller.key(0x1c, false, true);
        controller.reset();
        assertThat(status()).isEqualTo(0x14);
        assertThat(irq1.high()).isFalse();
        assertThat(controller.save()).isEqualTo(I8042State.RESET);
    }
}
