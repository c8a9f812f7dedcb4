package org.jvirt.machine;

import java.util.OptionalInt;
import org.jvirt.core.UserErrorException;
import org.jvirt.devices.virtio.block.BlockOptions;

/// How a guest sees a drive.
///
/// @param unit               the port of SATA, the target of SCSI; the first free one where it is empty
/// @param lun                the logical unit of a SCSI target
/// @param queues             of virtio and NVMe; as many as processors where it is empty
/// @param blockBytes         a logical block: 512 or 4096
/// @param physicalBlockBytes what is written at once: a power of two, at least a block
public record DriveShape(
        DriveBus bus, OptionalInt unit, int lun, OptionalInt queues, int blockBytes, int physicalBlockBytes) {
    public static final int SATA_PORTS = 6;
    public static final int SCSI_TARGETS = 256;
    public static final int SCSI_LUNS = 256;
    /// A virtio disk with blocks of 512 bytes.
    public static final DriveShape DEFAULT = on(DriveBus.VIRTIO);

    public DriveShape {
        int units = switch (bus) {
            case SATA -> SATA_PORTS;
            case SCSI -> SCSI_TARGETS;
            case VIRTIO, NVME -> 1;
        };
        if (unit.isPresent() && (unit.getAsInt() < 0 || unit.getAsInt() >= units)) {
            throw new UserErrorException(
                    "There is no unit %d on %s: give 0 to %d".formatted(unit.getAsInt(), bus, units - 1));
        }
        if (lun < 0 || lun >= SCSI_LUNS || lun > 0 && bus != DriveBus.SCSI) {
            throw new UserErrorException("There is no logical unit %d on %s: leave it out".formatted(lun, bus));
        }
        if (bus == DriveBus.SATA && blockBytes != 512) {
            throw new UserErrorException(
                    "A SATA drive has blocks of 512 bytes, not %d: leave it out, or take another bus"
                            .formatted(blockBytes));
        }
        // Checks the rest.
        var _ = new BlockOptions("", queues.orElse(1), 256, blockBytes, physicalBlockBytes);
    }

    /// The usual drive on a bus.
    public static DriveShape on(DriveBus bus) {
        return new DriveShape(bus, OptionalInt.empty(), 0, OptionalInt.empty(), 512, 512);
    }

    public DriveShape withUnit(OptionalInt newUnit, int newLun) {
        return new DriveShape(bus, newUnit, newLun, queues, blockBytes, physicalBlockBytes);
    }

    public DriveShape withQueues(OptionalInt newQueues) {
        return new DriveShape(bus, unit, lun, newQueues, blockBytes, physicalBlockBytes);
    }

    public DriveShape withBlocks(int newBlockBytes, int newPhysicalBlockBytes) {
        return new DriveShape(bus, unit, lun, queues, newBlockBytes, newPhysicalBlockBytes);
    }
}
