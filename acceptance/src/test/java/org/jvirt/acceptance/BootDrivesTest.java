package org.jvirt.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.jvirt.cli.launch.SystemFirmware;
import org.jvirt.images.DiskImages;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.live.LiveSettings;
import org.jvirt.machine.DriveBus;
import org.jvirt.machine.DriveShape;
import org.jvirt.machine.ExitReason;
import org.jvirt.machine.VirtualMachine;
import org.jvirt.machine.VirtualMachineBuilder;
import org.jvirt.machine.VmConfig;
import org.jvirt.machine.chardev.TranscriptBackend;

/// SeaBIOS finds its own drivers for every controller: it loads a boot sector, which reads the next one through the
/// BIOS and writes it to COM1.
@Tag("acceptance")
final class BootDrivesTest {
    private static final int DISK_BYTES = 1 << 20;
    private static final int SECTOR = 512;
    private static final Duration PATIENCE = Duration.ofMinutes(3);

    @TempDir
    private Path directory;

    /// Reads sector 1 to 0x7E00 if `reads`, writes what is there to COM1, and ends with 0x10, or 0x20 if it cannot.
    private static byte[] bootable(boolean reads, String message) {
        int[] code = {
            // xor ax, ax; mov ds, ax; mov es, ax; mov si, packet; mov ah, 42h
            0x31,
            0xc0,
            0x8e,
            0xd8,
            0x8e,
            0xc0,
            0xbe,
            0x28,
            0x7c,
            0xb4,
            0x42,
            // int 13h (or two times nop); jc failed
            reads ? 0xcd : 0x90,
            reads ? 0x13 : 0xf8,
            0x72,
            0x14,
            // cli, or the BIOS's timer writes what its own console still holds back into the midst of it
            0xfa,
            // mov dx, 3f8h; mov si, 7e00h; next: lodsb; test al, al; jz done; out dx, al; jmp next
            0xba,
            0xf8,
            0x03,
            0xbe,
            0x00,
            0x7e,
            0xac,
            0x84,
            0xc0,
            0x74,
            0x03,
            0xee,
            0xeb,
            0xf8,
            // done: mov al, 10h; out 0f4h, al; hlt; failed: mov al, 20h; out 0f4h, al; hlt
            0xb0,
            0x10,
            0xe6,
            0xf4,
            0xf4,
            0xb0,
            0x20,
            0xe6,
            0xf4,
            0xf4,
            // packet: 16 bytes, 1 sector to 0:7e00h from sector 1
            0x10,
            0,
            1,
            0,
            0x00,
            0x7e,
            0,
            0,
            1
        };
        var content = new byte[4 * SECTOR];
        for (int i = 0; i < code.length; i++) {
            content[i] = (byte) code[i];
        }
        content[510] = 0x55;
        content[511] = (byte) 0xaa;
        byte[] text = message.getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(text, 0, content, SECTOR, text.length);
        return content;
    }

    private static String boot(UnaryOperator<VirtualMachineBuilder> drives) throws Exception {
        var console = new TranscriptBackend();
        VirtualMachineBuilder builder = VirtualMachine.builder()
                .firmware(SystemFirmware.find(Path.of("the disk")))
                .memory(64)
                .serial(console)
                .testDevice(new VmConfig.TestDevice.DebugExit(0xf4, 1));
        try (VirtualMachine vm = drives.apply(builder).build()) {
            vm.start();
            assertThat(vm.await(PATIENCE)).as(console.transcript()).isInstanceOf(ExitReason.DebugExit.class);
            assertThat(vm.await().exitCode()).as("the BIOS reads").isEqualTo(0x21);
        }
        return console.transcript();
    }

    @ParameterizedTest
    @EnumSource
    void aDiskOnEveryControllerBoots(DriveBus bus) throws Exception {
        Path file = directory.resolve("disk.img");
        Files.write(file, Arrays.copyOf(bootable(true, "booted from " + bus), DISK_BYTES));
        assertThat(boot(builder -> builder.disk(
                        DiskImages.open(file, ImageFormat.RAW, false), "", LiveSettings.DEFAULT, DriveShape.on(bus))))
                .contains("booted from " + bus);
    }

    @ParameterizedTest
    @EnumSource(names = {"SATA", "SCSI"})
    void aDiscBoots(DriveBus bus) throws Exception {
        Path image = Disc.create(
                directory.resolve("disc.iso"),
                "boot.img",
                bootable(false, "booted from a disc on " + bus),
                "-b",
                "boot.img",
                "-no-emul-boot",
                "-boot-load-size",
                "4");
        assertThat(boot(builder -> builder.cdrom(
                        "", Optional.of(DiskImages.open(image, ImageFormat.RAW, true)), DriveShape.on(bus))))
                .contains("booted from a disc on " + bus);
    }

    @Test
    void theFirstDiskGivenIsTheOneThatBoots() throws Exception {
        Path first = directory.resolve("first.img");
        Path second = directory.resolve("second.img");
        Files.write(first, Arrays.copyOf(bootable(true, "the first"), DISK_BYTES));
        Files.write(second, Arrays.copyOf(bootable(true, "the second"), DISK_BYTES));
        assertThat(boot(builder -> builder.disk(
                                DiskImages.open(first, ImageFormat.RAW, false),
                                "",
                                LiveSettings.DEFAULT,
                                DriveShape.on(DriveBus.NVME))
                        .disk(
                                DiskImages.open(second, ImageFormat.RAW, false),
                                "",
                                LiveSettings.DEFAULT,
                                DriveShape.on(DriveBus.SATA))))
                .contains("the first")
                .doesNotContain("the second");
    }
}
