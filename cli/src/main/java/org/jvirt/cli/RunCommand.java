package org.jvirt.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.jvirt.cli.debian.DebianGuest;
import org.jvirt.cli.launch.DriveOption;
import org.jvirt.cli.launch.HostObjects;
import org.jvirt.cli.launch.LaunchOptions;
import org.jvirt.cli.launch.Launcher;
import org.jvirt.cli.launch.MemorySize;
import org.jvirt.cli.launch.SerialTarget;
import org.jvirt.cli.launch.SystemFirmware;
import org.jvirt.core.UserErrorException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `jvirt run`.
@Command(
        name = "run",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        separator = " ",
        abbreviateSynopsis = true,
        usageHelpWidth = 100,
        description = {
            "Starts a virtual machine.",
            "With IMAGE: boots the disk by its own boot loader, or by --kernel.",
            "Without IMAGE, --kernel and --firmware: Debian's cloud kernel and a shell, fetched once through apt."
        },
        footerHeading = "%nAt the terminal:%n",
        footer = {
            "  Ctrl-A h lists the escape keys (x quit, c monitor, b break).",
            "",
            "Exit code: 0 the guest powered off (or reset, with --no-reboot), or the user quit; 64 wrong use;",
            "  70 the guest's processor shut down (triple fault); 72 the engine could not go on; 74 the host failed;"
                    + " 76 a bug in jvirt."
        })
