package org.jvirt.machine.monitor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jvirt.core.Bus;
import org.jvirt.core.JvirtException;
import org.jvirt.core.MemorySlot;
import org.jvirt.core.cpu.Activity;
import org.jvirt.core.cpu.CpuState;
import org.jvirt.machine.Inspection;
import org.jvirt.machine.VirtualMachine;
import org.jvirt.machine.VmState;

/// Commands for a person at a terminal, under the names that QEMU's monitor has: a line in, text out. It never
/// throws for what a user types. Thread-safe, one command at a time.
public final class Monitor {
    /// A command.
    ///
    /// @param usage its arguments
    private record Command(String usage, String help, Function<List<String>, String> action) {}

    private final VirtualMachine vm;
    private final Map<String, Command> commands = new LinkedHashMap<>();
    private final Map<String, Command> subjects = new LinkedHashMap<>();
    private int cpu;

    /// @param version what `info version` answers
    public Monitor(VirtualMachine vm, String version) {
        this.vm = vm;
        command("help", "", "this list", _ -> help(commands, ""));
        command("info", "SUBJECT", "shows the state of something; alone, the subjects", this::info);
        command("stop", "", "pauses the machine", _ -> done(vm::pause));
        command("cont", "", "lets a paused machine go on", _ -> done(vm::resume));
        command("system_reset", "", "presses the reset button", _ -> done(vm::reset));
        command("system_powerdown", "", "presses the power button", _ -> powerDown());
        command("nmi", "", "raises a non-maskable interrupt on all CPUs", _ -> done(vm::nmi));
        command("cpu", "INDEX", "chooses the CPU that other commands look at", this::chooseCpu);
        command(
                "x",
                "/FMT ADDRESS",
                "shows memory at a virtual address; FMT is count, format (x u d c i), size (b h w g)",
                arguments -> dump(arguments, true));
        command("xp", "/FMT ADDRESS", "shows memory at a physical address", arguments -> dump(arguments, false));
        var cdroms = new CdromCommands(vm);
        command(
                "eject",
                "[-f] DEVICE",
                "takes the medium out of a CD-ROM drive; -f although it is locked",
                cdroms::eject);
        command(
                "change",
                "[-f] DEVICE FILE [FORMAT] [key-secret=ID]",
                "puts another medium into a CD-ROM drive; FILE may be nbd://…",
                cdroms::change);
        var disks = new BlockCommands(vm);
        command(
                "block_set_io_throttle",
                "DEVICE BPS BPS_RD BPS_WR IOPS IOPS_RD IOPS_WR",
                "limits what a disk does in a second; 0 for no limit",
                disks::throttle);
        jobCommands(new JobCommands(vm));
        command("quit", "", "ends the machine", _ -> done(vm::kill));
        subject("status", "whether the machine runs", _ -> status());
        subject("version", "which jvirt this is", _ -> version + "\n");
        subject("name", "what the machine is called", _ -> vm.config().name() + "\n");
        subject("cpus", "the processors", _ -> vm.inspect(this::cpus));
        subject("block", "the disks; alone or one DEVICE", disks::info);
        subject("registers", "all registers of the chosen CPU; with -a, of all CPUs", this::registers);
        subject("pic", "the 8259 pair and the IO-APIC", _ -> vm.inspect(i -> InterruptText.pins(i.interrupts())));
        subject("lapic", "the chosen CPU's local APIC", _ -> vm.inspect(i -> InterruptText.local(i.interrupts(), cpu)));
        subject("mtree", "what lies where in the address spaces", _ -> vm.inspect(Monitor::addressSpaces));
        subject("pci", "the PCI functions", _ -> vm.inspect(Monitor::pci));
        subject("cdroms", "the CD-ROM drives and what is in them", _ -> cdroms.info());
        subject("jit", "what the translator has done", _ -> jit());
        subject("kvm", "whether KVM runs the machine, and what it does itself", _ -> kvm());
        subject("unhandled", "accesses that no device answered", _ -> vm.inspect(Monitor::unhandled));
    }

