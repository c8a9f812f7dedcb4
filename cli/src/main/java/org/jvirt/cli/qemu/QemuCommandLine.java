package org.jvirt.cli.qemu;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jvirt.cli.launch.HostObjects;
import org.jvirt.cli.launch.KeyValues;
import org.jvirt.cli.launch.LaunchOptions;
import org.jvirt.cli.launch.MemorySize;
import org.jvirt.cli.launch.SerialTarget;
import org.jvirt.cli.launch.Suggestion;
import org.jvirt.cli.launch.TranslatorWords;
import org.jvirt.core.UserErrorException;
import org.jvirt.machine.InterruptHome;

/// Reads the arguments of `qemu-system-x86_64`. Options may be written with one dash or two. Not thread-safe.
public final class QemuCommandLine {
    /// What the arguments ask for.
    public sealed interface Request {
        record Run(LaunchOptions options) implements Request {}

        record PrintVersion() implements Request {}

        record PrintDevices(String list) implements Request {}

        record PrintCpus() implements Request {}

        record PrintMachines() implements Request {}
    }

    private static final Set<String> ENGINES = Set.of("kvm", "tcg", "soft", "interpreter", "auto");
    private static final Set<String> MACHINES = Set.of("q35", "pc", "pc-q35");

    private static final List<String> HARD_DISKS = List.of("hda", "hdb", "hdc", "hdd");
    private static final int CDROM_PORT = 2;

    private final LaunchOptions options = new LaunchOptions();
    private final Chardevs chardevs = new Chardevs();
    private final Drives drives = new Drives();
    private final Devices devices = new Devices(chardevs, drives);
    private final MemoryBackends memory = new MemoryBackends();
    private final List<String> accelerators = new ArrayList<>();
    private final Map<String, Consumer<String>> withValue = new TreeMap<>();
    private final Map<String, Runnable> alone = new TreeMap<>();
    private final List<String> laterDevices = new ArrayList<>();
    private final List<String> serials = new ArrayList<>();
    private final List<String> monitors = new ArrayList<>();
    private boolean noDefaults;
    private boolean noGraphic;

    public QemuCommandLine() {
        withValue.put("machine", this::machine);
        withValue.put("M", this::machine);
        withValue.put("accel", this::accelerator);
        withValue.put("cpu", options::cpu);
        withValue.put("smp", this::processors);
        withValue.put("m", this::memory);
        withValue.put("kernel", v -> options.kernel(Path.of(v)));
        withValue.put("initrd", v -> options.initrd(Path.of(v)));
        withValue.put("append", options::append);
        withValue.put("bios", v -> options.bios(Path.of(v)));
        withValue.put(
                "name",
                v -> options.name(
                        new KeyValues("-name", "guest", v).take("guest").orElse("jvirt")));
        withValue.put("serial", serials::add);
        withValue.put("monitor", monitors::add);
        withValue.put("chardev", chardevs::define);
        withValue.put("device", laterDevices::add);
        withValue.put("drive", v -> drives.drive(v).ifPresent(options::addDrive));
        for (int i = 0; i < HARD_DISKS.size(); i++) {
            int port = i;
            withValue.put(HARD_DISKS.get(i), v -> options.addDrive(Drives.atPort(port, v, false)));
        }
        withValue.put("cdrom", v -> options.addDrive(Drives.atPort(CDROM_PORT, v, true)));
        withValue.put("blockdev", drives::blockdev);
        withValue.put("object", this::object);
        withValue.put("mem-path", v -> memory.directory(Path.of(v)));
        withValue.put("overcommit", memory::overcommit);
        withValue.put("numa", this::numa);
        withValue.put("rtc", this::rtc);
        withValue.put("D", v -> options.log(Path.of(v)));
        withValue.put("display", v -> requireNone("-display", v));
        withValue.put("vnc", v -> requireNone("-vnc", v));
        withValue.put("vga", v -> requireNone("-vga", v));
        withValue.put("parallel", v -> requireNone("-parallel", v));
        withValue.put("net", v -> requireNone("-net", v));
        withValue.put("nic", v -> requireNone("-nic", v));
        withValue.put("audio", v -> requireNone("-audio", v));
        alone.put("enable-kvm", () -> accelerator("kvm"));
        alone.put("mem-prealloc", memory::preallocate);
        alone.put("nodefaults", () -> noDefaults = true);
        alone.put("no-user-config", () -> {});
        alone.put("nographic", () -> noGraphic = true);
        alone.put("no-reboot", () -> options.reboot(false));
        alone.put("no-shutdown", () -> options.endOnPowerOff(false));
        alone.put("S", () -> options.startPaused(true));
        alone.put("snapshot", () -> options.snapshot(true));
    }

