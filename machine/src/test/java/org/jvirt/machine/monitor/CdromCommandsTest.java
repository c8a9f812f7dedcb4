package org.jvirt.machine.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.jvirt.devices.storage.Tray;
import org.jvirt.images.live.LiveSettings;
import org.jvirt.machine.DriveBus;
import org.jvirt.machine.DriveShape;
import org.jvirt.machine.ScriptedHypervisor;
import org.jvirt.machine.VirtualMachine;
import org.jvirt.machine.boot.KernelFiles;
import org.jvirt.testkit.RamDisk;

@Timeout(60)
final class CdromCommandsTest {
    @TempDir
    private Path directory;

    private VirtualMachine machine() throws IOException {
        return VirtualMachine.builder()
                .engine(new ScriptedHypervisor(ScriptedHypervisor::halt))
                .kernel(Files.write(directory.resolve("vmlinuz"), KernelFiles.bzImage(4096, true)))
                .memory(32)
                .cdrom(
                        "",
                        Optional.of(new RamDisk(4096, true)),
                        DriveShape.on(DriveBus.SATA).withUnit(OptionalInt.of(2), 0))
                .cdrom("films", Optional.empty(), DriveShape.on(DriveBus.SCSI))
                .disk(new RamDisk(4096, false), "", LiveSettings.DEFAULT, DriveShape.on(DriveBus.NVME))
                .build();
    }

    @Test
    void mediaAreTakenOutAndPutIn() throws IOException {
        Path disc = Files.write(directory.resolve("disc.iso"), new byte[4096]);
        try (VirtualMachine vm = machine()) {
            var monitor = new Monitor(vm, "");
            assertThat(monitor.execute("info cdroms")).isEqualTo("ide2-cd0: ram disk\nfilms: [not inserted]\n");
            assertThat(monitor.execute("eject ide2-cd0")).isEmpty();
            assertThat(monitor.execute("info cdroms")).startsWith("ide2-cd0: [not inserted], tray open\n");
            assertThat(monitor.execute("change films " + disc)).isEmpty();
            assertThat(monitor.execute("info cdroms")).contains("films: ").contains("disc.iso\n");
            assertThat(monitor.execute("change ide2-cd0 " + disc + " raw")).isEmpty();
            assertThat(monitor.execute("info cdroms")).doesNotContain("open");
        }
    }

    @Test
    void aLockedTrayOpensOnlyByForce() throws IOException {
        Path disc = Files.write(directory.resolve("disc.iso"), new byte[4096]);
        try (VirtualMachine vm = machine()) {
            var monitor = new Monitor(vm, "");
            Tray tray = vm.cdroms().get("ide2-cd0");
            tray.lock(true);
            assertThat(monitor.execute("eject ide2-cd0")).startsWith("Error: The guest has locked the tray");
            assertThat(monitor.execute("change ide2-cd0 " + disc)).startsWith("Error: The guest has locked the tray");
            assertThat(tray.mediumName()).contains("ram disk");
            assertThat(monitor.execute("info cdroms")).startsWith("ide2-cd0: ram disk, locked\n");
            assertThat(monitor.execute("change -f ide2-cd0 " + disc)).isEmpty();
            assertThat(tray.mediumName().orElseThrow()).endsWith("disc.iso");
            assertThat(tray.locked()).isFalse();
        }
    }

    @Test
    void whatThereIsNotIsRefusedByName() throws IOException {
        try (VirtualMachine vm = machine()) {
            var monitor = new Monitor(vm, "");
            assertThat(monitor.execute("eject nvme0"))
                    .isEqualTo("Error: There is no CD-ROM drive nvme0; these are: ide2-cd0, films\n");
            assertThat(monitor.execute("eject")).startsWith("Error: give a drive");
            assertThat(monitor.execute("change films " + directory.resolve("none.iso")))
                    .startsWith("Error: ")
                    .contains("none.iso");
            assertThat(monitor.execute("change films x tape")).startsWith("Error: There is no format tape");
            assertThat(vm.disk("nvme0").sizeBytes()).isEqualTo(4096);
        }
    }
}