    private void jobCommands(JobCommands jobs) {
        command("block_resize", "DEVICE SIZE", "gives a disk another size, in MiB without a unit", jobs::resize);
        command(
                "drive_backup",
                "[-n] [-f] [-c] [-b BITMAP] DEVICE TARGET [FORMAT]",
                "copies a disk as it is now; -n: to an image that is there, -f: with all layers, -c: compressed",
                jobs::backup);
        command(
                "drive_mirror",
                "[-n] [-f] DEVICE TARGET [FORMAT]",
                "copies a disk and what changes, until completed (the disk moves there) or cancelled",
                jobs::mirror);
        command("block_stream", "DEVICE [SPEED [BASE]]", "copies what lies below a disk into it", jobs::stream);
        command("commit", "DEVICE [TOP [BASE]]", "writes a disk's layers into one below them", jobs::commit);
        command("snapshot_blkdev", "[-n] DEVICE FILE [FORMAT]", "puts a new layer on a disk", jobs::snapshot);
        command("block_job_cancel", "[-f] DEVICE", "ends a job; -f: though it is ready", jobs::cancel);
        command("block_job_complete", "DEVICE", "ends a job that is ready: the disk moves", jobs::complete);
        command("block_job_pause", "DEVICE", "pauses a job", jobs::pause);
        command("block_job_resume", "DEVICE", "lets a paused job go on", jobs::resume);
        command("block_job_set_speed", "DEVICE BYTES", "limits a job's bytes per second; 0: none", jobs::setSpeed);
        command(
                "block_dirty_bitmap_add",
                "[-p] DEVICE NAME [GRANULARITY]",
                "records changes; -p: in the image",
                jobs::addBitmap);
        command("block_dirty_bitmap_remove", "DEVICE NAME", "removes a bitmap", jobs::removeBitmap);
        command("block_dirty_bitmap_clear", "DEVICE NAME", "forgets what a bitmap recorded", jobs::clearBitmap);
        subject("block-jobs", "the block jobs", jobs::info);
        subject("block-bitmaps", "the bitmaps of the disks", jobs::bitmaps);
    }

    private void command(String name, String usage, String help, Function<List<String>, String> action) {
        commands.put(name, new Command(usage, help, action));
    }

    private void subject(String name, String help, Function<List<String>, String> action) {
        subjects.put(name, new Command("", help, action));
    }

    /// Carries out one line. The answer ends with a line break or is empty.
    public synchronized String execute(String line) {
        String trimmed = line.strip();
        if (trimmed.isEmpty()) {
            return "";
        }
        // "x/10i" is "x" with "/10i".
        int slash = trimmed.indexOf('/');
        String spaced = slash > 0 && !trimmed.substring(0, slash).contains(" ")
                ? trimmed.substring(0, slash) + " " + trimmed.substring(slash)
                : trimmed;
        List<String> words = Arrays.asList(spaced.split("\\s+", -1));
        Command command = commands.get(alias(words.getFirst()));
        if (command == null) {
            return "unknown command: '%s' (try 'help')\n".formatted(words.getFirst());
        }
        return run(command, words.subList(1, words.size()));
    }

    private static String run(Command command, List<String> arguments) {
        try {
            return command.action.apply(arguments);
        } catch (JvirtException | IllegalStateException | IllegalArgumentException e) {
            return "Error: " + e.getMessage() + "\n";
        }
    }

    private static String alias(String word) {
        return switch (word) {
            case "?" -> "help";
            case "c" -> "cont";
            case "s" -> "stop";
            case "q" -> "quit";
            default -> word.toLowerCase(Locale.ROOT);
        };
    }

    private static String done(Runnable action) {
        action.run();
        return "";
    }

    private static String help(Map<String, Command> commands, String prefix) {
        return commands.entrySet().stream()
                .map(entry -> "%s%s -- %s\n"
                        .formatted(
                                prefix, (entry.getKey() + " " + entry.getValue().usage).strip(), entry.getValue().help))
                .collect(Collectors.joining());
    }

    private String info(List<String> arguments) {
        if (arguments.isEmpty()) {
            return help(subjects, "info ");
        }
        Command subject = subjects.get(arguments.getFirst());
        return subject == null
                ? "unknown subject: '%s' (try 'info')\n".formatted(arguments.getFirst())
                : run(subject, arguments.subList(1, arguments.size()));
    }

    private String status() {
        return "VM status: %s\n"
                .formatted(
                        switch (vm.state()) {
                            case CREATED -> "prelaunch";
                            case RUNNING -> "running";
                            case PAUSED ->
                                switch (vm.pauseReason()) {
                                    case USER -> "paused";
                                    case IO_ERROR -> "paused (io-error)";
                                    case DEBUGGER -> "paused (debug)";
                                };
                            case ENDED -> "shutdown";
                        });
    }

