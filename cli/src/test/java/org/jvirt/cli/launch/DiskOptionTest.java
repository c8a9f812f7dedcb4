package org.jvirt.cli.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.jvirt.images.file.CacheMode;
import org.jvirt.images.format.ImageFormat;

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
                        Path.of("x.raw"),
                        Optional.of(ImageFormat.RAW),
                        CacheMode.WRITEBACK,
                        true,
                        true,
                        Optional.of("S1")));
    }

    @Test
    void formatsAndCacheModesHaveTheNamesOfQemu() {
        DiskOption disk = DiskOption.parse("file=x,format=vpc,cache=none");
        assertThat(disk.format()).contains(ImageFormat.VPC);
        assertThat(disk.cache()).isEqualTo(CacheMode.NONE);
        assertThat(DiskOption.parse("file=x").format()).isEmpty();
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
