package org.jvirt.cli.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.jvirt.cli.launch.DiskOption;
import org.jvirt.cli.launch.DriveOption;
import org.jvirt.cli.launch.LaunchOptions;
import org.jvirt.cli.launch.SerialTarget;
import org.jvirt.cli.qemu.QemuCommandLine.Request;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.ImageReference;
import org.jvirt.images.Secrets;
import org.jvirt.images.file.CacheMode;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.live.ErrorAction;
import org.jvirt.images.live.ErrorPolicy;
import org.jvirt.images.live.LiveSettings;
import org.jvirt.machine.DriveBus;
import org.jvirt.machine.DriveShape;
import org.jvirt.machine.InterruptHome;
import org.jvirt.machine.VmConfig.TestDevice;
import org.jvirt.machine.cpu.CpuChoice;
import org.jvirt.machine.host.NumberSet;
import org.jvirt.machine.host.RamSettings;

class QemuCommandLineTest {
    private static Request parse(String line) {
        return new QemuCommandLine().parse(line.isEmpty() ? List.of() : Arrays.asList(line.split(" ")));
    }

    private static LaunchOptions options(String line) {
        return ((Request.Run) parse(line)).options();
    }

    @Test
    void aTestKernelsUsualLineIsUnderstood() {
        LaunchOptions options = options("-nodefaults -device pc-testdev -device isa-debug-exit,iobase=0xf4,iosize=0x4"
                + " -vnc none -serial stdio -device pci-testdev -machine accel=tcg -kernel x.flat -smp 4 -m 256"
                + " -cpu max,+x2apic,-svm -append arguments");
        assertThat(options.engine()).isEqualTo("soft");
        assertThat(options.kernel()).contains(Path.of("x.flat"));
        assertThat(options.cpus()).isEqualTo(4);
        assertThat(options.cpu()).isEqualTo("max,+x2apic,-svm");
        assertThat(options.memoryBytes()).isEqualTo(256L << 20);
        assertThat(options.serials()).containsExactly(new SerialTarget.Stdio(false));
        assertThat(options.testDevices())
                .containsExactly(new TestDevice.Pc(), new TestDevice.DebugExit(0xf4, 4), new TestDevice.Pci());
    }

    @Test
    void nographicPutsTheSerialLineWithEscapesOnTheTerminal() {
        assertThat(options("-nographic").serials()).containsExactly(new SerialTarget.Stdio(true));
        assertThat(options("").serials()).containsExactly(new SerialTarget.None());
        assertThat(options("-nodefaults").serials()).isEmpty();
        assertThat(options("-serial mon:stdio").serials()).containsExactly(new SerialTarget.Stdio(true));
    }

    @Test
    void characterDevicesAreFoundByTheirId() {
        LaunchOptions options = options("-chardev socket,id=c,path=/tmp/s,server=on,wait=off -serial chardev:c"
                + " -chardev file,id=f,path=/tmp/f -device virtio-serial -device virtconsole,chardev=f");
        assertThat(options.serials()).containsExactly(new SerialTarget.Unix(Path.of("/tmp/s")));
        assertThat(options.virtioConsoles()).containsExactly(new SerialTarget.File(Path.of("/tmp/f")));
        assertThatThrownBy(() -> parse("-serial chardev:nobody")).hasMessageContaining("id=nobody");
    }

    private static DiskOption rawDisk(String id) {
        return new DiskOption(
                ImageReference.of("a.raw"),
                Optional.of(ImageFormat.RAW),
                CacheMode.WRITEBACK,
                false,
                false,
                Optional.empty(),
                LiveSettings.DEFAULT.withId(id));
    }

    @Test
    void drivesGoToTheBusThatQemuWouldGiveThem() {
        DriveOption plain = options("-drive file=a.raw,format=raw").drives().getFirst();
        assertThat(plain.shape().bus()).as("q35's default").isEqualTo(DriveBus.SATA);
        DriveOption third = options("-hdc a.raw").drives().getFirst();
        assertThat(third.shape().unit()).hasValue(2);
        DriveOption disc = options("-cdrom a.iso").drives().getFirst();
        assertThat(disc.cdrom()).isTrue();
        assertThat(disc.shape()).isEqualTo(DriveShape.on(DriveBus.SATA).withUnit(OptionalInt.of(2), 0));
        assertThat(disc.medium().orElseThrow().readOnly()).isTrue();
        List<DriveOption> all = options("-drive file=a.raw,if=none,id=a -drive file=b.raw,if=none,id=b"
                        + " -drive file=c.iso,if=none,id=c,media=cdrom -drive file=d.raw,if=none,id=d"
                        + " -device ich9-ahci,id=ahci -device ide-hd,drive=a,bus=ahci.4,serial=S"
                        + " -device virtio-scsi-pci,id=scsi0 -device scsi-hd,drive=b,bus=scsi0.0,scsi-id=3,lun=1"
                        + " -device scsi-cd,drive=c -device nvme,drive=d,serial=N,max_ioqpairs=2 -device ide-cd")
                .drives();
        assertThat(all).extracting(DriveOption::id).containsExactly("a", "b", "c", "d", "");
        assertThat(all.get(0).shape().unit()).hasValue(4);
        assertThat(all.get(0).medium().orElseThrow().serial()).contains("S");
        assertThat(all.get(1).shape()).isEqualTo(DriveShape.on(DriveBus.SCSI).withUnit(OptionalInt.of(3), 1));
        assertThat(all.get(2).cdrom()).isTrue();
        assertThat(all.get(3).shape().queues()).hasValue(2);
        assertThat(all.get(4).medium()).as("an empty drive").isEmpty();
    }

