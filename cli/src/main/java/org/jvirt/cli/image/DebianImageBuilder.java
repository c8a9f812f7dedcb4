package org.jvirt.cli.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.jvirt.cli.debian.DebianGuest;
import org.jvirt.cli.debian.FileTree;
import org.jvirt.core.HostFailureException;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.DiskImages;
import org.jvirt.images.ImageAccess;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.tool.CopyOptions;
import org.jvirt.images.tool.CopySource;
import org.jvirt.images.tool.ImageCopy;
import org.jvirt.images.tool.Progress;
import org.jvirt.machine.Engines;
import org.jvirt.machine.ExitReason;
import org.jvirt.machine.VirtualMachine;

/// Makes a bootable disk of Debian in a machine of its own. Not thread-safe.
///
/// The image gets its name when it is complete; until then, and whatever fails, nothing is there.
public final class DebianImageBuilder {
    private static final int MEMORY_MIB = 1024;
    private static final int SECTOR_BYTES = 512;
    /// The shortest run of zeroes that becomes a hole.
    private static final int SPARSE_BYTES = 4096;

    /// Where the only partition begins: aligned to 1 MiB, which leaves GRUB its place behind the boot sector.
    private static final int PARTITION_SECTOR = 2048;

    private final DebianImageRecipe recipe;
    private final Consumer<String> progress;

    /// @param progress told what is being done, a line each
    public DebianImageBuilder(DebianImageRecipe recipe, Consumer<String> progress) {
        this.recipe = recipe;
        this.progress = progress;
    }

    /// Builds the image as raw. An existing file is replaced.
    public void build() {
        build(ImageFormat.RAW);
    }

    /// Builds the image. An existing file is replaced.
    ///
    /// @param format that needs nothing but a size
    public void build(ImageFormat format) {
        Path output = recipe.output().toAbsolutePath();
        Path directory = output.getParent();
        if (directory == null || !Files.isDirectory(directory)) {
            throw new UserErrorException("Cannot write %s: there is no such directory".formatted(output));
        }
        if (Files.exists(output) && !Files.isRegularFile(output)) {
            throw new UserErrorException("Cannot write %s: it exists and is no file".formatted(output));
        }
        @Nullable Thread cleaner = null;
        try {
            Path work = Files.createTempDirectory(directory, "." + output.getFileName() + ".");
            cleaner = new Thread(() -> deleteQuietly(work), "image-cleaner");
            Runtime.getRuntime().addShutdownHook(cleaner);
            try {
                Path disk = inFormat(build(work), format);
                Files.move(disk, output, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } finally {
                FileTree.delete(work);
            }
        } catch (IOException e) {
            throw new HostFailureException("Cannot build %s: %s".formatted(output, e), e);
        } finally {
            forget(cleaner);
        }
    }

    private Path build(Path work) throws IOException {
        Path cache = Files.createDirectories(DebianGuest.cacheDirectory().resolve("packages-" + recipe.suite()));
        var apt = new AptSelection(recipe.suite(), cache, progress);
        List<PackageFile> packages = apt.download(recipe.wanted());
        DebianGuest guest = DebianGuest.of(DebianGuest.Flavour.CLOUD, progress);
        progress.accept("Unpacking %d packages".formatted(packages.size()));
        Path disc = work.resolve("packages.iso");
        List<PackageDisc.Entry> entries = PackageDisc.write(disc, packages);
        Path initrd = work.resolve("initrd");
        BuilderInitrd.write(initrd, guest.initrd(), recipe, apt.sources(), entries);
        Path disk = work.resolve("disk");
        partition(disk);
        progress.accept("Starting the machine that installs them");
        install(guest.kernel(), initrd, disk, disc, packages.size());
        return disk;
    }

    /// The same disk in another file of that format; the raw one goes.
    static Path inFormat(Path raw, ImageFormat format) throws IOException {
        if (format == ImageFormat.RAW) {
            return raw;
        }
        Path image = raw.resolveSibling(raw.getFileName() + "." + format.formatName());
        try (DiskImage from = DiskImages.open(raw, ImageFormat.RAW, true)) {
            new ImageAccess().create(format, image.toString(), from.sizeBytes(), Map.of());
            try (DiskImage to = DiskImages.open(image, format, false)) {
                int threads = Runtime.getRuntime().availableProcessors();
                var options = new CopyOptions(false, SPARSE_BYTES, true, false, threads, false, false, 0);
                var _ = new ImageCopy(CopySource.of(List.of(from)), to, options).run(Progress.NONE);
                to.flush();
            }
        }
        Files.delete(raw);
        return image;
    }

    private void install(Path kernel, Path initrd, Path disk, Path disc, int packages) throws IOException {
        var console = new BuildConsole(packages, progress);
        ExitReason reason;
        try (var target = DiskImages.open(disk, ImageFormat.RAW, false);
                var source = DiskImages.open(disc, ImageFormat.RAW, true);
                VirtualMachine vm = VirtualMachine.builder()
                        .name("image-build")
                        .engine(Engines.named(recipe.engine()))
                        .memory(MEMORY_MIB)
                        .kernel(kernel)
                        .initrd(initrd)
                        .append("console=ttyS0 quiet panic=-1")
                        .serial(console)
                        .disk(target)
                        .disk(source)
                        .rng()
                        .reboot(false)
                        .build()) {
            vm.start();
            reason = vm.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new HostFailureException("Interrupted while the image was built", e);
        }
        console.failure().ifPresent(words -> {
            throw new HostFailureException(
                    "The machine that builds the image failed (%s). It wrote last:%n%s".formatted(reason, words));
        });
        if (!(reason instanceof ExitReason.PoweredOff)) {
            throw new HostFailureException("The machine that builds the image ended too early: " + reason);
        }
    }

    /// An empty disk with one active Linux partition: a master boot record as the PC's firmware knows it.
    private void partition(Path disk) throws IOException {
        ByteBuffer sector = ByteBuffer.allocate(SECTOR_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        sector.putInt(440, new SecureRandom().nextInt());
        sector.put(446, (byte) 0x80);
        int cylinderHeadSectorUnused = 0xffff_fe;
        sector.putInt(447, cylinderHeadSectorUnused);
        sector.putInt(450, 0x83 | cylinderHeadSectorUnused << 8);
        sector.putInt(454, PARTITION_SECTOR);
        sector.putInt(458, (int) (recipe.sizeBytes() / SECTOR_BYTES - PARTITION_SECTOR));
        sector.putShort(510, (short) 0xaa55);
        try (var channel = FileChannel.open(
                disk, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, StandardOpenOption.SPARSE)) {
            writeFully(channel, sector.rewind(), 0);
            writeFully(channel, ByteBuffer.allocate(1), recipe.sizeBytes() - 1);
        }
    }

    private static void writeFully(FileChannel channel, ByteBuffer bytes, long position) throws IOException {
        long at = position;
        while (bytes.hasRemaining()) {
            at += channel.write(bytes, at);
        }
    }

    private static void forget(@Nullable Thread cleaner) {
        if (cleaner != null) {
            try {
                Runtime.getRuntime().removeShutdownHook(cleaner);
            } catch (IllegalStateException e) {
                // The program is ending, and the cleaner at work.
            }
        }
    }

    private static void deleteQuietly(Path directory) {
        try {
            FileTree.delete(directory);
        } catch (IOException e) {
            System.err.println("jvirt: cannot remove %s: %s".formatted(directory, e));
        }
    }
}
