package org.jvirt.machine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.EntropySource;
import org.jvirt.core.GuestMemory;
import org.jvirt.core.Vm;
import org.jvirt.devices.ahci.AhciController;
import org.jvirt.devices.ahci.AtaDevice;
import org.jvirt.devices.ahci.AtaDisk;
import org.jvirt.devices.ahci.AtapiDrive;
import org.jvirt.devices.fwcfg.FwCfg;
import org.jvirt.devices.nvme.NvmeController;
import org.jvirt.devices.pci.PciAddress;
import org.jvirt.devices.pci.PciFunction;
import org.jvirt.devices.scsi.CdromUnit;
import org.jvirt.devices.scsi.DiskUnit;
import org.jvirt.devices.scsi.LogicalUnit;
import org.jvirt.devices.scsi.UnitIdentity;
import org.jvirt.devices.storage.Tray;
import org.jvirt.devices.virtio.VirtioDevice;
import org.jvirt.devices.virtio.VirtioPci;
import org.jvirt.devices.virtio.block.BlockOptions;
import org.jvirt.devices.virtio.block.VirtioBlock;
import org.jvirt.devices.virtio.console.PortSpec;
import org.jvirt.devices.virtio.console.VirtioConsole;
import org.jvirt.devices.virtio.rng.VirtioRng;
import org.jvirt.devices.virtio.scsi.VirtioScsi;
import org.jvirt.devices.virtio.scsi.VirtioScsi.UnitAddress;
import org.jvirt.devices.work.QueueRunner;
import org.jvirt.devices.work.WorkingFunction;
import org.jvirt.images.live.LiveDisk;
import org.jvirt.machine.host.HostPlacement;
import org.jvirt.machine.layout.MemoryMap;

/// What is plugged into the board: fw_cfg, the virtio functions and the drives, whose places [DrivePlaces] tells.
///
/// ```
/// device 1 rng      2 consoles      3 SCSI      8 disk 0 …      24 pci-testdev
/// ```
final class PcDevices implements AutoCloseable {
    private static final int RNG_SLOT = 1;
    private static final int CONSOLE_SLOT = 2;
    /// Function 2 of the chipset's device.
    private static final PciAddress AHCI = PciAddress.of(31, 2);

    private final PcBoard board;
    private final GuestMemory memory;
    private final QueueRunner.Factory runners;
    private final List<WorkingFunction> functions = new ArrayList<>();
    private final List<PausableDevice> pausable = new ArrayList<>();
    private final Map<String, Tray> trays = new LinkedHashMap<>();
    private final Map<UnitAddress, LogicalUnit> scsiUnits = new HashMap<>();
    private final List<LiveDisk> scsiDisks = new ArrayList<>();
    private final List<DiscDrive> scsiDrives = new ArrayList<>();
    private final @Nullable AtaDevice[] sataDevices = new AtaDevice[AhciController.PORTS];
    private final List<LiveDisk> sataDisks = new ArrayList<>();
    private final List<DiscDrive> sataDrives = new ArrayList<>();
    private final FwCfg fwCfg;

    PcDevices(
            VmConfig config,
            MemoryMap map,
            PcBoard board,
            FirmwareTables tables,
            GuestMemory memory,
            Vm vm,
            HostPlacement placement,
            EntropySource entropy,
            MachineDisks disks) {
        this.board = board;
        this.memory = memory;
        runners = QueueRunner.threads(config.name(), vm::doorbell, placement::enterIo);
        fwCfg = FirmwareConfiguration.of(config, map, tables, memory);
        board.ports().map("fw-cfg", FwCfg.PORT, FwCfg.BYTES, fwCfg);
        if (config.rng()) {
            plug(RNG_SLOT, "rng0", new VirtioRng(entropy), List::of);
        }
        if (!config.consoles().isEmpty()) {
            List<PortSpec> ports = config.consoles().stream()
                    .map(backend -> new PortSpec("", true, backend))
                    .toList();
            plug(CONSOLE_SLOT, "console0", new VirtioConsole(ports), List::of);
        }
        var places = new DrivePlaces(config.disks(), config.cdroms());
        for (int i = 0; i < config.disks().size(); i++) {
            plugDisk(config, config.disks().get(i), disks.all().get(i), places.disk(i));
        }
        for (int i = 0; i < config.cdroms().size(); i++) {
            plugCdrom(disks.drives().get(i), places.cdrom(i));
        }
        if (!scsiUnits.isEmpty()) {
            int queues = Math.min(config.cpus(), BlockOptions.MAX_QUEUES);
            plug(
                    DrivePlaces.SCSI_SLOT,
                    "scsi0",
                    new VirtioScsi(scsiUnits, queues),
                    () -> behind(scsiDisks, scsiDrives));
        }
        if (Arrays.stream(sataDevices).anyMatch(Objects::nonNull)) {
            plug(AHCI, new AhciController("ahci0", sataDevices, memory, runners), () -> behind(sataDisks, sataDrives));
        }
    }

