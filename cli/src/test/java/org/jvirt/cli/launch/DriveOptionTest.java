package org.jvirt.cli.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.jvirt.images.ImageReference;
import org.jvirt.machine.DriveBus;
import org.jvirt.machine.DriveShape;

class DriveOptionTest {
    @Test
    void aPathAloneIsAVirtioDisk() {
        assertThat(DriveOption.parse("a.raw")).isEqualTo(new DriveOption(DiskOption.parse("a.raw")));
    }

    @Test
    void keysChooseTheBusAndThePlaceOnIt() {
        DriveOption drive = DriveOption.parse(
                "file=x,if=scsi,unit=4,lun=1,block=4096,physical-block=8192,id=data,readonly=on,serial=S");
        assertThat(drive.id()).isEqualTo("data");
        assertThat(drive.cdrom()).isFalse();
        assertThat(drive.shape())
                .isEqualTo(DriveShape.on(DriveBus.SCSI)
                        .withUnit(OptionalInt.of(4), 1)
                        .withBlocks(4096, 8192));
        assertThat(drive.medium().orElseThrow().readOnly()).isTrue();
        assertThat(drive.medium().orElseThrow().serial()).contains("S");
        assertThat(DriveOption.parse("file=x,if=nvme,queues=2").shape().queues())
                .hasValue(2);
    }

    @Test
    void theFirstDiskIsANameOrHasKeys() {
        assertThat(DriveOption.first("a,b=c.raw")).isEqualTo(new DriveOption(DiskOption.named("a,b=c.raw")));
        assertThat(DriveOption.first("file=x,if=nvme")).isEqualTo(DriveOption.parse("file=x,if=nvme"));
    }

    @Test
    void aCdromIsOnSataAndOnlyRead() {
        for (DriveOption drive :
                new DriveOption[] {DriveOption.parse("file=x.iso,media=cdrom"), DriveOption.cdrom("x.iso")}) {
            assertThat(drive.cdrom()).isTrue();
            assertThat(drive.shape().bus()).isEqualTo(DriveBus.SATA);
            assertThat(drive.medium().orElseThrow().readOnly()).isTrue();
        }
    }

    @Test
    void servedAndEncryptedImagesAreOnEveryBus() {
        String uri = "nbd+unix:///disk?socket=/run/x.sock";
        assertThat(DriveOption.parse(uri)).isEqualTo(new DriveOption(DiskOption.named(uri)));
        assertThat(DriveOption.cdrom(uri).medium().orElseThrow().image()).isEqualTo(ImageReference.of(uri));
        for (String bus : List.of("virtio", "scsi", "sata", "nvme")) {
            DriveOption served = DriveOption.parse("file=%s,if=%s,key-secret=k".formatted(uri, bus));
            assertThat(served.medium().orElseThrow().image().options())
                    .containsEntry("file.export", "disk")
                    .containsEntry("key-secret", "k");
        }
    }

    @Test
    void whatThereIsNotIsRefusedByName() {
        assertThatThrownBy(() -> DriveOption.parse("file=x,if=ide"))
                .hasMessage("--disk: if=ide is not supported; these are: virtio, scsi, sata, nvme.");
        assertThatThrownBy(() -> DriveOption.parse("file=x,media=tape")).hasMessageContaining("media=tape");
        assertThatThrownBy(() -> DriveOption.parse("file=x,if=sata,unit=6")).hasMessageContaining("give 0 to 5");
        assertThatThrownBy(() -> DriveOption.parse("file=x,if=sata,block=4096")).hasMessageContaining("512 bytes");
        assertThatThrownBy(() -> DriveOption.parse("file=x,if=sata,block=4097")).hasMessageContaining("4097");
    }
}
