package org.jvirt.cli.debian;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// Makes the first guest's root file system: busybox, the kernel's virtio and file-system modules, and an init that
/// leaves the user at a shell on the console.
public final class Initramfs {
    private static final List<String> MODULES = List.of(
            "virtio_pci",
            "virtio_blk",
            "virtio_console",
            "virtio_rng",
            "ext4",
            "crc32c_generic",
            "crc32c_intel",
            "vfat",
            "nls_ascii",
            "nls_cp437",
            "isofs");

    /// What is loaded only where the controller is: it would cost every other boot its time. The flag is the
    /// controller's PCI class, or its virtio device.
    private static final Map<String, List<String>> CONTROLLER_MODULES = new TreeMap<>(Map.of(
            "0x010601", List.of("ahci", "sd_mod", "sr_mod"),
            "0x010802", List.of("nvme"),
            "0x0008", List.of("virtio_scsi", "sd_mod", "sr_mod")));

    private static final String INIT = """
            #!/bin/busybox sh
            /bin/busybox mkdir -p /proc /sys /dev /tmp /run /mnt /root /usr/bin /usr/sbin /sbin
            /bin/busybox --install -s
            export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=${TERM:-vt100}
            mount -t proc proc /proc
            mount -t sysfs sysfs /sys
            mount -t devtmpfs dev /dev
            mkdir -p /dev/pts && mount -t devpts devpts /dev/pts
            mount -t tmpfs tmp /tmp
            for module in $(cat /modules/order); do insmod /modules/$module || echo "jvirt: $module does not load"; done
            for found in $(cat /sys/bus/pci/devices/*/class /sys/bus/virtio/devices/*/device 2> /dev/null | sort -u); do
                [ -e /modules/order-$found ] || continue
                for module in $(cat /modules/order-$found); do
                    name=$(echo ${module%.ko} | tr - _)
                    [ -d /sys/module/$name ] || insmod /modules/$module || echo "jvirt: $module does not load"
                done
            done
            hostname jvirt
            cd /root
            echo
            echo "Linux $(uname -r) is up on $(nproc) processor(s), $(awk '/^MemTotal/ {print int($2/1024)}' /proc/meminfo) MiB."
            echo "This is a shell in the guest; 'poweroff' ends it, Ctrl-A h lists the escape keys."
            echo
            trap 'poweroff -f' USR2
            trap 'halt -f' USR1
            trap 'reboot -f' TERM
            setsid cttyhack sh < /dev/console &
            shell=$!
            while kill -0 $shell 2> /dev/null; do wait $shell; done
            echo "The shell has ended: powering off."
            poweroff -f
            """;

    private Initramfs() {}

    /// Writes a list of modules, and those of them that are not in the archive yet.
    private static void order(CpioArchive archive, String list, List<Path> modules, Set<String> stored)
            throws IOException {
        var order = new ArrayList<String>();
        for (Path module : modules) {
            String name = module.getFileName().toString();
            if (stored.add(name)) {
                archive.file("modules/" + name, 0644, Files.readAllBytes(module));
            }
            order.add(name);
        }
        archive.file(list, 0644, (String.join("\n", order) + "\n").getBytes(StandardCharsets.UTF_8));
    }

    /// Writes the archive, replacing `target` at once when it is complete.
    ///
    /// @param busybox a statically linked busybox
    /// @param modules the kernel's modules
    public static void write(Path target, Path busybox, KernelModules modules) throws IOException {
        Path unfinished =
                Files.createTempFile(target.getParent(), target.getFileName().toString(), ".part");
        try (var archive = new CpioArchive(new BufferedOutputStream(Files.newOutputStream(unfinished)))) {
            for (String directory : List.of("bin", "dev", "modules", "root")) {
                archive.directory(directory, 0755);
            }
            archive.characterDevice("dev/console", 0600, 5, 1);
            archive.characterDevice("dev/null", 0666, 1, 3);
            archive.file("bin/busybox", 0755, Files.readAllBytes(busybox));
            archive.link("bin/sh", "busybox");
            archive.file("init", 0755, INIT.getBytes(StandardCharsets.UTF_8));
            var stored = new HashSet<String>();
            order(archive, "modules/order", modules.inLoadOrder(MODULES), stored);
            for (Map.Entry<String, List<String>> controller : CONTROLLER_MODULES.entrySet()) {
                order(
                        archive,
                        "modules/order-" + controller.getKey(),
                        modules.inLoadOrder(controller.getValue()),
                        stored);
            }
        }
        Files.move(unfinished, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
}
