package org.jvirt.cli.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.jvirt.core.UserErrorException;

final class DebianImageRecipeTest {
    private static final long SIZE_BYTES = 4L << 30;

    @Test
    void theSshServerComesWithAKeyAndOnlyThen() {
        assertThat(recipe(SIZE_BYTES, "bookworm", List.of("gcc"), "debian", List.of())
                        .wanted())
                .contains("systemd-sysv", "grub-pc", "gcc")
                .doesNotContain("openssh-server");
        assertThat(recipe(SIZE_BYTES, "bookworm", List.of(), "debian", List.of("ssh-ed25519 AAAA"))
                        .wanted())
                .contains("openssh-server");
    }

    @Test
    void aKernelAskedForIsTheOnlyOne() {
        assertThat(recipe(SIZE_BYTES, "bookworm", List.of(), "debian", List.of())
                        .wanted())
                .contains("linux-image-cloud-amd64");
        assertThat(recipe(SIZE_BYTES, "bookworm", List.of("linux-image-amd64"), "debian", List.of())
                        .wanted())
                .contains("linux-image-amd64")
                .doesNotContain("linux-image-cloud-amd64");
    }

    @Test
    void wordsThatAreNoNamesNeverReachApt() {
        assertRefused("--packages", () -> recipe(SIZE_BYTES, "bookworm", List.of("-o=x"), "debian", List.of()));
        assertRefused("--packages", () -> recipe(SIZE_BYTES, "bookworm", List.of("a b"), "debian", List.of()));
        assertRefused("--suite", () -> recipe(SIZE_BYTES, "-x", List.of(), "debian", List.of()));
        assertRefused("--hostname", () -> recipe(SIZE_BYTES, "bookworm", List.of(), "a b", List.of()));
        assertRefused("--hostname", () -> recipe(SIZE_BYTES, "bookworm", List.of(), "", List.of()));
    }

    @Test
    void aDiskThatDebianDoesNotFitOnIsRefused() {
        assertRefused("--size", () -> recipe(512L << 20, "bookworm", List.of(), "debian", List.of()));
        assertRefused("--size", () -> recipe(SIZE_BYTES + 1, "bookworm", List.of(), "debian", List.of()));
        assertRefused("--size", () -> recipe(4L << 40, "bookworm", List.of(), "debian", List.of()));
    }

    private static void assertRefused(String option, Runnable attempt) {
        assertThatThrownBy(attempt::run).isInstanceOf(UserErrorException.class).hasMessageStartingWith(option);
    }

    private static DebianImageRecipe recipe(
            long sizeBytes, String suite, List<String> packages, String hostname, List<String> keys) {
        return new DebianImageRecipe(
                Path.of("x.raw"), sizeBytes, suite, packages, hostname, Optional.empty(), keys, "auto");
    }
}