    @Test
    void disksComeFromDriveAndFromBlockdev() {
        assertThat(options("-drive file=a.raw,format=raw,if=virtio").disks()).containsExactly(rawDisk(""));
        DiskOption named = options("-drive file=a.raw,if=none,id=d,werror=stop -device virtio-blk-pci,drive=d,serial=S")
                .disks()
                .getFirst();
        assertThat(named.serial()).contains("S");
        assertThat(named.live())
                .isEqualTo(LiveSettings.DEFAULT
                        .withId("d")
                        .withErrors(new ErrorPolicy(ErrorAction.REPORT, ErrorAction.STOP)));
        assertThat(options("-blockdev driver=file,filename=a.raw,node-name=f -blockdev driver=raw,node-name=n,file=f"
                                + " -device virtio-blk-pci,drive=n")
                        .disks())
                .containsExactly(rawDisk("n"));
        assertThat(options("-blockdev driver=raw,node-name=n,file.driver=file,file.filename=a.raw"
                                + " -device virtio-blk,drive=n")
                        .disks())
                .containsExactly(rawDisk("n"));
    }

    @Test
    void servedAndEncryptedDisksComeFromDriveAndBlockdevWithTheirObjects() {
        LaunchOptions options = options("-object secret,id=s0,data=word -drive file=a.qcow2,encrypt.key-secret=s0"
                + " -blockdev driver=nbd,node-name=p,server.type=unix,server.path=/x.sock,export=e"
                + " -blockdev driver=raw,node-name=n,file=p -device virtio-blk-pci,drive=n");
        assertThat(options.objects().secrets()).isNotEqualTo(Secrets.none());
        assertThat(options.disks().get(0).image().options()).containsEntry("encrypt.key-secret", "s0");
        assertThat(options.disks().get(1).image().options())
                .containsEntry("file.driver", "nbd")
                .containsEntry("file.server.path", "/x.sock")
                .containsEntry("file.export", "e");
        assertThat(options("-drive file=nbd://host:99/e,format=raw")
                        .disks()
                        .get(0)
                        .image())
                .isEqualTo(ImageReference.of("nbd://host:99/e"));
    }

    @Test
    void switchesSetWhatTheySay() {
        LaunchOptions options = options("-no-reboot -no-shutdown -S -snapshot -rtc base=localtime -name web,process=x"
                + " -bios b.bin -D log.txt -monitor stdio -enable-kvm -object rng-random,id=r,filename=/dev/urandom"
                + " -device virtio-rng-pci,rng=r --display none");
        assertThat(options.reboot()).isFalse();
        assertThat(options.endOnPowerOff()).isFalse();
        assertThat(options.startPaused()).isTrue();
        assertThat(options.snapshot()).isTrue();
        assertThat(options.rtc()).isEqualTo(LaunchOptions.RtcBase.LOCALTIME);
        assertThat(options.name()).isEqualTo("web");
        assertThat(options.bios()).contains(Path.of("b.bin"));
        assertThat(options.log()).contains(Path.of("log.txt"));
        assertThat(options.monitorOnStdio()).isTrue();
        assertThat(options.engine()).isEqualTo("kvm");
        assertThat(options.rngs()).isEqualTo(1);
    }

    @Test
    void theFirstAcceleratorThatWorksIsTaken() {
        assertThat(options("-accel kvm").engine()).isEqualTo("kvm");
        assertThat(options("-enable-kvm -cpu host").cpu()).isEqualTo("host");
        assertThat(options("-machine q35,accel=kvm:tcg").engine()).isEqualTo("auto");
        assertThat(options("-accel kvm -accel tcg").engine()).isEqualTo("auto");
        assertThat(options("-machine accel=tcg:kvm").engine()).isEqualTo("soft");
        assertThat(options("").engine()).isEqualTo("auto");
        assertThat(options("-accel kvm,kernel-irqchip=off").interrupts()).isEqualTo(InterruptHome.MACHINE);
        assertThat(options("-machine accel=kvm,kernel_irqchip=on").interrupts()).isEqualTo(InterruptHome.ENGINE);
        assertThat(options("-accel kvm,kernel-irqchip=split").interrupts()).isEqualTo(InterruptHome.SPLIT);
        assertThat(options("-machine accel=tcg,kernel_irqchip=split").engine()).isEqualTo("soft");
    }

