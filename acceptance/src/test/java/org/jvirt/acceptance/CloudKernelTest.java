package org.jvirt.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;
import org.jvirt.images.DiskImages;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.machine.chardev.TranscriptBackend;

/// Debian's cloud kernel on one processor with 256 MiB and one of each device.
@Tag("acceptance")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
final class CloudKernelTest {
    private static final int LAST = Integer.MAX_VALUE;
    private static final int DISK_BYTES = 16 << 20;

    private final TranscriptBackend virtioConsole = new TranscriptBackend();

    @TempDir
    private static Path directory;

    private Path data;
    private Path readOnly;
    private Path snapshot;
    private Guest guest;
    private Shell shell;

    @BeforeAll
    void boot() throws Exception {
        data = DiskFile.create(directory.resolve("data.img"), DISK_BYTES, "");
        readOnly = DiskFile.create(directory.resolve("readonly.img"), DISK_BYTES, "only to be read");
        snapshot = DiskFile.create(directory.resolve("snapshot.img"), DISK_BYTES, "as it was");
        guest = Guest.start(builder -> builder.rng()
                .console(virtioConsole)
                .disk(DiskImages.open(data, ImageFormat.RAW, false), "DATA-1")
                .disk(DiskImages.open(readOnly, ImageFormat.RAW, true))
                .disk(DiskImages.openSnapshot(snapshot, ImageFormat.RAW, DISK_BYTES)));
        shell = guest.shell();
    }

    @AfterAll
    void powerOff() throws InterruptedException {
        try (Guest last = guest) {
            last.powerOff();
        }
    }

    @Test
    void commandsRunAndTellTheirStatus() throws InterruptedException {
        assertThat(shell.run("echo $((6 * 7)) | sed s/^/answer:/")).isEqualTo("answer:42");
        assertThat(shell.run("uname -sm")).isEqualTo("Linux x86_64");
        assertThat(shell.result("exit_with() { return 7; }; exit_with").status())
                .isEqualTo(7);
        assertThat(shell.run("seq 1 20000 | md5sum")).startsWith("e071f707df7bbeee2a6a1eb48011ddd0");
    }

    @Test
    void theProcessorShowsTheModelsFeaturesAndNoOthers() throws InterruptedException {
        String line = shell.run("grep -m1 ^flags /proc/cpuinfo");
        List<String> flags =
                Arrays.asList(line.substring(line.indexOf(':') + 1).strip().split(" "));
        assertThat(flags)
                .as("x86-64-v2")
                .contains("fpu", "tsc", "cx8", "cmov", "mmx", "fxsr", "sse", "sse2", "syscall", "nx", "lm")
                .contains("cx16", "lahf_lm", "popcnt", "pni", "ssse3", "sse4_1", "sse4_2")
                .as("clocks and interrupts")
                .contains("apic", "x2apic", "tsc_deadline_timer", "constant_tsc", "nonstop_tsc", "hypervisor")
                .as("what belongs to later levels")
                .doesNotContain("avx", "avx2", "fma", "f16c", "vmx", "svm");
        assertThat(shell.run("grep -c ^processor /proc/cpuinfo")).isEqualTo("1");
    }

    @Test
    void memoryIsWhatWasGiven() throws InterruptedException {
        int kib = Integer.parseInt(shell.run("awk '/^MemTotal/ {print $2}' /proc/meminfo"));
        assertThat(kib).isBetween(200 << 10, 256 << 10);
    }

    @Test
    void theKernelTakesTheGuestsClock() throws InterruptedException {
        assertThat(shell.run("cat /sys/devices/system/clocksource/clocksource0/current_clocksource"))
                .isIn("kvm-clock", "tsc");
    }

    @Test
    void pciFunctionsAreThoseOfAQ35WithVirtioDevices() throws InterruptedException {
        String functions = shell.run("cd /sys/bus/pci/devices;"
                + " for f in *; do echo $f $(cat $f/class) $(cat $f/vendor):$(cat $f/device); done; cd /root");
        assertThat(functions.lines())
                .contains("0000:00:00.0 0x060000 0x8086:0x29c0", "0000:00:1f.0 0x060100 0x8086:0x2918")
                .filteredOn(line -> line.contains("0x1af4:"))
                .extracting(line -> line.substring(line.lastIndexOf(' ') + 1))
                .containsExactlyInAnyOrder(
                        "0x1af4:0x1042", "0x1af4:0x1042", "0x1af4:0x1042", "0x1af4:0x1043", "0x1af4:0x1044");
        assertThat(functions.lines()).hasSizeBetween(7, 9);
    }

