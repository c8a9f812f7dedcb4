package org.jvirt.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.jvirt.core.UserErrorException;
import org.jvirt.devices.storage.Tray;
import org.jvirt.images.live.LiveSettings;
import org.jvirt.testkit.RamDisk;

final class DrivePlacesTest {
    private static VmConfig.Disk disk(DriveShape shape) {
        return new VmConfig.Disk(new RamDisk(512, false), "", LiveSettings.DEFAULT, shape);
    }

    private static VmConfig.Cdrom cdrom(DriveShape shape) {
        return new VmConfig.Cdrom("", new Tray(Optional.empty()), shape);
    }

    private static DriveShape at(DriveBus bus, int unit, int lun) {
        return DriveShape.on(bus).withUnit(OptionalInt.of(unit), lun);
    }

    private static List<VmConfig.Disk> disks(DriveShape... shapes) {
        return Arrays.stream(shapes).map(DrivePlacesTest::disk).toList();
    }

    @Test
    void drivesTakeTheFirstFreePlaceBesideThoseThatAreGiven() {
        var places = new DrivePlaces(
                disks(
                        DriveShape.DEFAULT,
                        DriveShape.on(DriveBus.SATA),
                        at(DriveBus.SATA, 0, 0),
                        DriveShape.on(DriveBus.NVME),
                        at(DriveBus.SCSI, 0, 3),
                        DriveShape.on(DriveBus.SCSI)),
                List.of(cdrom(at(DriveBus.SATA, 2, 0))));
        assertThat(places.disk(0).number()).isEqualTo(8);
        assertThat(places.disk(1).number()).as("port 0 is given to another").isEqualTo(1);
        assertThat(places.disk(3).number()).isEqualTo(9);
        assertThat(places.disk(5).number()).isEqualTo(1);
        assertThat(List.of(
                        places.disk(0).name(),
                        places.disk(1).name(),
                        places.disk(3).name(),
                        places.disk(4).name(),
                        places.cdrom(0).name()))
                .containsExactly("virtio0", "ide1-hd0", "nvme0", "scsi0-hd0-3", "ide2-cd0");
    }

    @Test
    void theBootOrderNamesEveryDriveAsFirmwareDoes() {
        var places = new DrivePlaces(
                disks(
                        DriveShape.DEFAULT,
                        DriveShape.on(DriveBus.NVME),
                        DriveShape.on(DriveBus.SATA),
                        at(DriveBus.SCSI, 4, 1)),
                List.of(cdrom(DriveShape.on(DriveBus.SATA))));
        assertThat(places.bootOrder()).isEqualTo("""
                /pci@i0cf8/scsi@8/disk@0,0
                /pci@i0cf8/pci1b36,10@9/namespace@1,0
                /pci@i0cf8/pci8086,2922@1f,2/drive@0/disk@0
                /pci@i0cf8/scsi@3/channel@0/disk@4,1
                /pci@i0cf8/pci8086,2922@1f,2/drive@1/disk@0
                """);
    }

    @Test
    void drivesThatFindNoPlaceAreRefusedWithTheReason() {
        var seven = new ArrayList<DriveShape>();
        for (int i = 0; i < 7; i++) {
            seven.add(DriveShape.on(DriveBus.SATA));
        }
        assertThatThrownBy(() -> new DrivePlaces(disks(seven.toArray(DriveShape[]::new)), List.of()))
                .isInstanceOf(UserErrorException.class)
                .hasMessage("A machine takes 6 SATA drives: leave some out");
        assertThatThrownBy(() -> new DrivePlaces(disks(at(DriveBus.SATA, 1, 0), at(DriveBus.SATA, 1, 0)), List.of()))
                .isInstanceOf(UserErrorException.class)
                .hasMessage("Two drives want unit 1 of sata: give them different ones");
        assertThatThrownBy(() -> at(DriveBus.SATA, 6, 0)).hasMessageContaining("give 0 to 5");
        assertThatThrownBy(() -> cdrom(DriveShape.on(DriveBus.NVME))).hasMessageContaining("take sata or scsi");
    }
}
