package org.jvirt.cli.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class DiskOptionTest {
    @Test
    void aPathAloneIsADisk() {
        assertThat(DiskOption.parse("a.raw"))
                .isEqualTo(new DiskOption(Path.of("a.raw"), false, false, Optional.empty()));
    }

    @Test
    void keysSetTheRest() {
        assertThat(DiskOption.parse("file=x.raw,if=virtio,format=raw,readonly=on,snapshot=on,serial=S1"))
                .isEqualTo(new DiskOption(Path.of("x.raw"), true, true, Optional.of("S1")));
    }

    @Test
    void otherBusesAndFormatsAreRefused() {
        assertThatThrownBy(() -> DiskOption.parse("file=x,if=ide")).hasMessageContaining("if=ide is not supported");
        assertThatThrownBy(() -> DiskOption.parse("file=x,format=qcow2")).hasMessageContaining("format=qcow2");
        assertThatThrownBy(() -> DiskOption.parse("if=virtio")).hasMessageContaining("file=… is missing");
    }
}