    private void plugDisk(VmConfig config, VmConfig.Disk disk, LiveDisk live, DrivePlaces.Place place) {
        switch (place.bus()) {
            case VIRTIO -> {
                var device = new VirtioBlock(live, blockOptions(config, disk));
                plug(
                        place.number(),
                        "blk" + (place.number() - DrivePlaces.FIRST_DISK_SLOT),
                        device,
                        () -> List.of(live));
                live.onResize(device::resized);
            }
            case SATA -> {
                var device = new AtaDisk(live, disk.serial(), disk.shape().physicalBlockBytes());
                sataDevices[place.number()] = device;
                sataDisks.add(live);
                live.onResize(device::resized);
            }
            case NVME -> {
                DriveShape shape = disk.shape();
                var function = new NvmeController(
                        "nvme" + (place.number() - DrivePlaces.FIRST_DISK_SLOT),
                        live,
                        disk.serial(),
                        shape.queues().orElse(Math.min(config.cpus(), NvmeController.MAX_QUEUES)),
                        shape.blockBytes(),
                        shape.physicalBlockBytes(),
                        memory,
                        runners);
                plug(PciAddress.of(place.number(), 0), function, () -> List.of(live));
                live.onResize(function::resized);
            }
            case SCSI -> {
                var unit = new DiskUnit(
                        live,
                        new UnitIdentity(place.name(), "JVIRT HARDDISK", disk.serial()),
                        disk.shape().blockBytes(),
                        disk.shape().physicalBlockBytes());
                scsiUnits.put(new UnitAddress(place.number(), place.lun()), unit);
                scsiDisks.add(live);
                live.onResize(unit::resized);
            }
        }
    }

    /// The disks, and the discs that are in the drives now.
    private static List<LiveDisk> behind(List<LiveDisk> disks, List<DiscDrive> drives) {
        return Stream.concat(disks.stream(), drives.stream().flatMap(drive -> drive.disc().stream()))
                .toList();
    }

    private void plugCdrom(DiscDrive drive, DrivePlaces.Place place) {
        var unit = new CdromUnit(drive.tray(), new UnitIdentity(place.name(), "JVIRT CD-ROM", ""));
        switch (place.bus()) {
            case SATA -> {
                sataDevices[place.number()] = new AtapiDrive(unit, "");
                sataDrives.add(drive);
            }
            case SCSI -> {
                scsiUnits.put(new UnitAddress(place.number(), place.lun()), unit);
                scsiDrives.add(drive);
            }
            case VIRTIO, NVME -> throw new IllegalStateException("There is no CD-ROM drive for " + place);
        }
        trays.put(place.name(), drive.tray());
    }

    private static BlockOptions blockOptions(VmConfig config, VmConfig.Disk disk) {
        DriveShape shape = disk.shape();
        return new BlockOptions(
                disk.serial(),
                shape.queues().orElse(Math.min(config.cpus(), BlockOptions.MAX_QUEUES)),
                BlockOptions.DEFAULT.queueSize(),
                shape.blockBytes(),
                shape.physicalBlockBytes());
    }

    private void plug(int slot, String name, VirtioDevice<?> device, Supplier<List<LiveDisk>> behind) {
        plug(PciAddress.of(slot, 0), new VirtioPci(name, device, memory, runners), behind);
    }

    private <F extends PciFunction & WorkingFunction> void plug(
            PciAddress at, F function, Supplier<List<LiveDisk>> behind) {
        board.pci().add(at, function);
        functions.add(function);
        pausable.add(new PausableDevice(function.name(), function::pause, function::resume, behind));
    }

    /// The trays of CD-ROM drives by the monitor's names, in order. Any thread.
    Map<String, Tray> trays() {
        return Collections.unmodifiableMap(trays);
    }

    /// Stops serving queues, after the requests under way but those that disks hold: guest memory then stays as it
    /// is. No vCPU runs.
    void pause() {
        pausable.forEach(PausableDevice::pause);
    }

    void resume() {
        pausable.forEach(PausableDevice::resume);
    }

    /// No vCPU runs. The PCI functions are reset with their host.
    void reset() {
        fwCfg.reset();
    }

    /// Ends all requests under way; may be called twice.
    @Override
    public void close() {
        functions.forEach(WorkingFunction::close);
        functions.clear();
    }
}
