package org.jvirt.machine.chardev;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.jvirt.core.CharBackend;
import org.jvirt.core.UserErrorException;

class BackendsTest {
    /// A device with room for one byte at a time, which the test takes out.
    private static final class NarrowDevice implements CharBackend.Receiver {
        private final SynchronousQueue<Character> taken = new SynchronousQueue<>();

        @Override
        public int space() {
            return 1;
        }

        @Override
        public void receive(byte[] bytes, int offset, int length) {
            assertThat(length).isEqualTo(1);
            try {
                taken.put((char) bytes[offset]);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        @Override
        public void breakCondition() {
            throw new IllegalStateException("no break was sent");
        }

        String take(int count) throws InterruptedException {
            var text = new StringBuilder();
            for (int i = 0; i < count; i++) {
                Character next = taken.poll(10, TimeUnit.SECONDS);
                if (next == null) {
                    break;
                }
                text.append(next);
            }
            return text.toString();
        }
    }

    private static void write(CharBackend backend, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        backend.write(bytes, 0, bytes.length);
    }

    @Test
    void aFileHoldsAllThatWasWrittenWhenTheLineIsClosed(@TempDir Path directory) throws IOException {
        Path file = directory.resolve("serial.log");
        var backend = FileBackend.open(file);
        String line = "x".repeat(99) + "\n";
        for (int i = 0; i < 5000; i++) {
            write(backend, line);
        }
        backend.close();
        backend.close();
        assertThat(Files.size(file)).isEqualTo(500_000);
        assertThat(backend.dropped()).isZero();
    }

    @Test
    void aFileThatCannotBeWrittenIsTheUsersError(@TempDir Path directory) {
        assertThatThrownBy(() -> FileBackend.open(directory))
                .isInstanceOf(UserErrorException.class)
                .hasMessageContaining(directory.toString());
    }

    @Test
    void aSocketCarriesBothWaysAndIsPrivate(@TempDir Path directory) throws IOException, InterruptedException {
        Path path = directory.resolve("console.sock");
        var device = new NarrowDevice();
        try (var backend = UnixSocketBackend.listen(path)) {
            backend.connect(device);
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
                    .isEqualTo("rw-------");
            for (int client = 0; client < 2; client++) {
                try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
                    channel.write(ByteBuffer.wrap("hello".getBytes(StandardCharsets.US_ASCII)));
                    assertThat(device.take(5)).isEqualTo("hello");
                    write(backend, "world");
                    var answer = ByteBuffer.allocate(5);
                    while (answer.hasRemaining()) {
                        channel.read(answer);
                    }
                    assertThat(new String(answer.array(), StandardCharsets.US_ASCII))
                            .isEqualTo("world");
                }
            }
        }
        assertThat(path).doesNotExist();
    }

    @Test
    void aLeftOverSocketIsReplacedAndAUsedOneIsNot(@TempDir Path directory) throws IOException {
        Path path = directory.resolve("console.sock");
        try (var first = UnixSocketBackend.listen(path)) {
            assertThatThrownBy(() -> UnixSocketBackend.listen(path))
                    .isInstanceOf(UserErrorException.class)
                    .hasMessageContaining("another program listens there");
            assertThat(first.dropped()).isZero();
        }
        Path notASocket = Files.writeString(directory.resolve("file"), "keep me");
        assertThatThrownBy(() -> UnixSocketBackend.listen(notASocket)).isInstanceOf(UserErrorException.class);
        assertThat(notASocket).hasContent("keep me");
    }

    @Test
    void aPseudoTerminalCarriesBothWays() throws IOException, InterruptedException {
        var device = new NarrowDevice();
        try (var backend = PtyBackend.open();
                var in = new FileInputStream(backend.device().toFile());
                var out = new FileOutputStream(backend.device().toFile())) {
            backend.connect(device);
            out.write("up\r".getBytes(StandardCharsets.US_ASCII));
            assertThat(device.take(3)).isEqualTo("up\r");
            write(backend, "down\n");
            assertThat(new String(in.readNBytes(5), StandardCharsets.US_ASCII)).isEqualTo("down\n");
        }
    }

    @Test
    void aTranscriptWaitsForWordsAndTypes() throws InterruptedException, TimeoutException {
        var device = new NarrowDevice();
        try (var backend = new TranscriptBackend()) {
            backend.connect(device);
            write(backend, "login: ");
            assertThat(backend.expect("login:", Duration.ofSeconds(10))).isEqualTo("login:");
            backend.type("root\n");
            assertThat(device.take(5)).isEqualTo("root\n");
            assertThatThrownBy(() -> backend.expect("login:", Duration.ofMillis(10)))
                    .isInstanceOf(TimeoutException.class)
                    .hasMessageContaining("did not write 'login:'");
        }
    }

    @Test
    void inputWaitsForADeviceAndClosingEndsTheWait() throws InterruptedException {
        var backend = new TranscriptBackend();
        backend.type("early");
        var device = new NarrowDevice();
        backend.connect(device);
        assertThat(device.take(5)).isEqualTo("early");
        backend.type("never taken");
        backend.close();
    }
}
