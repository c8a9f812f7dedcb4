package org.jvirt.devices;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.jvirt.core.InterruptLine;
import org.jvirt.testkit.RecordingLine;

final class SharedLineTest {
    @Test
    void theWireIsHighWhileAnyDriverIs() {
        var wire = new RecordingLine();
        var shared = new SharedLine(wire);
        InterruptLine first = shared.driver();
        InterruptLine second = shared.driver();
        first.set(true);
        first.set(true);
        second.set(true);
        first.set(false);
        assertThat(wire.high()).isTrue();
        second.set(false);
        assertThat(wire.high()).isFalse();
        assertThat(wire.risingEdges()).isEqualTo(1);
    }
}
