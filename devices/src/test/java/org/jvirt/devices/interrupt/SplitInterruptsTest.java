package org.jvirt.devices.interrupt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.jvirt.core.IoDevice;
import org.jvirt.core.LocalInterrupts;

final class SplitInterruptsTest {
    private static final long LEVEL = 1 << 15;
    private static final long MASKED = 1 << 16;
    private static final long LOGICAL = 1 << 11;

    private final List<String> sent = new ArrayList<>();
    private final List<String> announced = new ArrayList<>();
    private final SplitInterrupts controllers = attached();

    private SplitInterrupts attached() {
        var split = new SplitInterrupts();
        split.attach(
                (address, data) -> sent.add("%x %x".formatted(address, data)),
                (pin, address, data) -> announced.add("%d: %x %x".formatted(pin, address, data)));
        return split;
    }

    private void redirect(int pin, long entry) {
        IoDevice ioApic = controllers.pins().ioApic();
        ioApic.write(0, 4, 0x11 + 2 * pin);
        ioApic.write(0x10, 4, entry >>> 32);
        ioApic.write(0, 4, 0x10 + 2 * pin);
        ioApic.write(0x10, 4, entry & 0xffff_ffffL);
    }

    @Test
    void anEdgeAtAPinIsTheMessageOfItsEntry() {
        redirect(4, 3L << 56 | 0x31);
        controllers.line(4).set(true);
        controllers.line(4).set(false);
        controllers.line(4).set(true);
        assertThat(sent).containsExactly("fee03000 31", "fee03000 31");
    }

    /// Bits 5 to 11 of the address are the destination's bits 8 to 14.
    @Test
    void destinationsWithMoreThanEightBitsAndLogicalOnesReachTheAddress() {
        redirect(5, 0x02L << 56 | 0x01L << 49 | 0x32);
        redirect(6, 0xffL << 56 | LOGICAL | 0x33);
        controllers.line(5).set(true);
        controllers.line(6).set(true);
        assertThat(sent).containsExactly("fee02020 32", "feeff004 33");
    }

    @Test
    void theEngineLearnsEachEntryBeforeItsMessage() {
        controllers.line(9).set(true);
        redirect(9, MASKED | LEVEL | 0x44);
        assertThat(sent).isEmpty();
        redirect(9, LEVEL | 0x44);
        assertThat(announced).last().isEqualTo("9: fee00000 c044");
        assertThat(sent).containsExactly("fee00000 c044");
    }

    @Test
    void aLevelThatIsStillThereIsSentAgainAtItsEnd() {
        redirect(9, LEVEL | 0x44);
        controllers.line(9).set(true);
        controllers.vectorEnded(0x45);
        assertThat(sent).hasSize(1);
        controllers.vectorEnded(0x44);
        assertThat(sent).hasSize(2);
        controllers.line(9).set(false);
        controllers.vectorEnded(0x44);
        assertThat(sent).hasSize(2);
    }

    @Test
    void the8259PairIsAskedThroughTheFirstProcessor() {
        var signals = new RecordingSignals();
        controllers.connect(0, signals);
        IoDevice master = controllers.pins().masterPic();
        for (int[] write : new int[][] {{0, 0x11}, {1, 0x20}, {1, 4}, {1, 1}, {1, 0xfe}}) {
            master.write(write[0], 1, write[1]);
        }
        LocalInterrupts first = controllers.local(0);
        assertThat(first.pending()).isFalse();
        assertThat(first.acknowledge()).isEqualTo(LocalInterrupts.NONE);
        controllers.line(0).set(true);
        assertThat(signals.take()).containsExactly("pending");
        assertThat(first.pending()).isTrue();
        assertThat(first.acknowledge()).isEqualTo(0x20);
        assertThat(first.pending()).isFalse();
    }

    @Test
    void localApicsAndMessagesAreTheEngines() {
        assertThat(controllers.hasLocalApics()).isFalse();
        assertThatThrownBy(() -> controllers.local(1)).hasMessage("The local APICs belong to the engine");
        assertThatThrownBy(controllers::msi).hasMessage("The local APICs belong to the engine");
        assertThatThrownBy(() -> controllers.local(0).apicBase()).hasMessage("The local APICs belong to the engine");
    }

    @Test
    void aResetMasksEverythingAndADetachedEngineHearsNothing() {
        redirect(4, 0x31);
        controllers.reset();
        controllers.line(4).set(true);
        assertThat(sent).isEmpty();
        controllers.line(4).set(false);
        redirect(4, 0x31);
        controllers.detach();
        controllers.line(4).set(true);
        assertThat(sent).isEmpty();
    }
}