    /// @throws UserErrorException for whatever is not supported, naming the nearest that is
    public Request parse(List<String> arguments) {
        Iterator<String> rest = arguments.iterator();
        while (rest.hasNext()) {
            String argument = rest.next();
            String name = nameOf(argument);
            if (name.equals("version")) {
                return new Request.PrintVersion();
            }
            if (alone.containsKey(name)) {
                alone.get(name).run();
                continue;
            }
            Consumer<String> taker = withValue.get(name);
            if (taker == null) {
                throw unknown(argument, name);
            }
            if (!rest.hasNext()) {
                throw new UserErrorException("-%s needs a value.".formatted(name));
            }
            String value = rest.next();
            if (value.equals("?") || value.equals("help")) {
                return help(name);
            }
            taker.accept(value);
        }
        laterDevices.forEach(d -> devices.add(d, options));
        connect();
        chooseEngine();
        memory.apply(options);
        return new Request.Run(options);
    }

    private static String nameOf(String argument) {
        if (!argument.startsWith("-") || argument.length() < 2) {
            throw new UserErrorException(
                    "'%s' is no option. A disk image is given with -drive file=%s,format=raw,if=virtio."
                            .formatted(argument, argument));
        }
        return argument.startsWith("--") ? argument.substring(2) : argument.substring(1);
    }

    private UserErrorException unknown(String argument, String name) {
        var known = new ArrayList<String>();
        known.addAll(withValue.keySet());
        known.addAll(alone.keySet());
        known.add("version");
        return new UserErrorException("%s is not supported. The nearest option that is: -%s."
                .formatted(argument, Suggestion.nearest(name, known)));
    }

    private static Request help(String name) {
        return switch (name) {
            case "device" -> new Request.PrintDevices(Devices.list());
            case "cpu" -> new Request.PrintCpus();
            case "machine", "M" -> new Request.PrintMachines();
            default ->
                throw new UserErrorException("-%s has no list; see jvirt qemu-system-x86_64 --help.".formatted(name));
        };
    }

    private void machine(String text) {
        var values = new KeyValues("-machine", "type", text);
        String type = values.take("type").orElse("q35");
        if (!MACHINES.contains(type) && !type.startsWith("pc-q35-")) {
            throw new UserErrorException("-machine: '%s' is not supported. The nearest that is: %s."
                    .formatted(type, Suggestion.nearest(type, MACHINES)));
        }
        values.take("accel").ifPresent(list -> List.of(list.split(":")).forEach(this::accelerator));
        values.take("kernel_irqchip").ifPresent(this::irqchip);
        values.take("kernel-irqchip").ifPresent(this::irqchip);
        values.take("memory-backend").ifPresent(memory::choose);
        values.take("mem-merge").ifPresent(v -> memory.merge(v.equals("on")));
        values.ignore(
                Set.of("usb", "vmport", "dump-guest-core", "smm", "graphics", "hpet", "smbus", "sata", "pic", "pit"));
        values.end(Set.of("type", "accel", "kernel-irqchip", "memory-backend", "mem-merge"));
    }

    private void accelerator(String text) {
        var values = new KeyValues("-accel", "accel", text);
        String name = values.takeRequired("accel");
        if (!ENGINES.contains(name)) {
            throw new UserErrorException("-accel: '%s' is not supported. The nearest that is: %s."
                    .formatted(name, Suggestion.nearest(name, ENGINES)));
        }
        values.take("kernel-irqchip").ifPresent(this::irqchip);
        if (values.takeSwitch("verify-translation", false)) {
            options.translator(options.translator().withVerification(TranslatorWords.VERIFIED));
        }
        values.take("tb-size")
                .ifPresent(mib -> options.translator(
                        options.translator().withCacheBytes(TranslatorWords.cacheBytes("-accel tb-size", mib))));
        values.ignore(Set.of("thread", "split-wx", "one-insn-per-tb", "dirty-ring-size"));
        values.end(Set.of("accel", "thread", "kernel-irqchip", "tb-size", "verify-translation"));
        accelerators.add(name.equals("tcg") ? "soft" : name);
    }

