package org.jvirt.devices.virtio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.jvirt.core.UserErrorException;
import org.jvirt.devices.virtio.GuestRing.Buffer;
import org.jvirt.devices.virtio.console.ConsoleState;
import org.jvirt.devices.virtio.console.PortSpec;
import org.jvirt.devices.virtio.console.VirtioConsole;
import org.jvirt.devices.work.QueueRunner;

class VirtioConsoleTest {
    private static final long MULTIPORT = VirtioFeature.VIRTIO_F_VERSION_1 | VirtioFeature.VIRTIO_F_EVENT_IDX | 3;

    private final RecordingPeer peer = new RecordingPeer();
    private final RecordingPeer agent = new RecordingPeer();
    private final VirtioConsole console =
            new VirtioConsole(List.of(new PortSpec("", true, peer), new PortSpec("org.example.agent", false, agent)));

    private GuestRing[] start(GuestDisk machine, long features) {
        assertThat(machine.driver.negotiate(features)).isTrue();
        machine.driver.enableMsix(7);
        var rings = new GuestRing[6];
        for (int i = 0; i < 6; i++) {
            rings[i] = machine.driver.queue(i, 16, i + 1);
        }
        machine.driver.driverOk();
        return rings;
    }

    private static void control(GuestDisk machine, GuestRing ring, int id, int event, int value) {
        machine.memory.writeInt(0x50000, id);
        machine.memory.writeShort(0x50004, event);
        machine.memory.writeShort(0x50006, value);
        assertThat(ring.roundTrip(List.of(new Buffer(0x50000, 8, false)), false))
                .isNotNull();
    }

    private static List<String> answers(GuestDisk machine, GuestRing ring) {
        var all = new ArrayList<String>();
        for (GuestRing.Used used = ring.poll(); used != null; used = ring.poll()) {
            long at = 0x60000 + 128L * used.id();
            String body = new String(machine.get(at + 8, (int) used.length() - 8), StandardCharsets.ISO_8859_1);
            all.add(machine.memory.readInt(at) + ":" + machine.memory.readShort(at + 4) + ":"
                    + machine.memory.readShort(at + 6) + (body.isEmpty() ? "" : ":" + body));
        }
        return all;
    }

    private static void give(GuestRing ring, int buffers) {
        for (int i = 0; i < buffers; i++) {
            ring.add(List.of(new Buffer(0x60000 + 128L * i, 128, true)), false);
        }
        ring.kick();
    }

    @Test
    void thePortsIntroduceThemselves() {
        try (var machine = new GuestDisk(GuestDisk.ram(), console, QueueRunner.inline())) {
            assertThat(machine.pci.read(machine.at, 2, 2)).isEqualTo(0x1043);
            assertThat(machine.pci.mmio.read(machine.driver.deviceConfig + 4, 4))
                    .isEqualTo(2);
            console.resize(80, 25);
            assertThat(machine.pci.mmio.read(machine.driver.deviceConfig, 4)).isEqualTo(25 << 16 | 80);
            GuestRing[] rings = start(machine, MULTIPORT);
            give(rings[2], 16);
            control(machine, rings[3], 0, 0, 1);
            assertThat(answers(machine, rings[2])).containsExactly("0:1:1", "1:1:1");
            control(machine, rings[3], 0, 3, 1);
            assertThat(answers(machine, rings[2])).containsExactly("0:4:1", "0:5:0:\u0019\0P\0", "0:6:1");
            control(machine, rings[3], 1, 3, 1);
            assertThat(answers(machine, rings[2])).containsExactly("1:7:1:org.example.agent", "1:6:1");
            console.resize(100, 30);
            assertThat(answers(machine, rings[2])).containsExactly("0:5:0:\u001e\0d\0");
        }
    }

    @Test
    void bytesGoBothWaysOnEachPort() {
        try (var machine = new GuestDisk(GuestDisk.ram(), console, QueueRunner.inline())) {
            peer.type("before the driver\n".getBytes(StandardCharsets.UTF_8));
            GuestRing[] rings = start(machine, MULTIPORT);
            machine.put(0x40000, "hello, host".getBytes(StandardCharsets.UTF_8));
            rings[1].roundTrip(List.of(new Buffer(0x40000, 5, false), new Buffer(0x40005, 6, false)), false);
            assertThat(peer.text()).isEqualTo("hello, host");
            rings[5].roundTrip(List.of(new Buffer(0x40000, 5, false)), false);
            assertThat(agent.text()).isEqualTo("hello");
            give(rings[0], 2);
            GuestRing.Used used = rings[0].poll();
            assertThat(new String(machine.get(0x60000, (int) used.length()), StandardCharsets.UTF_8))
                    .isEqualTo("before the driver\n");
        }
    }