    @Test
    void whatWindowsGuestsAreGivenAsksForHyperVsEnlightenments() {
        String words = "hv_relaxed,hv_vapic,hv-spinlocks=0x1fff,hv_time,hv_vpindex,hv_synic,hv_stimer";
        String cpu = options("-enable-kvm -cpu host,migratable=on," + words).cpu();
        assertThat(CpuChoice.parse(cpu)).isEqualTo(CpuChoice.parse("host,+hyperv"));
        assertThat(CpuChoice.parse(options("-cpu host").cpu()).hyperV()).isFalse();
    }

    @Test
    void whatRamIsMadeOfIsUnderstood() {
        assertThat(ram("")).isEqualTo(RamSettings.DEFAULT);
        assertThat(ram("-mem-path /dev/hugepages -mem-prealloc"))
                .isEqualTo(RamSettings.DEFAULT
                        .withDirectory(Path.of("/dev/hugepages"))
                        .withReserved(true));
        assertThat(ram("-overcommit mem-lock=on")).isEqualTo(RamSettings.DEFAULT.withLocked(true));
        assertThat(ram("-machine q35,mem-merge=on")).isEqualTo(RamSettings.DEFAULT.withMergeable(true));
        assertThat(ram("-m 1G -object memory-backend-memfd,id=m,size=1G,hugetlb=on,hugetlbsize=1G,share=on,prealloc=on"
                        + " -machine memory-backend=m"))
                .isEqualTo(RamSettings.DEFAULT
                        .withPages(RamSettings.Pages.HUGE_1_GIB)
                        .withReserved(true));
        assertThat(ram("-object memory-backend-ram,id=m,host-nodes=0-1,policy=interleave -numa node,memdev=m"))
                .isEqualTo(RamSettings.DEFAULT.withNodes(
                        new RamSettings.Nodes(RamSettings.Spread.INTERLEAVE, NumberSet.parse("", "0-1"))));
        assertThat(ram("-object memory-backend-ram,id=unused,merge=on")).isEqualTo(RamSettings.DEFAULT);
    }

    private static RamSettings ram(String line) {
        return options(line).host().ram();
    }

    @Test
    void theLaterWordWins() {
        assertThat(options("-m 1G -m 2G").memoryBytes()).isEqualTo(2L << 30);
        assertThat(options("-smp cpus=3,maxcpus=8").cpus()).isEqualTo(3);
        assertThat(options("-smp sockets=2,cores=2,threads=2").cpus()).isEqualTo(8);
    }

    @Test
    void questionsAreAnswered() {
        assertThat(parse("--version")).isEqualTo(new Request.PrintVersion());
        assertThat(parse("-device ?"))
                .isInstanceOfSatisfying(
                        Request.PrintDevices.class,
                        devices -> assertThat(devices.list())
                                .contains("isa-debug-exit", "virtio-blk-pci", "virtio-rng-pci", "pci-testdev"));
        assertThat(parse("-cpu help")).isEqualTo(new Request.PrintCpus());
        assertThat(parse("-M ?")).isEqualTo(new Request.PrintMachines());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "-kernal x | -kernel",
                "-machine microvm | is not supported. The nearest",
                "-accel hvf | kvm",
                "-device e1000 | The nearest that is",
                "-device virtio-rng | ",
                "-drive file=x,if=vertio | virtio",
                "-drive file=x,format=dmg | qcow2",
                "-chardev udp,id=x | is not supported. The nearest",
                "-object iothread,id=x | rng-builtin",
                "-object memory-backend-ram,id=x,policy=local | preferred",
                "-object memory-backend-ram,id=m,size=1G -machine memory-backend=m -m 2G | same size",
                "-machine memory-backend=m | id=m",
                "-numa node,nodeid=1 | one node",
                "-overcommit mem-lock=maybe | on or off",
                "-machine kernel-irqchip=maybe | on, off, split",
                "-vga std | -vga none",
                "-display gtk | -display none",
                "-net user | -net none",
                "-serial tcp:1 | unix:PATH",
                "-m | needs a value",
                "disk.img | -drive file=disk.img",
                "-device virtio-blk-pci,drive=none | named none",
                "-monitor unix:/x | only stdio and none",
            })
    void whatIsNotSupportedIsRefusedByName(String line, String part) {
        if (part == null) {
            assertThat(parse(line)).isInstanceOf(Request.Run.class);
            return;
        }
        assertThatThrownBy(() -> parse(line))
                .isInstanceOf(UserErrorException.class)
                .hasMessageContaining(part);
    }
}
