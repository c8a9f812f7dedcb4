package org.jvirt.acceptance;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// A guest of QEMU's translator in which `/dev/kvm` works, on a host where it need not: what QEMU calls `-cpu max`
/// has AMD's virtualization. Not thread-safe.
final class OuterGuest implements GuestConsole, AutoCloseable {
    private static final Duration BOOT = Duration.ofMinutes(3);
    private static final Pattern TROUBLE =
            Pattern.compile("A fatal error has been detected by the Java|cut here|BUG: |Oops|Kernel panic");
    private static final String JAVA_CRASHED = "A fatal error has been detected by the Java";
    private static final int REPORTS = 4;
    private static final int REPORT_LINES = 30;

    private final Process qemu;
    private final Transcript out;
    private final Shell shell;

    private OuterGuest(Process qemu) throws InterruptedException, IOException {
        this.qemu = qemu;
        out = Transcript.of(qemu.getInputStream(), "outer-guest");
        shell = Shell.atPrompt(this, BOOT);
    }

    /// Boots the guest, loads KVM and makes the disk's content the root of what [#shell] runs under `chroot
    /// /outer`.
    static OuterGuest start(OuterDisk disk) throws IOException, InterruptedException {
        Process qemu = new ProcessBuilder(List.of(
                        "qemu-system-x86_64",
                        "-accel",
                        "tcg",
                        "-cpu",
                        "max",
                        // with two, code that Java had just compiled was run wrongly at times
                        "-smp",
                        "1",
                        "-m",
                        "2G",
                        "-nodefaults",
                        "-display",
                        "none",
                        "-no-reboot",
                        "-serial",
                        "stdio",
                        "-kernel",
                        disk.kernel().toString(),
                        "-initrd",
                        disk.initrd().toString(),
                        "-append",
                        "console=ttyS0 quiet panic=-1",
                        "-drive",
                        "file=%s,if=virtio,format=raw,readonly=on".formatted(disk.image()),
                        "-device",
                        "virtio-rng-pci"))
                .redirectErrorStream(true)
                .start();
        try {
            var guest = new OuterGuest(qemu);
            guest.prepare();
            return guest;
        } catch (InterruptedException | RuntimeException | AssertionError e) {
            qemu.destroyForcibly();
            throw e;
        }
    }

    private void prepare() throws InterruptedException {
        shell.run("mkdir /outer && mount -t ext4 -o ro /dev/vda /outer");
        shell.run(
                "mount -t tmpfs tmp /outer/scratch && mount -t proc proc /outer/proc && mount -t sysfs sys /outer/sys");
        shell.run("mount -t devtmpfs dev /outer/dev");
        shell.run("for m in $(cat /outer/modules/order); do insmod /outer/modules/$m || exit 1; done; ls /dev/kvm");
        shell.run("dd if=/dev/zero of=/outer/scratch/disk.img bs=1M count=0 seek=64 && "
                + "dd if=/outer/vmlinuz of=/outer/scratch/disk.img bs=64k count=64 conv=notrunc");
    }

    /// In which commands of the outer guest run.
    Shell shell() {
        return shell;
    }

    /// The beginnings of what crashed programs and kernels in the guest wrote about themselves.
    String trouble() {
        List<String> lines = out.all().lines().toList();
        return IntStream.range(0, lines.size())
                .filter(i -> TROUBLE.matcher(lines.get(i)).find())
                .limit(REPORTS)
                .mapToObj(i -> String.join("\n", lines.subList(i, Math.min(lines.size(), i + REPORT_LINES))))
                .collect(Collectors.joining("\n\n"));
    }

    @Override
    public void type(String text) {
        try {
            OutputStream in = qemu.getOutputStream();
            in.write(text.getBytes(StandardCharsets.UTF_8));
            in.flush();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public String expect(String words, Duration patience) throws InterruptedException {
        return out.expect(words, patience, Optional.of(JAVA_CRASHED));
    }

    @Override
    public void close() {
        qemu.destroy();
        try {
            if (!qemu.waitFor(10, TimeUnit.SECONDS)) {
                qemu.destroyForcibly();
            }
        } catch (InterruptedException e) {
            qemu.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
