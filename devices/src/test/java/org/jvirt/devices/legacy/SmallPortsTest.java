package org.jvirt.devices.legacy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.jvirt.devices.acpi.RecordingPower;

final class SmallPortsTest {
    @Test
    void debugExitEndsWithAnOddCode() {
        var power = new RecordingPower();
        var device = new DebugExit(power);
        device.write(0, 1, 0);
        device.write(0, 4, 0x10);
        assertThat(power.take()).containsExactly("exit 1", "exit 33");
        assertThat(device.read(0, 2)).isZero();
    }

    @Test
    void debugPortPassesBytesOnAndShowsItsSign() {
        List<Integer> bytes = new ArrayList<>();
        var port = new DebugPort(bytes::add);
        port.write(0, 1, 'o');
        port.write(0, 2, 'k' | '!' << 8);
        assertThat(bytes).containsExactly((int) 'o', (int) 'k', (int) '!');
        assertThat(port.read(0, 1)).isEqualTo(0xe9);
    }

    @Test
    void postCodeRemembersTheLast() {
        var post = new PostCode();
        post.write(0, 1, 0x2a);
        assertThat(post.last()).isEqualTo(0x2a);
    }

    @Test
    void dmaRegistersFollowTheFlipFlop() {
        var dma = new DmaController();
        dma.first().write(0x0d, 1, 0);
        dma.first().write(4, 1, 0x34);
        dma.first().write(4, 1, 0x12);
        assertThat(dma.first().read(4, 1)).isEqualTo(0x34);
        assertThat(dma.first().read(4, 1)).isEqualTo(0x12);
        dma.first().write(0x0a, 1, 2);
        assertThat(dma.first().read(0x0f, 1)).isEqualTo(0xfb);
        dma.second().write(0x1e, 1, 0);
        assertThat(dma.second().read(0x1e, 1)).isEqualTo(0xf0);
        dma.pages().write(2, 1, 0x77);
        assertThat(dma.pages().read(2, 1)).isEqualTo(0x77);
        dma.reset();
        assertThat(dma.first().read(0x0f, 1)).isEqualTo(0xff);
    }
}