    @Test
    void interruptsComeWhereTheyBelongAndNoneIsSpurious() throws InterruptedException {
        Interrupts before = Interrupts.of(shell.run("cat /proc/interrupts"));
        shell.run("dd if=/dev/vda of=/dev/null bs=64k count=4; sleep 0.2");
        Interrupts after = Interrupts.of(shell.run("cat /proc/interrupts"));
        assertThat(after.row("4").description()).contains("IO-APIC", "4-edge", "ttyS0");
        assertThat(after.totalOf("ttyS0")).isGreaterThan(before.totalOf("ttyS0"));
        assertThat(after.row("9").description()).contains("IO-APIC", "acpi");
        assertThat(after.row("LOC").total()).isGreaterThan(before.row("LOC").total());
        assertThat(after.totalOf("req.0")).as("disks, by MSI-X").isGreaterThan(before.totalOf("req.0"));
        assertThat(after.row("ERR").total()).isZero();
        assertThat(after.row("MIS").total()).isZero();
        assertThat(after.row("SPU").total()).isZero();
        assertThat(after.row("NMI").total()).isZero();
    }

    @Test
    void randomNumbersComeFromTheHost() throws InterruptedException {
        assertThat(shell.run("cat /sys/class/misc/hw_random/rng_current")).startsWith("virtio_rng");
        String first = shell.run("head -c 32 /dev/hwrng | xxd -p -c 32");
        String second = shell.run("head -c 32 /dev/hwrng | xxd -p -c 32");
        assertThat(first).matches("[0-9a-f]{64}").isNotEqualTo("0".repeat(64)).isNotEqualTo(second);
    }

    @Test
    void theVirtioConsoleCarriesBothDirections() throws InterruptedException, TimeoutException {
        shell.begin("exec 3<>/dev/hvc0; echo out of the guest >&3; read -r answer <&3; exec 3>&-; echo got $answer");
        virtioConsole.expect("out of the guest\r\n", Duration.ofMinutes(1));
        virtioConsole.type("into the guest\n");
        assertThat(shell.finish("read from hvc0", Shell.PATIENCE).succeeded()).isEqualTo("got into the guest");
    }

    @Test
    void aFileOnTheVirtioDiskIsInTheImageAndSurvivesUnmounting() throws InterruptedException, IOException {
        assertThat(shell.run("cat /sys/block/vda/serial; echo; cat /sys/block/vda/size"))
                .isEqualTo("DATA-1\n" + DISK_BYTES / 512);
        for (String format : List.of("mkdosfs /dev/vda; mount -t vfat", "mke2fs -F /dev/vda; mount -t ext4")) {
            String text = "written with " + format;
            shell.run(format + " /dev/vda /mnt");
            shell.run("echo '%s' > /mnt/note; seq 1 50000 > /mnt/numbers; sync; umount /mnt".formatted(text));
            assertThat(DiskFile.content(data)).contains(text + "\n", "\n49999\n50000\n");
            shell.run("echo 3 > /proc/sys/vm/drop_caches; mount /dev/vda /mnt");
            assertThat(shell.run("cat /mnt/note; seq 1 50000 | cmp - /mnt/numbers"))
                    .isEqualTo(text);
            shell.run("umount /mnt");
        }
    }

    @Test
    void aReadOnlyDiskCannotBeWritten() throws InterruptedException, IOException {
        String before = DiskFile.content(readOnly);
        assertThat(shell.run("cat /sys/block/vdb/ro")).isEqualTo("1");
        assertThat(shell.run("head -c 15 /dev/vdb")).isEqualTo("only to be read");
        assertThat(shell.result("dd if=/dev/zero of=/dev/vdb bs=512 count=1 conv=fsync")
                        .failed())
                .containsAnyOf("Read-only", "not permitted");
        assertThat(DiskFile.content(readOnly)).isEqualTo(before);
    }

    @Test
    void aSnapshotKeepsWritesAndLeavesTheImageAsItWas() throws InterruptedException, IOException {
        String before = DiskFile.content(snapshot);
        shell.run("echo changed | dd of=/dev/vdc conv=fsync; echo 3 > /proc/sys/vm/drop_caches");
        assertThat(shell.run("head -n 1 /dev/vdc")).isEqualTo("changed");
        assertThat(DiskFile.content(snapshot)).isEqualTo(before).startsWith("as it was");
    }

    /// Last, so that it reads what the other tests made the kernel say, too.
    @Test
    @Order(LAST)
    void theKernelWarnsOfNothingUnexplained() throws InterruptedException {
        assertThat(KernelMessages.unexplained(shell.run("dmesg -r"))).isEmpty();
    }
}
