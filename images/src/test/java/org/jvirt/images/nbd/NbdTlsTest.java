package org.jvirt.images.nbd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.DiskImages;
import org.jvirt.images.ImageAccess;
import org.jvirt.images.ImageOpening;
import org.jvirt.images.ImageReference;
import org.jvirt.images.NetworkAccess;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.nbd.server.NbdExport;
import org.jvirt.images.nbd.server.NbdServer;
import org.jvirt.images.nbd.server.ServerSettings;
import org.jvirt.images.testing.Peer;

/// TLS on both sides, with ourselves and with others.
@Timeout(180)
class NbdTlsTest {
    private static final int DISK_BYTES = 4 << 20;

    @TempDir
    Path folder;

    private Certificates certificates;
    private byte[] content;
    private Path file;

    @BeforeEach
    void prepare() throws IOException {
        certificates = Certificates.make(folder, "pki");
        content = new byte[DISK_BYTES];
        new Random(5).nextBytes(content);
        file = folder.resolve("disk.raw");
        Files.write(file, content);
    }

    private NbdServer serve(boolean verify) {
        DiskImage image = DiskImages.open(file, ImageFormat.RAW, true);
        var settings = new ServerSettings(
                List.of(NbdExport.ofImage("", "", image, true, List.of(), false)),
                Optional.of(TlsCredentials.ofServer(certificates.folder(), verify)),
                4,
                Duration.ofSeconds(10));
        return NbdServer.start(new NbdAddress.Tcp("127.0.0.1", 0), settings);
    }

    private static int port(NbdServer server) {
        return server.address() instanceof NbdAddress.Tcp(String host, int port) ? port : 0;
    }

    private DiskImage open(String uri, Path clientFolder) {
        NetworkAccess network = NetworkAccess.none().with("tls0", TlsCredentials.ofClient(clientFolder, true));
        return new ImageAccess()
                .withNetwork(network)
                .open(ImageReference.of(uri), Optional.of(ImageFormat.RAW), ImageOpening.reading());
    }

    private void readsAll(DiskImage disk) throws IOException {
        byte[] read = new byte[DISK_BYTES];
        disk.read(0, List.of(MemorySegment.ofArray(read)));
        assertThat(read).isEqualTo(content);
    }

    @Test
    void bothSidesKnowEachOther() throws Exception {
        certificates.traditionalServerKey();
        try (NbdServer server = serve(true);
                DiskImage disk =
                        open("nbds://localhost:%d?tls-creds=tls0".formatted(port(server)), certificates.folder());
                var threads = Executors.newFixedThreadPool(4)) {
            for (int i = 0; i < 8; i++) {
                threads.submit(() -> {
                            readsAll(disk);
                            return null;
                        })
                        .get();
            }
        }
    }

    @Test
    void aClientWithoutCertificateOrInTheClearIsRefused() throws IOException {
        Path bare = Files.createDirectory(folder.resolve("bare"));
        Files.copy(certificates.folder().resolve("ca-cert.pem"), bare.resolve("ca-cert.pem"));
        try (NbdServer server = serve(true)) {
            assertThatThrownBy(() -> open("nbds://localhost:%d?tls-creds=tls0".formatted(port(server)), bare))
                    .isInstanceOf(UserErrorException.class);
            assertThatThrownBy(() -> open("nbd://localhost:%d".formatted(port(server)), bare))
                    .isInstanceOf(UserErrorException.class)
                    .hasMessageContaining("nbds://");
        }
        try (NbdServer server = serve(false);
                DiskImage disk = open("nbds://localhost:%d?tls-creds=tls0".formatted(port(server)), bare)) {
            readsAll(disk);
        }
    }

    @Test
    void aServerOfAnotherNameOrAuthorityIsRefused() throws IOException {
        Certificates others = Certificates.make(folder, "others");
        try (NbdServer server = serve(false)) {
            String uri = "nbds://localhost:%d?tls-creds=tls0".formatted(port(server));
            assertThatThrownBy(() -> open(uri, others.folder())).isInstanceOf(UserErrorException.class);
            assertThatThrownBy(() -> open(uri + "&tls-hostname=elsewhere.example", certificates.folder()))
                    .isInstanceOf(UserErrorException.class)
                    .hasMessageContaining("elsewhere.example");
            try (DiskImage disk = open(uri.replace("localhost", "127.0.0.1"), certificates.folder())) {
                readsAll(disk);
            }
        }
    }

