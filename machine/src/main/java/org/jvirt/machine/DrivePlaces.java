package org.jvirt.machine;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jvirt.core.UserErrorException;

/// Where each drive of a machine is plugged in: the units given, then the first free ones, in order.
///
/// ```
/// device 3         virtio's SCSI controller, if there is a SCSI drive
/// device 8 … 23    virtio and NVMe disks, in order
/// device 31.2      AHCI, if there is a SATA drive
/// ```
final class DrivePlaces {
    static final int SCSI_SLOT = 3;
    static final int FIRST_DISK_SLOT = 8;
    private static final String PCI = "/pci@i0cf8/";

    private final List<Place> disks = new ArrayList<>();
    private final List<Place> cdroms = new ArrayList<>();
    private final BitSet sataPorts = new BitSet();
    private final BitSet scsiTargets = new BitSet();
    private final Set<Integer> scsiUnits = new HashSet<>();
    private final Set<String> names = new HashSet<>();
    private int slots;
    private int nvmes;
    private int virtios;

    /// @param name   how the monitor calls the drive
    /// @param number the PCI device of virtio and NVMe, the port of SATA, the target of SCSI
    /// @param lun    of SCSI
    record Place(String name, DriveBus bus, int number, int lun) {
        /// The Open Firmware path by which SeaBIOS and OVMF know it.
        String firmwarePath() {
            return switch (bus) {
                case VIRTIO -> PCI + "scsi@%x/disk@0,0".formatted(number);
                case NVME -> PCI + "pci1b36,10@%x/namespace@1,0".formatted(number);
                case SATA -> PCI + "pci8086,2922@1f,2/drive@%x/disk@0".formatted(number);
                case SCSI -> PCI + "scsi@%x/channel@0/disk@%x,%x".formatted(SCSI_SLOT, number, lun);
            };
        }
    }

    DrivePlaces(List<VmConfig.Disk> disks, List<VmConfig.Cdrom> cdroms) {
        disks.forEach(disk -> reserve(disk.shape()));
        cdroms.forEach(cdrom -> reserve(cdrom.shape()));
        disks.forEach(disk -> this.disks.add(place(disk.live().id(), disk.shape(), "hd")));
        cdroms.forEach(cdrom -> this.cdroms.add(place(cdrom.id(), cdrom.shape(), "cd")));
        if (slots > VmConfig.MAXIMUM_DISKS) {
            throw new UserErrorException("A machine takes %d virtio and NVMe disks, not %d: put some on scsi"
                    .formatted(VmConfig.MAXIMUM_DISKS, slots));
        }
    }

    private void reserve(DriveShape shape) {
        if (shape.unit().isEmpty()) {
            return;
        }
        int unit = shape.unit().getAsInt();
        boolean taken = switch (shape.bus()) {
            case SATA -> sataPorts.get(unit);
            case SCSI -> !scsiUnits.add(unit << 8 | shape.lun());
            case VIRTIO, NVME -> false;
        };
        if (taken) {
            throw new UserErrorException("Two drives want unit %d of %s: give them different ones"
                    .formatted(unit, shape.bus().name().toLowerCase(Locale.ROOT)));
        }
        switch (shape.bus()) {
            case SATA -> sataPorts.set(unit);
            case SCSI -> scsiTargets.set(unit);
            case VIRTIO, NVME -> {}
        }
    }

    private Place place(String id, DriveShape shape, String kind) {
        int number = switch (shape.bus()) {
            case VIRTIO, NVME -> FIRST_DISK_SLOT + slots++;
            case SATA -> shape.unit().orElseGet(() -> take(sataPorts, DriveShape.SATA_PORTS, "SATA drives"));
            case SCSI -> shape.unit().orElseGet(() -> take(scsiTargets, DriveShape.SCSI_TARGETS, "SCSI drives"));
        };
        String usual = switch (shape.bus()) {
            case VIRTIO -> "virtio" + virtios++;
            case NVME -> "nvme" + nvmes++;
            case SATA -> "ide%d-%s0".formatted(number, kind);
            case SCSI -> "scsi0-%s%d".formatted(kind, number) + (shape.lun() == 0 ? "" : "-" + shape.lun());
        };
        String name = id.isEmpty() ? usual : id;
        if (!names.add(name)) {
            throw new UserErrorException("Two drives are named %s: give them different ids".formatted(name));
        }
        return new Place(name, shape.bus(), number, shape.lun());
    }

    private static int take(BitSet taken, int limit, String what) {
        int free = taken.nextClearBit(0);
        if (free >= limit) {
            throw new UserErrorException("A machine takes %d %s: leave some out".formatted(limit, what));
        }
        taken.set(free);
        return free;
    }

    Place disk(int index) {
        return disks.get(index);
    }

    Place cdrom(int index) {
        return cdroms.get(index);
    }

    /// A line for each drive.
    String bootOrder() {
        return Stream.concat(disks.stream(), cdroms.stream())
                .map(place -> place.firmwarePath() + "\n")
                .collect(Collectors.joining());
    }
}
