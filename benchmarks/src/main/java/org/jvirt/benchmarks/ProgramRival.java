package org.jvirt.benchmarks;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// A way to run `src/guest/programs.sh` in the root file system of a [ProgramImage].
sealed interface ProgramRival {
    Duration LIMIT = Duration.ofMinutes(60);

    /// What the table calls it.
    String name();

    /// The words that run it once.
    List<String> command();

    /// On this host's processor, under its kernel: the image's own files, unpacked, in a user namespace.
    ///
    /// @param root where they are, `/bench` among them
    record Native(Path root) implements ProgramRival {
        @Override
        public String name() {
            return "native";
        }

        @Override
        public List<String> command() {
            return List.of(
                    "unshare",
                    "--map-root-user",
                    "--mount",
                    "sh",
                    "-c",
                    "mount --rbind /dev \"$1/dev\" && mount -t tmpfs tmpfs \"$1/tmp\" && exec chroot \"$1\" /bin/sh /bench/programs.sh",
                    "sh",
                    root.toString());
        }
    }

    /// In a guest.
    ///
    /// @param machine the words that start it, without the disk
    /// @param disk    the words that give it the disk, to be left unchanged
    record Guest(String name, List<String> machine, List<String> disk) implements ProgramRival {
        @Override
        public List<String> command() {
            var words = new ArrayList<>(machine);
            words.addAll(disk);
            return words;
        }
    }
}
