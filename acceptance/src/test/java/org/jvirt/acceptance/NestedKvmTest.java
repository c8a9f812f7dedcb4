package org.jvirt.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Locale;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/// The KVM engine on a working `/dev/kvm`, beside QEMU on the same one: see [OuterGuest].
@Tag("acceptance")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class NestedKvmTest {
    private static final Duration BOOT = Duration.ofMinutes(4);
    private static final String UP = "is up on ";
    private static final String APPEND = "\"console=ttyS0 quiet panic=-1\"";
    private static final int READS = 1000;
    private static final int CONFIGURATION_READS = 10_000;

    @TempDir
    private static Path directory;

    private OuterDisk disk;
    private OuterGuest outer;
    private String program = "";

    /// A test that boots guests in [#outer].
    private interface Work {
        void run() throws IOException, InterruptedException;
    }

    @BeforeAll
    void startTheOuterGuest() throws IOException, InterruptedException {
        disk = OuterDisk.make(directory);
        var words = new ArrayList<>(OuterDisk.java(disk.home()));
        words.add(1, "-XX:AOTCache=" + disk.home().resolve("jvirt.aot"));
        program = "chroot /outer " + String.join(" ", words);
        outer = OuterGuest.start(disk);
    }

    @AfterAll
    void endTheOuterGuest() {
        if (outer != null) {
            outer.close();
        }
    }

    /// Does the work again, in a new outer guest, if it failed: on QEMU's emulation of the processor's
    /// virtualization one boot in thirty has ended in an oops of the inner kernel or in a crash of Java.
    private void twiceAtMost(Work work) throws IOException, InterruptedException {
        try {
            work.run();
        } catch (AssertionError e) {
            System.err.printf("FAILED in the outer guest, once more in a new one: %s%n%s%n", e, outer.trouble());
            outer.close();
            outer = OuterGuest.start(disk);
            work.run();
        }
    }

    /// What one program does with an inner guest.
    ///
    /// @param bootNanos    from the command to the guest's first words
    /// @param readsPerSecond 4-KiB reads of the disk at random places
    /// @param exitsPerSecond reads of PCI configuration space
    private record Figures(long bootNanos, double readsPerSecond, double exitsPerSecond) {}

    private String jvirt(int cpus) {
        return program + " run --engine kvm --memory 256M --cpus " + cpus
                + " --kernel /vmlinuz --initrd /initrd --append " + APPEND + " --disk /scratch/disk.img --no-reboot";
    }

    private static String qemu(int cpus) {
        return "chroot /outer /usr/bin/qemu-system-x86_64 -accel kvm -cpu host -machine q35 -m 256 -smp " + cpus
                + " -L /usr/share/qemu -L /usr/share/seabios -nodefaults -display none -serial stdio -no-reboot"
                + " -kernel /vmlinuz -initrd /initrd -append " + APPEND
                + " -drive file=/scratch/disk.img,if=virtio,format=raw";
    }

    /// Boots an inner guest, measures it, and switches it off.
    private Figures measure(String command) throws InterruptedException {
        long start = System.nanoTime();
        outer.shell().begin(command);
        outer.expect(UP, BOOT);
        long booted = System.nanoTime() - start;
        Shell inner = Shell.atPrompt(outer, BOOT);
        // Once to warm up: Java compiles what runs often, and the outer guest's translator does so too.
        inner.run("io randread /dev/vda " + READS);
        double reads = rate(inner.run("io randread /dev/vda " + READS));
        double exits = rate(inner.run("io config /sys/bus/pci/devices/0000:00:1f.0/config " + CONFIGURATION_READS));
        outer.type("poweroff -f\n");
        outer.shell().finish(command, BOOT).succeeded();
        return new Figures(booted, reads, exits);
    }

    /// Operations per second from a line such as `io randread 1000 0.5`.
    private static double rate(String line) {
        String[] words = line.strip().split(" ");
        return Double.parseDouble(words[2]) / Double.parseDouble(words[3]);
    }

    @Test
    void theHostsKvmIsFoundUsable() throws InterruptedException {
        assertThat(outer.shell().run(program + " doctor")).contains("/dev/kvm opens");
    }

    @Test
    void debiansKernelRunsOnTwoProcessorsWithDiskAndConsoleAndPauses() throws IOException, InterruptedException {
        twiceAtMost(this::bootOnTwoProcessors);
    }

    private void bootOnTwoProcessors() throws InterruptedException {
        String command = jvirt(2);
        outer.shell().begin(command);
        Shell inner = Shell.atPrompt(outer, BOOT);
        assertThat(inner.run("nproc")).isEqualTo("2");
        assertThat(inner.run("cat /sys/devices/system/clocksource/clocksource0/current_clocksource"))
                .isEqualTo("kvm-clock");
        assertThat(inner.run("dmesg | grep -c 'Hypervisor detected: KVM'")).isEqualTo("1");
        assertThat(
                        inner.run(
                                "echo written | dd of=/dev/vda bs=512 seek=9 conv=sync,fsync 2>/dev/null; "
                                        + "echo 3 > /proc/sys/vm/drop_caches; dd if=/dev/vda bs=512 skip=9 count=1 2>/dev/null | head -n 1"))
                .isEqualTo("written");
        assertThat(inner.run("taskset 1 true; taskset 2 true; grep -c -E '^ *[0-9]+:.*virtio' /proc/interrupts"))
                .isNotEqualTo("0");
        pauseAndResume(inner);
        outer.type("poweroff -f\n");
        outer.shell().finish(command, BOOT).succeeded();
        assertThat(outer.shell().run("dd if=/outer/scratch/disk.img bs=512 skip=9 count=1 2>/dev/null | head -n 1"))
                .isEqualTo("written");
    }

    /// A guest that counts says nothing while it is paused, and goes on counting afterwards.
    private void pauseAndResume(Shell inner) throws InterruptedException {
        inner.begin("for i in $(seq 1 60); do echo tick $i; sleep 0.1; done");
        outer.expect("tick 3\r\n", BOOT);
        outer.type("\u0001cstop\n");
        outer.type("info status\n");
        outer.expect("paused", BOOT);
        outer.type("cont\n\u0001c");
        Shell.Result ticks = inner.finish("ticks", BOOT);
        assertThat(ticks.succeeded()).contains("tick 60");
    }

    @Test
    void bothBootAndDoTheirWorkSideBySide() throws IOException, InterruptedException {
        twiceAtMost(this::raceBoth);
    }

    private void raceBoth() throws InterruptedException {
        Figures ours = measure(jvirt(1));
        Figures theirs = measure(qemu(1));
        System.err.printf(
                Locale.ROOT,
                "KVM inside QEMU's translator, jvirt and QEMU: boot %.1f s and %.1f s (%.2f), "
                        + "random reads %.0f/s and %.0f/s (%.2f), configuration reads %.0f/s and %.0f/s (%.2f)%n",
                ours.bootNanos / 1e9,
                theirs.bootNanos / 1e9,
                (double) ours.bootNanos / theirs.bootNanos,
                ours.readsPerSecond,
                theirs.readsPerSecond,
                ours.readsPerSecond / theirs.readsPerSecond,
                ours.exitsPerSecond,
                theirs.exitsPerSecond,
                ours.exitsPerSecond / theirs.exitsPerSecond);
        assertThat(ours.readsPerSecond).isPositive();
        assertThat(ours.exitsPerSecond).isPositive();
    }

    @Test
    void aKilledProcessLeavesNothingBehind() throws IOException, InterruptedException {
        twiceAtMost(this::killAndLook);
    }

    private void killAndLook() throws InterruptedException {
        Shell shell = outer.shell();
        shell.run("(" + jvirt(1) + " --serial null </dev/null >/dev/null 2>&1 &)");
        shell.run(
                "for i in $(seq 1 600); do ls -l /proc/*/fd 2>/dev/null | grep -q kvm-vcpu && break; sleep 0.1; done; "
                        + "ls -l /proc/*/fd 2>/dev/null | grep -q kvm-vcpu");
        shell.run(
                "kill -9 $(pidof java); for i in $(seq 1 100); do pidof java || break; sleep 0.1; done; ! pidof java");
        assertThat(shell.run("ls -l /proc/*/fd 2>/dev/null | grep -c -E 'kvm-v(m|cpu)' || true"))
                .isEqualTo("0");
        assertThat(shell.run("ls -A /outer/scratch")).isEqualTo("disk.img");
    }
}
