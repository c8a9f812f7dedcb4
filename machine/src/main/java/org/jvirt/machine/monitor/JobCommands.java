package org.jvirt.machine.monitor;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.job.BlockJob;
import org.jvirt.images.job.BlockJobs;
import org.jvirt.images.job.JobOptions;
import org.jvirt.images.job.JobStatus;
import org.jvirt.images.job.SyncMode;
import org.jvirt.images.live.LiveDisk;
import org.jvirt.machine.VirtualMachine;

/// The monitor's commands about block jobs, bitmaps and sizes of disks. Not thread-safe.
final class JobCommands {
    private static final int MEGABYTES = 20;

    private final VirtualMachine vm;

    JobCommands(VirtualMachine vm) {
        this.vm = vm;
    }

    /// What stands in a line: flags first.
    private static final class Words {
        private final List<String> words;
        private final String usage;

        Words(List<String> arguments, String usage) {
            words = new ArrayList<>(arguments);
            this.usage = usage;
        }

        boolean flag(String name) {
            return words.remove(name);
        }

        Optional<String> option(String name) {
            int at = words.indexOf(name);
            if (at < 0 || at + 1 >= words.size()) {
                return Optional.empty();
            }
            words.remove(at);
            return Optional.of(words.remove(at));
        }

        String next() {
            if (words.isEmpty()) {
                throw new IllegalArgumentException("give " + usage);
            }
            return words.removeFirst();
        }

        Optional<String> maybe() {
            return words.isEmpty() ? Optional.empty() : Optional.of(words.removeFirst());
        }

        void end() {
            if (!words.isEmpty()) {
                throw new IllegalArgumentException("'%s' is too much: give %s".formatted(words.getFirst(), usage));
            }
        }
    }

    String backup(List<String> arguments) {
        var words = new Words(arguments, "[-n] [-f] [-c] [-b BITMAP] DEVICE TARGET [FORMAT]");
        boolean existing = words.flag("-n");
        boolean full = words.flag("-f");
        boolean compress = words.flag("-c");
        Optional<String> bitmap = words.option("-b");
        LiveDisk disk = vm.disk(words.next());
        BlockJobs.Target target = target(disk, words, existing);
        SyncMode sync = bitmap.isPresent() ? SyncMode.INCREMENTAL : full ? SyncMode.FULL : top(disk);
        vm.blockJobs().backup(disk, target, sync, bitmap, compress, JobOptions.DEFAULT);
        return "";
    }

    String mirror(List<String> arguments) {
        var words = new Words(arguments, "[-n] [-f] DEVICE TARGET [FORMAT]");
        boolean existing = words.flag("-n");
        boolean full = words.flag("-f");
        LiveDisk disk = vm.disk(words.next());
        BlockJobs.Target target = target(disk, words, existing);
        vm.blockJobs().mirror(disk, target, full ? SyncMode.FULL : top(disk), JobOptions.DEFAULT);
        return "";
    }

    /// A disk without layers below is copied as a whole either way.
    private static SyncMode top(LiveDisk disk) {
        return disk.image().flatMap(DiskImage::backing).isPresent() ? SyncMode.TOP : SyncMode.FULL;
    }

    private static BlockJobs.Target target(LiveDisk disk, Words words, boolean existing) {
        Path file = Path.of(words.next());
        ImageFormat format = words.maybe()
                .map(JobCommands::format)
                .orElseGet(() -> disk.image().map(DiskImage::format).orElse(ImageFormat.QCOW2));
        words.end();
        if (!existing && Files.isDirectory(file)) {
            throw new UserErrorException("Cannot make image %s: it is a directory".formatted(file));
        }
        return new BlockJobs.Target(file, format, existing);
    }

    private static ImageFormat format(String name) {
        return ImageFormat.named(name)
                .orElseThrow(() -> new UserErrorException("'%s' is no image format: these are %s"
                        .formatted(name, String.join(", ", ImageFormat.names()))));
    }

    String stream(List<String> arguments) {
        var words = new Words(arguments, "DEVICE [SPEED [BASE]]");
        LiveDisk disk = vm.disk(words.next());
        long speed = words.maybe().map(text -> BlockCommands.size(text, 0)).orElse(0L);
        Optional<Path> base = words.maybe().map(Path::of);
        words.end();
        vm.blockJobs().stream(disk, base, JobOptions.DEFAULT.withSpeed(speed));
        return "";
    }