    /// Whoever sits between could otherwise choose how answers look once they are encrypted.
    @Test
    void nothingIsAgreedInTheClearWhereTlsIsWanted() throws IOException {
        try (NbdServer server = serve(false);
                Wire wire = Wire.over(java.nio.channels.SocketChannel.open(
                        new java.net.InetSocketAddress("127.0.0.1", port(server))))) {
            wire.greet();
            int[] options = {Nbd.OPT_STRUCTURED_REPLY, Nbd.OPT_SET_META_CONTEXT, Nbd.OPT_INFO, Nbd.OPT_GO};
            for (int option : options) {
                wire.option(option, new byte[0]);
                assertThat(wire.lastReply(option)).isEqualTo(Nbd.REP_ERR_TLS_REQD);
            }
        }
    }

    /// Whoever sits between could otherwise put words of his own before the encrypted ones.
    @Test
    void whatComesInTheClearBehindStarttlsEndsTheConnection() throws IOException {
        try (NbdServer server = serve(false);
                Wire wire = Wire.over(java.nio.channels.SocketChannel.open(
                        new java.net.InetSocketAddress("127.0.0.1", port(server))))) {
            wire.greet();
            wire.option(Nbd.OPT_LIST, new byte[0]);
            assertThat(wire.lastReply(Nbd.OPT_LIST)).isEqualTo(Nbd.REP_ERR_TLS_REQD);
            wire.send(out -> {
                for (int option : new int[] {Nbd.OPT_STARTTLS, Nbd.OPT_LIST}) {
                    out.writeLong(Nbd.IHAVEOPT);
                    out.writeInt(option);
                    out.writeInt(0);
                }
            });
            assertThat(wire.ended()).isTrue();
        }
    }

    @Test
    void qemuReadsFromOurServer() throws IOException {
        Peer.need("qemu-img", "qemu-utils");
        try (NbdServer server = serve(true)) {
            Peer.expect(
                    folder,
                    "qemu-img",
                    "convert",
                    "--object",
                    "tls-creds-x509,id=t,dir=%s,endpoint=client".formatted(certificates.folder()),
                    "--image-opts",
                    "driver=nbd,server.type=inet,server.host=localhost,server.port=%d,tls-creds=t"
                            .formatted(port(server)),
                    "-O",
                    "raw",
                    "back.raw");
            assertThat(Files.mismatch(folder.resolve("back.raw"), file)).isEqualTo(-1);
        }
    }

    @Test
    void nbdcopyReadsFromOurServer() throws IOException {
        Peer.need("nbdcopy", "libnbd-bin");
        try (NbdServer server = serve(true)) {
            Peer.expect(
                    folder,
                    "nbdcopy",
                    "nbds://localhost:%d?tls-certificates=%s".formatted(port(server), certificates.folder()),
                    "back.raw");
            assertThat(Files.mismatch(folder.resolve("back.raw"), file)).isEqualTo(-1);
        }
    }

    @Test
    void weReadFromNbdkitOverAUnixSocket() throws Exception {
        Peer.need("nbdkit", "nbdkit");
        Path socket = folder.resolve("kit.sock");
        List<String> command = List.of(
                "nbdkit",
                "-f",
                "-U",
                socket.toString(),
                "--tls=require",
                "--tls-verify-peer",
                "--tls-certificates=" + certificates.folder(),
                "file",
                file.toString());
        try (Daemon daemon = Daemon.start(folder, socket, command);
                DiskImage disk =
                        open("nbds+unix:///?socket=%s&tls-creds=tls0".formatted(socket), certificates.folder())) {
            assertThat(daemon.process().isAlive()).isTrue();
            readsAll(disk);
        }
    }

    @Test
    void weReadFromQemu() throws Exception {
        Peer.need("qemu-nbd", "qemu-utils");
        Path socket = folder.resolve("qemu.sock");
        List<String> command = List.of(
                "qemu-nbd",
                "-t",
                "-r",
                "-f",
                "raw",
                "-k",
                socket.toString(),
                "--object",
                "tls-creds-x509,id=t,dir=%s,endpoint=server".formatted(certificates.folder()),
                "--tls-creds",
                "t",
                file.toString());
        try (Daemon daemon = Daemon.start(folder, socket, command);
                DiskImage disk =
                        open("nbds+unix:///?socket=%s&tls-creds=tls0".formatted(socket), certificates.folder())) {
            assertThat(daemon.process().isAlive()).isTrue();
            readsAll(disk);
        }
    }
}
