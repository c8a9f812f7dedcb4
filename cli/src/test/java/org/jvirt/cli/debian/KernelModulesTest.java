package org.jvirt.cli.debian;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KernelModulesTest {
    private static void module(Path directory, String name, String depends) throws IOException {
        Files.write(
                directory.resolve(name + ".ko"),
                ("\u007fELF\0license=GPL\0depends=" + depends + "\0name=x\0").getBytes(StandardCharsets.US_ASCII));
    }

    @Test
    void dependenciesComeFirstAndOnce(@TempDir Path directory) throws IOException {
        module(directory, "virtio-rng", "virtio,virtio_ring");
        module(directory, "virtio_ring", "virtio");
        module(directory, "virtio", "");
        var modules = new KernelModules(directory);
        assertThat(modules.inLoadOrder(List.of("virtio_rng", "ext4")))
                .extracting(file -> file.getFileName().toString())
                .containsExactly("virtio.ko", "virtio_ring.ko", "virtio-rng.ko");
    }

    @Test
    void aCycleEnds(@TempDir Path directory) throws IOException {
        module(directory, "a", "b");
        module(directory, "b", "a");
        assertThat(new KernelModules(directory).inLoadOrder(List.of("a"))).hasSize(2);
    }

    @Test
    void aFileWithoutTheFieldNeedsNothing() {
        assertThat(KernelModules.dependencies("no module".getBytes(StandardCharsets.US_ASCII)))
                .isEmpty();
    }
}