    private String jit() {
        var text = new StringBuilder();
        List<String> lines = vm.statistics();
        for (int i = 0; i < lines.size(); i++) {
            if (!lines.get(i).isEmpty()) {
                text.append("CPU %d: %s\n".formatted(i, lines.get(i)));
            }
        }
        return text.isEmpty() ? "Nothing is translated on engine %s\n".formatted(vm.engine()) : text.toString();
    }

    private String kvm() {
        boolean used = vm.engine().equals("kvm");
        var text = new StringBuilder("kvm support: %s\n".formatted(used ? "enabled" : "disabled"));
        text.append("engine: %s\n".formatted(vm.engine()));
        vm.engineTasks().forEach(task -> text.append("in the engine: %s\n".formatted(task)));
        return text.toString();
    }

    private String powerDown() {
        if (vm.state() != VmState.RUNNING) {
            return "Error: the machine is not running\n";
        }
        return vm.powerButton() ? "" : "The guest does not listen for its power button yet\n";
    }

    private String chooseCpu(List<String> arguments) {
        long wanted = arguments.isEmpty() ? -1 : parse(arguments.getFirst());
        if (wanted < 0 || wanted >= vm.config().cpus()) {
            return "Error: give a CPU from 0 to %d\n".formatted(vm.config().cpus() - 1);
        }
        cpu = (int) wanted;
        return "";
    }

    private String cpus(Inspection inspection) {
        List<CpuState> states = inspection.cpus();
        var text = new StringBuilder();
        for (int i = 0; i < states.size(); i++) {
            CpuState state = states.get(i);
            String activity = state.activity() == Activity.RUNNING
                    ? ""
                    : " (" + state.activity().name().toLowerCase(Locale.ROOT) + ")";
            text.append("%s CPU #%d: pc=0x%016x%s\n"
                    .formatted(i == cpu ? "*" : " ", i, state.general().rip(), activity));
        }
        return text.toString();
    }

    private String registers(List<String> arguments) {
        boolean all = arguments.contains("-a");
        int first = all ? 0 : cpu;
        int last = all ? vm.config().cpus() - 1 : cpu;
        return vm.inspect(inspection -> {
            var text = new StringBuilder();
            for (int i = first; i <= last; i++) {
                text.append(inspection.registers(i));
            }
            return text.toString();
        });
    }

    private static String addressSpaces(Inspection inspection) {
        var text = new StringBuilder("memory\n");
        for (MemorySlot slot : inspection.memory()) {
            range(text, slot.gpa(), slot.end() - 1, (slot.readOnly() ? "rom " : "ram ") + slot.id());
        }
        text.append("memory-mapped registers\n");
        inspection.mmio().forEach(mapping -> range(text, mapping));
        text.append("ports\n");
        inspection.ports().forEach(mapping -> range(text, mapping));
        return text.toString();
    }

    private static void range(StringBuilder text, Bus.Mapping mapping) {
        range(text, mapping.start(), mapping.start() + mapping.length() - 1, mapping.name());
    }

    private static void range(StringBuilder text, long first, long last, String name) {
        text.append("  %016x-%016x: %s\n".formatted(first, last, name));
    }

    private static String pci(Inspection inspection) {
        return inspection.pci().stream()
                .map(f -> "%s %06x: %04x:%04x %s\n"
                        .formatted(f.address(), f.classCode(), f.vendorId(), f.deviceId(), f.name()))
                .collect(Collectors.joining());
    }

    private static String unhandled(Inspection inspection) {
        return "reads without a device: %d of ports, %d of memory-mapped registers\n"
                .formatted(inspection.unhandledPortReads(), inspection.unhandledMmioReads());
    }

    private String dump(List<String> arguments, boolean virtual) {
        var words = new ArrayList<>(arguments);
        String format = !words.isEmpty() && words.getFirst().startsWith("/") ? words.removeFirst() : "/x";
        if (words.size() != 1) {
            return "Error: give an address\n";
        }
        var dump = MemoryDump.parse(format, parse(words.getFirst()), virtual);
        return vm.inspect(inspection -> dump.text(inspection, cpu));
    }

    /// Decimal, or hexadecimal after 0x; unsigned.
    private static long parse(String number) {
        try {
            return number.startsWith("0x") || number.startsWith("0X")
                    ? Long.parseUnsignedLong(number.substring(2), 16)
                    : Long.parseUnsignedLong(number);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("'%s' is no number: write 4096 or 0x1000".formatted(number), e);
        }
    }
}
