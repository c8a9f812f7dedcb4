package org.jvirt.machine.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.jvirt.core.BlockBackend;
import org.jvirt.devices.storage.Tray;
import org.jvirt.images.DiskImages;
import org.jvirt.images.ImageAccess;
import org.jvirt.images.ImageReference;
import org.jvirt.images.Secrets;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.live.ErrorAction;
import org.jvirt.images.live.ErrorPolicy;
import org.jvirt.images.live.LiveSettings;
import org.jvirt.images.nbd.NbdAddress;
import org.jvirt.images.nbd.server.NbdExport;
import org.jvirt.images.nbd.server.NbdServer;
import org.jvirt.images.nbd.server.ServerSettings;
import org.jvirt.machine.DriveBus;
import org.jvirt.machine.DriveShape;
import org.jvirt.machine.PauseReason;
import org.jvirt.machine.ScriptedHypervisor;
import org.jvirt.machine.VirtualMachine;
import org.jvirt.machine.VmState;
import org.jvirt.machine.boot.KernelFiles;
import org.jvirt.testkit.RamDisk;

/// Discs from everywhere in a running machine's drive, which has limits and an error policy.
@Timeout(60)
final class DiscDriveTest {
    private static final int SIZE = 1 << 20;

    @TempDir
    private Path directory;

    private final RamDisk disc = new RamDisk(SIZE, true);
    private final ImageAccess access =
            new ImageAccess().withSecrets(Secrets.none().with("k", "word".getBytes(StandardCharsets.UTF_8)));
    private VirtualMachine vm;
    private Monitor monitor;
    private Tray tray;

    @BeforeEach
    void start() throws IOException {
        vm = VirtualMachine.builder()
                .engine(new ScriptedHypervisor(ScriptedHypervisor::halt))
                .kernel(Files.write(directory.resolve("vmlinuz"), KernelFiles.bzImage(4096, true)))
                .memory(32)
                .cdrom(
                        "films",
                        Optional.of(disc),
                        LiveSettings.DEFAULT
                                .withAccess(access)
                                .withErrors(new ErrorPolicy(ErrorAction.STOP, ErrorAction.REPORT)),
                        DriveShape.on(DriveBus.SCSI))
                .build();
        vm.start();
        monitor = new Monitor(vm, "");
        tray = vm.cdroms().get("films");
    }

    @AfterEach
    void close() {
        vm.close();
    }

    /// As the drive does for the guest.
    private String read(int length) throws IOException {
        byte[] bytes = new byte[length];
        return tray.<String, IOException>use(medium -> {
                    medium.read(0, List.of(MemorySegment.ofArray(bytes)));
                    return new String(bytes, StandardCharsets.ISO_8859_1);
                })
                .orElse("nothing");
    }

    private CompletableFuture<String> begin(int length) {
        return CompletableFuture.supplyAsync(() -> {
            try {
                return read(length);
            } catch (IOException e) {
                return "failed: " + e.getMessage();
            }
        });
    }

    private static void write(BlockBackend image, String words) throws IOException {
        image.write(0, List.of(MemorySegment.ofArray(words.getBytes(StandardCharsets.ISO_8859_1))));
        image.flush();
    }

    @Test
    void anEncryptedDiscIsReadWithTheKeyThatIsNamed() throws IOException {
        String name = directory.resolve("disc.luks").toString();
        access.create(ImageFormat.LUKS, name, SIZE, Map.of("key-secret", "k", "iter-time", "10"));
        var reference = new ImageReference(name, Map.of("filename", name, "key-secret", "k"));
        try (BlockBackend image = DiskImages.openDisk(access, reference, Optional.of(ImageFormat.LUKS), false)) {
            write(image, "kept secret");
        }
        assertThat(monitor.execute("change films " + name + " luks key-secret=other"))
                .startsWith("Error: ");
        assertThat(monitor.execute("change films " + name + " luks key-secret=k"))
                .isEmpty();
        assertThat(read(11)).isEqualTo("kept secret");
    }

    @Test
    void aServedDiscIsReadOverTheNetwork() throws Exception {
        Path socket = directory.resolve("nbd.sock");
        var served = new RamDisk(SIZE, false);
        write(served, "from afar");
        NbdExport export = NbdExport.ofDisk("disc", "", served, true);
        try (NbdServer server = NbdServer.start(new NbdAddress.Unix(socket), ServerSettings.of(export))) {
            assertThat(monitor.execute("change films nbd+unix:///disc?socket=" + socket))
                    .isEmpty();
            assertThat(read(9)).isEqualTo("from afar");
            assertThat(server.clients()).isEqualTo(1);
            assertThat(monitor.execute("eject films")).isEmpty();
        }
        assertThat(read(9)).isEqualTo("nothing");
    }

    @Test
    void aDiscThatFailsStopsTheMachineAndIsReadWhenItGoesOn() throws Exception {
        disc.fail(true);
        CompletableFuture<String> reading = begin(4);
        awaitPaused();
        assertThat(vm.pauseReason()).isEqualTo(PauseReason.IO_ERROR);
        assertThat(monitor.execute("info block")).contains("films: ram disk", "rerror=stop", "failed: ram disk");
        assertThat(reading).isNotDone();
        disc.fail(false);
        while (!reading.isDone()) {
            // A second stop may have been on its way.
            monitor.execute("cont");
        }
        assertThat(reading.get(10, TimeUnit.SECONDS)).isEqualTo("\0\0\0\0");
    }

    @Test
    void aDiscThatIsHeldUpIsTakenOutAllTheSame() throws Exception {
        disc.fail(true);
        CompletableFuture<String> reading = begin(4);
        awaitPaused();
        assertThat(monitor.execute("eject films")).isEmpty();
        assertThat(reading.get(10, TimeUnit.SECONDS)).startsWith("failed: ram disk");
        assertThat(monitor.execute("info block")).isEqualTo("films: [not inserted]\n");
        Path next = Files.writeString(directory.resolve("next.iso"), "another".repeat(1024));
        assertThat(monitor.execute("change films " + next + " raw")).isEmpty();
        monitor.execute("cont");
        assertThat(read(7)).isEqualTo("another");
    }

    @Test
    void limitsHoldForEachDiscThatComes() throws Exception {
        assertThat(monitor.execute("block_set_io_throttle films 0 1M 0 0 0 0")).isEmpty();
        Path next = Files.write(directory.resolve("next.iso"), new byte[SIZE]);
        assertThat(monitor.execute("change films " + next + " raw")).isEmpty();
        assertThat(monitor.execute("info block films")).contains("I/O throttling:   bps=0 bps_rd=1048576");
        read(SIZE);
        CompletableFuture<String> second = begin(SIZE);
        long start = System.nanoTime();
        assertThat(second.get(30, TimeUnit.SECONDS)).hasSize(SIZE);
        assertThat(System.nanoTime() - start)
                .as("nanoseconds for what the limit makes wait for the mebibyte before")
                .isGreaterThan(TimeUnit.MILLISECONDS.toNanos(500));
        assertThat(monitor.execute("block_set_io_throttle tape 0 0 0 0 0 0")).startsWith("Error: ");
    }

    private void awaitPaused() {
        while (vm.state() != VmState.PAUSED) {
            Thread.onSpinWait();
        }
    }
}
