package org.jvirt.machine;

import java.util.ArrayList;
import java.util.List;
import org.jvirt.core.EntropySource;
import org.jvirt.core.GuestMemory;
import org.jvirt.core.Vm;
import org.jvirt.devices.fwcfg.FwCfg;
import org.jvirt.devices.pci.PciAddress;
import org.jvirt.devices.virtio.QueueRunner;
import org.jvirt.devices.virtio.VirtioDevice;
import org.jvirt.devices.virtio.VirtioPci;
import org.jvirt.devices.virtio.block.BlockOptions;
import org.jvirt.devices.virtio.block.VirtioBlock;
import org.jvirt.devices.virtio.console.PortSpec;
import org.jvirt.devices.virtio.console.VirtioConsole;
import org.jvirt.devices.virtio.rng.VirtioRng;
import org.jvirt.images.live.LiveDisk;
import org.jvirt.machine.host.HostPlacement;
import org.jvirt.machine.layout.MemoryMap;

/// What is plugged into the board: fw_cfg and the virtio functions.
///
/// ```
/// device 1 rng      2 consoles      8 disk 0 …      24 pci-testdev
/// ```
final class PcDevices implements AutoCloseable {
    static final int FIRST_DISK_SLOT = 8;
    private static final int RNG_SLOT = 1;
    private static final int CONSOLE_SLOT = 2;

    private final PcBoard board;
    private final GuestMemory memory;
    private final QueueRunner.Factory runners;
    private final List<VirtioPci> functions = new ArrayList<>();
    private final List<PausableDevice> pausable = new ArrayList<>();
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
            plug(RNG_SLOT, "rng0", new VirtioRng(entropy));
        }
        if (!config.consoles().isEmpty()) {
            List<PortSpec> ports = config.consoles().stream()
                    .map(backend -> new PortSpec("", true, backend))
                    .toList();
            plug(CONSOLE_SLOT, "console0", new VirtioConsole(ports));
        }
        for (int i = 0; i < config.disks().size(); i++) {
            LiveDisk live = disks.all().get(i);
            var device = new VirtioBlock(live, options(config.disks().get(i)));
            plug(FIRST_DISK_SLOT + i, "blk" + i, device, live);
        }
    }

    private static BlockOptions options(VmConfig.Disk disk) {
        BlockOptions usual = BlockOptions.DEFAULT;
        return new BlockOptions(disk.serial(), usual.queues(), usual.queueSize(), usual.blockSizeBytes());
    }

    private void plug(int slot, String name, VirtioDevice<?> device, LiveDisk... disks) {
        var function = new VirtioPci(name, device, memory, runners);
        board.pci().add(PciAddress.of(slot, 0), function);
        functions.add(function);
        pausable.add(new PausableDevice(name, function::pause, function::resume, List.of(disks)));
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
        functions.forEach(VirtioPci::close);
        functions.clear();
    }
}