    String commit(List<String> arguments) {
        var words = new Words(arguments, "DEVICE [TOP [BASE]]");
        LiveDisk disk = vm.disk(words.next());
        Optional<Path> top = words.maybe().map(Path::of);
        Optional<Path> base = words.maybe().map(Path::of);
        words.end();
        vm.blockJobs().commit(disk, top, base, JobOptions.DEFAULT);
        return "";
    }

    String snapshot(List<String> arguments) {
        var words = new Words(arguments, "[-n] DEVICE FILE [FORMAT]");
        boolean existing = words.flag("-n");
        LiveDisk disk = vm.disk(words.next());
        Path file = Path.of(words.next());
        ImageFormat format = words.maybe().map(JobCommands::format).orElse(ImageFormat.QCOW2);
        words.end();
        vm.blockJobs().snapshot(disk, new BlockJobs.Target(file, format, existing));
        return "";
    }

    String resize(List<String> arguments) {
        var words = new Words(arguments, "DEVICE SIZE");
        LiveDisk disk = vm.disk(words.next());
        long size = BlockCommands.size(words.next(), MEGABYTES);
        words.end();
        vm.blockJobs().resize(disk, size);
        return "";
    }

    private BlockJob job(Words words) {
        return vm.blockJobs().find(vm.disk(words.next()));
    }

    String cancel(List<String> arguments) {
        var words = new Words(arguments, "[-f] DEVICE");
        boolean force = words.flag("-f");
        job(words).cancel(force);
        return "";
    }

    String complete(List<String> arguments) {
        job(new Words(arguments, "DEVICE")).complete();
        return "";
    }

    String pause(List<String> arguments) {
        job(new Words(arguments, "DEVICE")).pause();
        return "";
    }

    String resume(List<String> arguments) {
        job(new Words(arguments, "DEVICE")).resume();
        return "";
    }

    String setSpeed(List<String> arguments) {
        var words = new Words(arguments, "DEVICE BYTES_PER_SECOND");
        job(words).setSpeed(BlockCommands.size(words.next(), 0));
        return "";
    }

    String info(List<String> arguments) {
        var text = new StringBuilder();
        for (BlockJob job : vm.blockJobs().list()) {
            JobStatus status = job.status();
            text.append("Type %s, device %s: Completed %d of %d bytes, speed limit %d bytes/s%s%s\n"
                    .formatted(
                            status.type(),
                            status.id(),
                            status.doneBytes(),
                            status.totalBytes(),
                            status.bytesPerSecond(),
                            switch (status.state()) {
                                case RUNNING, CONCLUDED -> "";
                                case READY -> ", ready";
                                case PAUSED -> ", paused";
                            },
                            status.error().map(why -> ": " + why).orElse("")));
        }
        return text.isEmpty() ? "No active jobs\n" : text.toString();
    }

    // ---- bitmaps

    String addBitmap(List<String> arguments) {
        var words = new Words(arguments, "[-p] DEVICE NAME [GRANULARITY]");
        boolean persistent = words.flag("-p");
        LiveDisk disk = vm.disk(words.next());
        String name = words.next();
        long granule = words.maybe().map(text -> BlockCommands.size(text, 0)).orElse(0L);
        words.end();
        vm.blockJobs().addBitmap(disk, name, granule, persistent);
        return "";
    }

    String removeBitmap(List<String> arguments) {
        var words = new Words(arguments, "DEVICE NAME");
        vm.blockJobs().removeBitmap(vm.disk(words.next()), words.next());
        return "";
    }

    String clearBitmap(List<String> arguments) {
        var words = new Words(arguments, "DEVICE NAME");
        vm.blockJobs().clearBitmap(vm.disk(words.next()), words.next());
        return "";
    }

    String bitmaps(List<String> arguments) {
        var text = new StringBuilder();
        for (LiveDisk disk : vm.disks()) {
            for (BlockJobs.BitmapStatus bitmap : vm.blockJobs().listBitmaps(disk)) {
                text.append("%s: %s, granularity %d, %d bytes changed%s%s\n"
                        .formatted(
                                disk.id(),
                                bitmap.name(),
                                bitmap.granuleBytes(),
                                bitmap.dirtyBytes(),
                                bitmap.recording() ? "" : ", disabled",
                                bitmap.persistent() ? ", persistent" : ""));
            }
        }
        return text.isEmpty() ? "No bitmaps\n" : text.toString();
    }
}
