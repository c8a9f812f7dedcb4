package org.jvirt.engine.soft.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SignalsTest {
    /// As generated code sees wishes; the processor takes each of them between its bit and the word.
    private static final class Word implements Signals.Listener {
        private final Signals signals;
        private boolean takesFirst;
        private boolean set;

        Word(Signals signals) {
            this.signals = signals;
        }

        @Override
        public void requested() {
            if (takesFirst) {
                takesFirst = false;
                int _ = signals.take();
            }
            set = true;
        }

        @Override
        public void taken() {
            set = false;
        }
    }

    /// The word stayed set then, and generated code was left at every loop until the next wish.
    @Test
    void aWishTakenBeforeTheListenerIsToldLeavesNothingBehind() {
        Signals signals = TestProcessor.long64().cpu.signals;
        var word = new Word(signals);
        signals.listener(word);
        word.takesFirst = true;
        signals.interruptPending();
        assertThat(signals.requested()).isFalse();
        assertThat(word.set).isTrue();
        signals.nothingLeft();
        assertThat(word.set).isFalse();
    }

    @Test
    void aWishThatIsThereStays() {
        Signals signals = TestProcessor.long64().cpu.signals;
        var word = new Word(signals);
        signals.listener(word);
        signals.interruptPending();
        signals.nothingLeft();
        assertThat(word.set).isTrue();
        assertThat(signals.requested()).isTrue();
    }
}