    @Test
    void inputWaitsWithItsSenderUntilTheGuestTakesIt() {
        try (var machine = new GuestDisk(GuestDisk.ram(), console, QueueRunner.inline())) {
            GuestRing[] rings = start(machine, VirtioFeature.VIRTIO_F_VERSION_1);
            var all = new byte[20_000];
            for (int i = 0; i < all.length; i++) {
                all[i] = (byte) (i * 31 >> 3);
            }
            peer.type(all);
            assertThat(peer.left()).isEqualTo(all.length - 4096);
            int got = 0;
            while (got < all.length) {
                give(rings[0], 4);
                for (GuestRing.Used used = rings[0].poll(); used != null; used = rings[0].poll()) {
                    // Four buffers at a time, and heads count up through the ring of 16.
                    long at = 0x60000 + 128L * (used.id() % 4);
                    for (int i = 0; i < used.length(); i++) {
                        assertThat((byte) machine.memory.readByte(at + i)).isEqualTo(all[got++]);
                    }
                }
            }
            assertThat(peer.left()).isZero();
        }
    }

    @Test
    void savedInputAndPendingMessagesSurvive() {
        var memory = GuestDisk.ram();
        var machine = new GuestDisk(memory, console, QueueRunner.inline());
        GuestRing[] rings = start(machine, MULTIPORT);
        control(machine, rings[3], 0, 0, 1);
        peer.type("typed".getBytes(StandardCharsets.UTF_8));
        VirtioPciState state = machine.function.save();
        machine.function.close();

        var specs = List.of(new PortSpec("", true, peer), new PortSpec("org.example.agent", false, agent));
        var restored = new VirtioConsole(specs, (ConsoleState) state.core().device());
        var function = new VirtioPci("con0", restored, memory, QueueRunner.inline());
        var pci = new GuestPci();
        pci.add(3, function);
        function.restore(state);
        function.resume();
        for (int i = 0; i < 2; i++) {
            rings[2].add(List.of(new Buffer(0x60000 + 128L * i, 128, true)), false);
        }
        rings[0].add(List.of(new Buffer(0x70000, 128, true)), false);
        pci.mmio.write(machine.driver.notify, 2, 0);
        assertThat(answers(machine, rings[2])).containsExactly("0:1:1", "1:1:1");
        assertThat(rings[0].poll().length()).isEqualTo(5);
        function.close();
        memory.close();
    }

    @Test
    void aDriverThatAsksWithoutListeningIsStopped() {
        try (var machine = new GuestDisk(GuestDisk.ram(), console, QueueRunner.inline())) {
            GuestRing[] rings = start(machine, MULTIPORT);
            machine.memory.writeInt(0x50000, 0);
            machine.memory.writeInt(0x50004, 1 << 16);
            int asked = 0;
            while (!machine.driver.needsReset() && asked < 1000) {
                rings[3].add(List.of(new Buffer(0x50000, 8, false)), false);
                rings[3].kick();
                rings[3].poll();
                asked++;
            }
            assertThat(asked).isBetween(10, 100);
            machine.driver.reset();
            assertThat(machine.driver.negotiate(MULTIPORT)).isTrue();
        }
    }

    @Test
    void nonsenseOnTheControlQueueIsIgnored() {
        try (var machine = new GuestDisk(GuestDisk.ram(), console, QueueRunner.inline())) {
            GuestRing[] rings = start(machine, MULTIPORT);
            give(rings[2], 8);
            for (int[] each :
                    new int[][] {{-1, 3, 1}, {2, 3, 1}, {0x7fffffff, 6, 1}, {0, 99, 1}, {0, 0, 0}, {0, 3, 0}}) {
                control(machine, rings[3], each[0], each[1], each[2]);
            }
            rings[3].roundTrip(List.of(new Buffer(0x50000, 7, false)), false);
            assertThat(answers(machine, rings[2])).isEmpty();
            assertThat(machine.driver.needsReset()).isFalse();
        }
    }

    @Test
    void theFirstPortMustBeAConsole() {
        assertThatThrownBy(() -> new VirtioConsole(List.of(new PortSpec("x", false, peer))))
                .isInstanceOf(UserErrorException.class);
        assertThatThrownBy(() -> new VirtioConsole(List.of())).isInstanceOf(UserErrorException.class);
    }
}
