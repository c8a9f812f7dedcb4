package org.jvirt.cli.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.jvirt.images.ImageReference;
import org.jvirt.images.file.CacheMode;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.live.DiskLimit;
import org.jvirt.images.live.ErrorAction;
import org.jvirt.images.live.ErrorPolicy;
import org.jvirt.images.live.LiveSettings;

class DiskOptionTest {
    @Test
    void aPathAloneIsADisk() {
        assertThat(DiskOption.parse("a.raw"))
                .isEqualTo(new DiskOption(Path.of("a.raw"), false, false, Optional.empty()));
    }

    @Test
    void keysSetTheRest() {
        assertThat(DiskOption.parse("file=x.raw,format=raw,readonly=on,snapshot=on,serial=S1"))
                .isEqualTo(new DiskOption(
                        ImageReference.of("x.raw"),
                        Optional.of(ImageFormat.RAW),
                        CacheMode.WRITEBACK,
                        true,
                        true,
                        Optional.of("S1"),
                        LiveSettings.DEFAULT));
    }

    @Test
    void formatsAndCacheModesHaveTheNamesOfQemu() {
        DiskOption disk = DiskOption.parse("file=x,format=vpc,cache=none");
        assertThat(disk.format()).contains(ImageFormat.VPC);
        assertThat(disk.cache()).isEqualTo(CacheMode.NONE);
        assertThat(DiskOption.parse("file=x").format()).isEmpty();
    }

    @Test
    void limitsAndErrorActionsHaveBothNamesOfQemu() {
        DiskOption disk = DiskOption.parse(
                "file=x,id=root,iops=100,iops_max=1k,iops_max_length=5,bps_rd=10M,iops_size=4k,rerror=stop,group=g");
        assertThat(disk.live().id()).isEqualTo("root");
        assertThat(disk.live().group()).contains("g");
        assertThat(disk.live().errors()).isEqualTo(new ErrorPolicy(ErrorAction.STOP, ErrorAction.ENOSPC));
        assertThat(disk.live().limits().requests()).isEqualTo(new DiskLimit(100, 1024, 5));
        assertThat(disk.live().limits().bytesRead()).isEqualTo(DiskLimit.of(10 << 20));
        assertThat(disk.live().limits().requestBytes()).isEqualTo(4096);
        assertThat(DiskOption.parse(
                                "file=x,throttling.iops-total=100,throttling.iops-total-max=1k,"
                                        + "throttling.iops-total-max-length=5,throttling.bps-read=10M,throttling.iops-size=4096")
                        .live()
                        .limits())
                .isEqualTo(disk.live().limits());
    }

    @Test
    void limitsThatContradictEachOtherAreRefusedByName() {
        assertThatThrownBy(() -> DiskOption.parse("file=x,bps=1,bps_rd=1")).hasMessageContaining("not both");
        assertThatThrownBy(() -> DiskOption.parse("file=x,iops_max=9")).hasMessageContaining("needs one on average");
        assertThatThrownBy(() -> DiskOption.parse("file=x,rerror=enospc")).hasMessageContaining("not enospc");
        assertThatThrownBy(() -> DiskOption.parse("file=x,werror=panic")).hasMessageContaining("werror=panic");
    }

    @Test
    void disksAreServedOnesTooAndHaveKeys() {
        String uri = "nbd+unix:///disk?socket=/run/x.sock";
        assertThat(DiskOption.parse(uri).image().options())
                .containsEntry("file.driver", "nbd")
                .containsEntry("file.server.path", "/run/x.sock")
                .containsEntry("file.export", "disk");
        assertThat(DiskOption.parse("file=%s,format=raw".formatted(uri)).image())
                .isEqualTo(ImageReference.of(uri));
        assertThat(DiskOption.parse("file=x,format=qcow2,encrypt.format=luks,encrypt.key-secret=sec0")
                        .image()
                        .options())
                .containsExactly(entry("filename", "x"), entry("encrypt.key-secret", "sec0"));
    }

    @Test
    void whatThereIsNotIsRefusedByName() {
        assertThatThrownBy(() -> DiskOption.parse("file=x,format=dmg"))
                .hasMessageContaining("format=dmg")
                .hasMessageContaining("qcow2");
        assertThatThrownBy(() -> DiskOption.parse("file=x,cache=lots")).hasMessageContaining("cache=lots");
        assertThatThrownBy(() -> DiskOption.parse("if=virtio")).hasMessageContaining("file=… is missing");
    }
}