    private void irqchip(String where) {
        options.interrupts(
                switch (where) {
                    case "on" -> InterruptHome.ENGINE;
                    case "off" -> InterruptHome.MACHINE;
                    case "split" -> InterruptHome.SPLIT;
                    default ->
                        throw new UserErrorException(
                                "kernel-irqchip=%s is not supported. Those that are: on, off, split.".formatted(where));
                });
    }

    /// The first that works of several, such as `kvm:tcg` or `-accel kvm -accel tcg`.
    private void chooseEngine() {
        if (accelerators.isEmpty()) {
            return;
        }
        String first = accelerators.getFirst();
        boolean others = accelerators.stream().anyMatch(name -> !name.equals(first));
        options.engine(first.equals("kvm") && others ? "auto" : first);
    }

    /// The one node that every machine has.
    private void numa(String text) {
        var values = new KeyValues("-numa", "type", text);
        String type = values.take("type").orElse("");
        int node = values.takeNumber("nodeid", 0);
        if (!type.equals("node") || node != 0) {
            throw new UserErrorException("-numa: guests have one node. The nearest that is: -numa node,memdev=ID.");
        }
        values.take("memdev").ifPresent(memory::choose);
        values.ignore(Set.of("cpus"));
        values.end(Set.of("memdev", "cpus", "nodeid"));
    }

    private void processors(String text) {
        var values = new KeyValues("-smp", "cpus", text);
        int sockets = values.takeNumber("sockets", 1);
        int cores = values.takeNumber("cores", 1);
        int threads = values.takeNumber("threads", 1);
        int cpus = values.takeNumber("cpus", sockets * cores * threads);
        values.ignore(Set.of("maxcpus", "dies", "clusters"));
        values.end(Set.of("cpus", "sockets", "cores", "threads", "maxcpus"));
        options.cpus(cpus);
    }

    private void memory(String text) {
        var values = new KeyValues("-m", "size", text);
        options.memoryBytes(MemorySize.parse("-m", values.takeRequired("size")));
        values.end(Set.of("size"));
    }

    private void object(String text) {
        var values = new KeyValues("-object", "type", text);
        String type = values.takeRequired("type");
        if (MemoryBackends.TYPES.contains(type)) {
            memory.define(type, values);
            return;
        }
        if (HostObjects.TYPES.contains(type)) {
            options.objects(options.objects().with(type, values));
            return;
        }
        if (!Set.of("rng-random", "rng-builtin").contains(type)) {
            throw new UserErrorException(
                    "-object: '%s' is not supported. The nearest that is: rng-builtin.".formatted(type));
        }
        values.ignore(Set.of("id", "filename"));
        values.end(Set.of("id", "filename"));
    }

    private void rtc(String text) {
        var values = new KeyValues("-rtc", "base", text);
        String base = values.take("base").orElse("utc");
        options.rtc(
                switch (base) {
                    case "utc" -> LaunchOptions.RtcBase.UTC;
                    case "localtime" -> LaunchOptions.RtcBase.LOCALTIME;
                    default ->
                        throw new UserErrorException(
                                "-rtc: base=%s is not supported. Those that are: utc, localtime.".formatted(base));
                });
        values.ignore(Set.of("clock", "driftfix"));
        values.end(Set.of("base", "clock", "driftfix"));
    }

    private static void requireNone(String option, String value) {
        if (!value.equals("none")) {
            throw new UserErrorException(
                    "%s %s is not supported. The nearest that is: %s none.".formatted(option, value, option));
        }
    }

    /// What no option decides: without -nodefaults there is one serial line, on standard input and output only when
    /// -nographic puts it there.
    private void connect() {
        for (String serial : serials) {
            options.addSerial(chardevs.ofShortForm("-serial", serial));
        }
        if (options.serials().isEmpty() && !noDefaults) {
            options.addSerial(noGraphic ? new SerialTarget.Stdio(true) : new SerialTarget.None());
        }
        for (String monitor : monitors) {
            SerialTarget target = chardevs.ofShortForm("-monitor", monitor);
            switch (target) {
                case SerialTarget.None() -> {}
                case SerialTarget.Stdio stdio -> options.monitorOnStdio(true);
                case SerialTarget.File file -> throw monitorPlace();
                case SerialTarget.Unix unix -> throw monitorPlace();
                case SerialTarget.Pty() -> throw monitorPlace();
            }
        }
    }

    private static UserErrorException monitorPlace() {
        return new UserErrorException("-monitor: only stdio and none are supported.");
    }
}
