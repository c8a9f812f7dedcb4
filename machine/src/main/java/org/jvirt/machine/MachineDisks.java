package org.jvirt.machine;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jvirt.core.UserErrorException;
import org.jvirt.core.VmClock;
import org.jvirt.images.live.LiveDisk;
import org.jvirt.images.live.LiveSettings;
import org.jvirt.images.live.Throttle;

/// The disks of a machine, each behind a [LiveDisk], and its CD-ROM drives. Thread-safe.
final class MachineDisks implements AutoCloseable {
    private final List<LiveDisk> disks;
    private final List<DiscDrive> drives;

    MachineDisks(
            List<VmConfig.Disk> configured,
            List<VmConfig.Cdrom> cdroms,
            DrivePlaces places,
            VmClock clock,
            LiveDisk.StopRequest stopRequest) {
        Map<String, Throttle> groups = new HashMap<>();
        List<LiveDisk> all = new ArrayList<>();
        for (int i = 0; i < configured.size(); i++) {
            VmConfig.Disk disk = configured.get(i);
            LiveSettings given = disk.live();
            LiveSettings settings =
                    given.id().isEmpty() ? given.withId(places.disk(i).name()) : given;
            if (all.stream().anyMatch(other -> other.id().equals(settings.id()))) {
                throw new UserErrorException("Two disks are called %s: give another id".formatted(settings.id()));
            }
            all.add(new LiveDisk(disk.backend(), settings, throttle(settings, groups, clock), stopRequest));
        }
        disks = List.copyOf(all);
        List<DiscDrive> withTrays = new ArrayList<>();
        for (int i = 0; i < cdroms.size(); i++) {
            VmConfig.Cdrom cdrom = cdroms.get(i);
            LiveSettings settings = cdrom.live().withId(places.cdrom(i).name());
            withTrays.add(new DiscDrive(cdrom.tray(), settings, throttle(settings, groups, clock), stopRequest));
        }
        drives = List.copyOf(withTrays);
    }

    private static Throttle throttle(LiveSettings settings, Map<String, Throttle> groups, VmClock clock) {
        return settings.group()
                .map(name -> groups.computeIfAbsent(name, _ -> new Throttle(settings.limits(), clock)))
                .orElseGet(() -> new Throttle(settings.limits(), clock));
    }

    List<LiveDisk> all() {
        return disks;
    }

    /// The CD-ROM drives, in the order in which they were given.
    List<DiscDrive> drives() {
        return drives;
    }

    private List<LiveDisk> discs() {
        return drives.stream().flatMap(drive -> drive.disc().stream()).toList();
    }

    Optional<LiveDisk> find(String id) {
        return disks.stream().filter(disk -> disk.id().equals(id)).findFirst();
    }

    /// The machine is about to stop.
    void hurry() {
        disks.forEach(LiveDisk::hurry);
        discs().forEach(LiveDisk::hurry);
    }

    /// The machine goes on.
    void release() {
        disks.forEach(LiveDisk::release);
        discs().forEach(LiveDisk::release);
    }

    /// While on, requests that fail are not held for the machine to go on.
    void giveUp(boolean on) {
        disks.forEach(disk -> disk.giveUp(on));
        drives.forEach(drive -> drive.giveUp(on));
    }

    /// Closes the images that are below the disks now. What was below at first is closed by whoever replaced it;
    /// discs belong to their trays.
    @Override
    public void close() {
        var cleanup = new Cleanup();
        disks.forEach(disk -> cleanup.add(disk));
        cleanup.run();
    }
}