final class RunCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(
            arity = "0..1",
            paramLabel = "IMAGE",
            description = "An image, the URI of a served disk, or file=PATH[,...] as --disk takes it: the first disk"
                    + " (vda), and what SeaBIOS boots unless a kernel is given.")
    private @Nullable String image;

    @Option(
            names = "--kernel",
            paramLabel = "FILE",
            description = "A Linux bzImage, or an ELF kernel (PVH, multiboot).")
    private @Nullable Path kernel;

    @Option(names = "--initrd", paramLabel = "FILE", description = "The kernel's initial RAM disk.")
    private @Nullable Path initrd;

    @Option(names = "--append", paramLabel = "WORDS", description = "The kernel's command line.")
    private @Nullable String append;

    @Option(names = "--debian", paramLabel = "cloud|full", description = "Which of Debian's kernels to fetch (cloud).")
    private @Nullable String debian;

    @Option(
            names = {"--firmware", "--bios"},
            paramLabel = "FILE",
            description = "Firmware to start instead of a kernel (with IMAGE: the installed SeaBIOS).")
    private @Nullable Path bios;

    @Option(
            names = "--memory",
            paramLabel = "SIZE",
            defaultValue = "512M",
            description = "RAM: 512M, 2G (${DEFAULT-VALUE}).")
    private String memory = "";

    @Option(names = "--cpus", paramLabel = "N", defaultValue = "1", description = "Processors (${DEFAULT-VALUE}).")
    private int cpus;

    @Option(
            names = "--cpu",
            paramLabel = "MODEL[,+FLAG][,-FLAG]",
            defaultValue = "x86-64-v2",
            description = "Processor model (${DEFAULT-VALUE}); +hyperv shows Windows Hyper-V's enlightenments (kvm).")
    private String cpu = "";

    @Option(
            names = "--engine",
            paramLabel = "NAME",
            defaultValue = "auto",
            description = "auto, kvm, soft or interpreter (${DEFAULT-VALUE}).")
    private String engine = "";

    @Option(
            names = "--serial",
            paramLabel = "WHERE",
            description = "stdio, file:PATH, unix:PATH, pty or none; repeat for further lines (stdio).")
    private List<String> serials = new ArrayList<>();

    @Option(
            names = "--disk",
            paramLabel = "file=PATH[,...]",
            description =
                    "A disk: PATH, or file=PATH[,if=virtio|scsi|sata|nvme][,media=cdrom][,format=FORMAT][,cache=MODE]"
                            + "[,readonly=on][,snapshot=on][,serial=TEXT][,id=NAME][,unit=N][,lun=N][,queues=N]"
                            + "[,block=BYTES][,physical-block=BYTES][,key-secret=ID][,encrypt.key-secret=ID];"
                            + " PATH may be nbd://…, nbd+unix://….")
    private List<String> disks = new ArrayList<>();

    @Option(
            names = "--cdrom",
            paramLabel = "PATH",
            description = "A CD-ROM drive with this image in it; the monitor's eject and change exchange it.")
    private List<String> cdroms = new ArrayList<>();

    @Option(
            names = "--object",
            paramLabel = "OBJECT",
            description = "For disks: secret,id=NAME,file=PATH, or tls-creds-x509,id=NAME,dir=FOLDER.")
    private List<String> objects = new ArrayList<>();

    @Option(names = "--allow-network-backing", description = "Let images name served disks as the layers below them.")
    private boolean networkBacking;

    @Option(names = "--rng", description = "A virtio random number device.")
    private boolean rng;

    @Option(names = "--console", paramLabel = "WHERE", description = "A virtio console (hvc0) as --serial.")
    private List<String> consoles = new ArrayList<>();

    @Option(names = "--snapshot", description = "Keep all writes to disks in memory; the images stay clean.")
    private boolean snapshot;

    @Option(names = "--no-reboot", description = "End instead of starting again when the guest resets.")
    private boolean noReboot;

    @Option(names = "--paused", description = "Wait in the monitor (Ctrl-A c, cont) before the first instruction.")
    private boolean paused;

    @Option(
            names = "--name",
            paramLabel = "TEXT",
            defaultValue = "jvirt",
            description = "The machine's name (${DEFAULT-VALUE}).")
    private String name = "";

    @Mixin
    private HostOptions host = new HostOptions();

    @Mixin
    private TranslatorOptions translator = new TranslatorOptions();

    @Override
    public Integer call() {
        PrintWriter err = spec.commandLine().getErr();
        LaunchOptions options = options();
        if (image != null && kernel == null && bios == null) {
            options.bios(SystemFirmware.find(Path.of(image)));
        } else if (kernel == null && bios == null) {
            DebianGuest guest = DebianGuest.of(flavour(), line -> {
                err.println("jvirt: " + line);
                err.flush();
            });
            options.kernel(guest.kernel());
            if (initrd == null) {
                options.initrd(guest.initrd());
            }
            if (append == null) {
                options.append("console=ttyS0");
            }
        }
        return Launcher.run(options, spec.commandLine().getOut());
    }

    private LaunchOptions options() {
        var options = new LaunchOptions();
        options.name(name);
        options.engine(engine);
        options.cpu(cpu);
        options.cpus(cpus);
        options.memoryBytes(MemorySize.parse("--memory", memory));
        options.snapshot(snapshot);
        options.reboot(!noReboot);
        options.startPaused(paused);
        options.host(host.settings());
        options.translator(translator.settings());
        HostObjects given = HostObjects.all(objects);
        options.objects(networkBacking ? given.allowingNetworkBacking() : given);
        Optional.ofNullable(kernel).ifPresent(options::kernel);
        Optional.ofNullable(initrd).ifPresent(options::initrd);
        Optional.ofNullable(bios).ifPresent(options::bios);
        Optional.ofNullable(append).ifPresent(options::append);
        (serials.isEmpty() ? List.of("stdio") : serials).forEach(s -> options.addSerial(SerialTarget.parse(s)));
        consoles.forEach(c -> options.addVirtioConsole(SerialTarget.parse(c)));
        Optional.ofNullable(image).ifPresent(text -> options.addDrive(DriveOption.first(text)));
        disks.forEach(d -> options.addDrive(DriveOption.parse(d)));
        cdroms.forEach(c -> options.addDrive(DriveOption.cdrom(c)));
        if (rng) {
            options.addRng();
        }
        return options;
    }

    private DebianGuest.Flavour flavour() {
        if (debian == null || debian.equals("cloud")) {
            return DebianGuest.Flavour.CLOUD;
        }
        if (debian.equals("full")) {
            return DebianGuest.Flavour.FULL;
        }
        throw new UserErrorException("--debian: there is 'cloud' and 'full', not '%s'.".formatted(debian));
    }
}
