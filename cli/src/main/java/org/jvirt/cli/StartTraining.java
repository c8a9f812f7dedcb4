package org.jvirt.cli;

import java.nio.file.Path;
import java.util.List;

/// What `./build stage` runs to record which classes, and which of their methods, commands need: the cache that
/// is made of it lets the next start find them loaded and linked.
///
/// Takes the folder to work in, the kernel of a guest that ends soon, and perhaps Linux and an initramfs. Not for
/// users.
public final class StartTraining {
    /// Of short commands, most of which is the start.
    private static final List<String> IMAGE_COMMANDS = List.of(
            "create -q -f qcow2 a.qcow2 64M",
            "create -q -f raw a.raw 64M",
            "create -q -f qcow2 -b a.qcow2 -F qcow2 b.qcow2",
            "bench -q -w -c 64 -s 65536 -f qcow2 a.qcow2",
            "info a.qcow2",
            "info --output=json a.qcow2",
            "check -q a.qcow2",
            "map --output=json b.qcow2",
            "convert -f qcow2 -O raw a.qcow2 c.raw",
            "convert -f raw -O qcow2 c.raw c.qcow2",
            "convert -O qcow2 -c a.qcow2 d.qcow2",
            "convert -O qcow2 -c -o compression_type=zstd a.qcow2 e.qcow2",
            "convert -O vmdk a.qcow2 a.vmdk",
            "compare -q -f raw -F qcow2 c.raw c.qcow2",
            "snapshot -q -c s a.qcow2",
            "snapshot -l a.qcow2",
            "snapshot -d s a.qcow2",
            "resize -q a.qcow2 128M",
            "measure -O qcow2 c.raw",
            "commit -q b.qcow2",
            "rebase -q -u -b c.qcow2 -F qcow2 b.qcow2");

    private StartTraining() {}

    public static void main(String[] arguments) {
        Path folder = Path.of(arguments[0]).toAbsolutePath();
        for (int round = 0; round < 3; round++) {
            for (String command : IMAGE_COMMANDS) {
                run("img", folder, command);
            }
        }
        if (arguments.length > 1) {
            var _ = Main.run("run", "--kernel", arguments[1], "--memory", "64M", "--no-reboot");
        }
        if (arguments.length > 3) {
            // the second time with the translations of the first
            for (int round = 0; round < 2; round++) {
                bootLinux(folder, arguments[2], arguments[3]);
            }
        }
        var _ = Main.run("--version");
    }

    /// Up to a first program that ends at once, which ends the machine.
    private static void bootLinux(Path folder, String kernel, String initrd) {
        var _ = Main.run(
                "run",
                "--kernel",
                kernel,
                "--initrd",
                initrd,
                "--append",
                "console=ttyS0 panic=-1 rdinit=/bin/busybox",
                "--memory",
                "256M",
                "--code-cache",
                folder.resolve("code").toString(),
                "--no-reboot");
    }

    private static void run(String group, Path folder, String command) {
        String[] words = (group + " " + command).split(" ", -1);
        for (int i = 0; i < words.length; i++) {
            if (words[i].matches("[a-e]\\.(qcow2|raw|vmdk)")) {
                words[i] = folder.resolve(words[i]).toString();
            }
        }
        var _ = Main.run(words);
    }
}
