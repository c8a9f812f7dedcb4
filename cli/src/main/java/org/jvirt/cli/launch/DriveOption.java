package org.jvirt.cli.launch;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.nbd.NbdUri;
import org.jvirt.machine.DriveBus;
import org.jvirt.machine.DriveShape;

/// A drive: what is in it, and how the guest sees it.
///
/// @param id     how the monitor names it; empty: by its place
/// @param medium empty only for a CD-ROM drive
public record DriveOption(String id, Optional<DiskOption> medium, boolean cdrom, DriveShape shape) {
    private static final List<String> BUSES = List.of("virtio", "scsi", "sata", "nvme");

    public DriveOption {
        if (medium.isEmpty() && !cdrom) {
            throw new IllegalArgumentException("A disk is more than a drive");
        }
    }

    /// A virtio disk.
    public DriveOption(DiskOption disk) {
        this("", Optional.of(disk), false, DriveShape.DEFAULT);
    }

    /// The medium of a CD-ROM drive, which is only read.
    public static DiskOption disc(DiskOption given) {
        return new DiskOption(given.image(), given.format(), given.cache(), true, false, given.serial(), given.live());
    }

    /// Reads the value of `jvirt run --disk`.
    public static DriveOption parse(String text) {
        if (!text.contains("=") || NbdUri.is(text)) {
            return new DriveOption(DiskOption.parse(text));
        }
        var values = new KeyValues("--disk", "", text);
        String media = values.take("media").orElse("disk");
        if (!media.equals("disk") && !media.equals("cdrom")) {
            throw new UserErrorException("--disk: media=%s is not disk or cdrom.".formatted(media));
        }
        boolean cdrom = media.equals("cdrom");
        DriveBus bus = bus(values.take("if").orElse(cdrom ? "sata" : "virtio"));
        int block = values.takeNumber("block", 512);
        DriveShape shape = DriveShape.on(bus)
                .withUnit(number(values, "unit"), values.takeNumber("lun", 0))
                .withQueues(number(values, "queues"))
                .withBlocks(block, values.takeNumber("physical-block", block));
        DiskOption disk = DiskOption.of(values);
        return new DriveOption(disk.live().id(), Optional.of(cdrom ? disc(disk) : disk), cdrom, shape);
    }

    /// Reads the IMAGE of `jvirt run`: a name, or the value of `--disk`.
    public static DriveOption first(String text) {
        return text.startsWith("file=") ? parse(text) : new DriveOption(DiskOption.named(text));
    }

    /// Reads the value of `jvirt run --cdrom`.
    public static DriveOption cdrom(String file) {
        DiskOption disk = DiskOption.parse(file);
        return new DriveOption("", Optional.of(disc(disk)), true, DriveShape.on(DriveBus.SATA));
    }

    private static DriveBus bus(String name) {
        if (!BUSES.contains(name)) {
            throw new UserErrorException(
                    "--disk: if=%s is not supported; these are: %s.".formatted(name, String.join(", ", BUSES)));
        }
        return DriveBus.valueOf(name.toUpperCase(Locale.ROOT));
    }

    private static OptionalInt number(KeyValues values, String key) {
        int value = values.takeNumber(key, -1);
        return value < 0 ? OptionalInt.empty() : OptionalInt.of(value);
    }
}
