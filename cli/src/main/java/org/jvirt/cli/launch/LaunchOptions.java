package org.jvirt.cli.launch;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jvirt.core.TranslatorSettings;
import org.jvirt.machine.InterruptHome;
import org.jvirt.machine.VmConfig.TestDevice;
import org.jvirt.machine.host.HostSettings;

/// All that a user can ask of a new virtual machine. A front end fills it in the order of the words on the command
/// line, where a later word replaces an earlier one; [Launcher] reads it. Not thread-safe.
public final class LaunchOptions {
    /// Which clock the guest's real-time clock shows.
    public enum RtcBase {
        UTC,
        LOCALTIME
    }

    private final List<SerialTarget> serials = new ArrayList<>();
    private final List<SerialTarget> virtioConsoles = new ArrayList<>();
    private final List<DriveOption> drives = new ArrayList<>();
    private final List<TestDevice> testDevices = new ArrayList<>();
    private String name = "jvirt";
    private String engine = "auto";
    private String cpu = "x86-64-v2";
    private int cpus = 1;
    private long memoryBytes = 128L << 20;
    private Optional<Path> kernel = Optional.empty();
    private Optional<Path> initrd = Optional.empty();
    private Optional<Path> bios = Optional.empty();
    private String append = "";
    private int rngs;
    private RtcBase rtc = RtcBase.UTC;
    private Optional<Path> log = Optional.empty();
    private boolean monitorOnStdio;
    private boolean reboot = true;
    private boolean endOnPowerOff = true;
    private boolean startPaused;
    private boolean snapshot;
    private HostObjects objects = HostObjects.none();
    private HostSettings host = HostSettings.DEFAULT;
    private InterruptHome interrupts = InterruptHome.ENGINE;
    private TranslatorSettings translator = TranslatorSettings.DEFAULT;

    public String name() {
        return name;
    }

    public void name(String newName) {
        name = newName;
    }

    /// One of `auto`, `kvm`, `soft`, `interpreter`.
    public String engine() {
        return engine;
    }

    public void engine(String newEngine) {
        engine = newEngine;
    }

    /// A CPU model with `,+feature` and `,-feature`.
    public String cpu() {
        return cpu;
    }

    public void cpu(String newCpu) {
        cpu = newCpu;
    }

    public int cpus() {
        return cpus;
    }

    public void cpus(int newCpus) {
        cpus = newCpus;
    }

    public long memoryBytes() {
        return memoryBytes;
    }

    public void memoryBytes(long newMemoryBytes) {
        memoryBytes = newMemoryBytes;
    }

    public Optional<Path> kernel() {
        return kernel;
    }

    public void kernel(Path newKernel) {
        kernel = Optional.of(newKernel);
    }

    public Optional<Path> initrd() {
        return initrd;
    }

    public void initrd(Path newInitrd) {
        initrd = Optional.of(newInitrd);
    }

    public Optional<Path> bios() {
        return bios;
    }

    public void bios(Path newBios) {
        bios = Optional.of(newBios);
    }

    /// The kernel's command line.
    public String append() {
        return append;
    }

    public void append(String newAppend) {
        append = newAppend;
    }

    public List<TestDevice> testDevices() {
        return List.copyOf(testDevices);
    }

    public void addTestDevice(TestDevice device) {
        testDevices.add(device);
    }

    public RtcBase rtc() {
        return rtc;
    }

    public void rtc(RtcBase newRtc) {
        rtc = newRtc;
    }

    public Optional<Path> log() {
        return log;
    }

    public void log(Path newLog) {
        log = Optional.of(newLog);
    }

    /// Whether standard input and output are the monitor's, not a serial line's.
    public boolean monitorOnStdio() {
        return monitorOnStdio;
    }

    public void monitorOnStdio(boolean newMonitorOnStdio) {
        monitorOnStdio = newMonitorOnStdio;
    }

    /// Whether a reset starts the guest again; otherwise it ends the program.
    public boolean reboot() {
        return reboot;
    }

    public void reboot(boolean newReboot) {
        reboot = newReboot;
    }

    /// Whether the program ends when the guest powers off; otherwise it waits, paused, for the monitor.
    public boolean endOnPowerOff() {
        return endOnPowerOff;
    }

    public void endOnPowerOff(boolean newEndOnPowerOff) {
        endOnPowerOff = newEndOnPowerOff;
    }

    public boolean startPaused() {
        return startPaused;
    }

    public void startPaused(boolean newStartPaused) {
        startPaused = newStartPaused;
    }

    /// Whether all writes to disks go to memory only.
    public boolean snapshot() {
        return snapshot;
    }

    public void snapshot(boolean newSnapshot) {
        snapshot = newSnapshot;
    }

    /// Keys and certificates of the disks.
    public HostObjects objects() {
        return objects;
    }

    public void objects(HostObjects newObjects) {
        objects = newObjects;
    }

    /// What the host gives the machine.
    public HostSettings host() {
        return host;
    }

    public void host(HostSettings newHost) {
        host = newHost;
    }

    /// Who has the interrupt controllers.
    public InterruptHome interrupts() {
        return interrupts;
    }

    public void interrupts(InterruptHome newInterrupts) {
        interrupts = newInterrupts;
    }

    /// How an engine that translates works.
    public TranslatorSettings translator() {
        return translator;
    }

    public void translator(TranslatorSettings newTranslator) {
        translator = newTranslator;
    }

    public List<SerialTarget> serials() {
        return List.copyOf(serials);
    }

    public void addSerial(SerialTarget target) {
        serials.add(target);
    }

    public List<SerialTarget> virtioConsoles() {
        return List.copyOf(virtioConsoles);
    }

    public void addVirtioConsole(SerialTarget target) {
        virtioConsoles.add(target);
    }

    /// In the order in which they are to be booted from, disks before CD-ROM drives.
    public List<DriveOption> drives() {
        return List.copyOf(drives);
    }

    public void addDrive(DriveOption drive) {
        drives.add(drive);
    }

    /// The images of the disks.
    public List<DiskOption> disks() {
        return drives.stream()
                .filter(drive -> !drive.cdrom())
                .flatMap(drive -> drive.medium().stream())
                .toList();
    }

    public int rngs() {
        return rngs;
    }

    public void addRng() {
        rngs++;
    }
}
