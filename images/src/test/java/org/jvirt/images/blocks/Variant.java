package org.jvirt.images.blocks;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.file.CacheMode;
import org.jvirt.images.file.FileAccess;
import org.jvirt.images.file.HostFile;
import org.jvirt.images.file.ImageFile;
import org.jvirt.images.format.CreateRequest;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.FormatDriver;
import org.jvirt.images.format.ImageOpener;
import org.jvirt.images.format.OpenRequest;
import org.jvirt.images.luks.LuksDriver;
import org.jvirt.images.parallels.ParallelsDriver;
import org.jvirt.images.testing.MemoryFile;
import org.jvirt.images.vdi.VdiDriver;
import org.jvirt.images.vhd.VhdDriver;
import org.jvirt.images.vhdx.VhdxDriver;
import org.jvirt.images.vmdk.VmdkDriver;

/// One format with one choice of options, under test.
enum Variant {
    VDI_DYNAMIC(new VdiDriver(), "vdi"),
    VDI_STATIC(new VdiDriver(), "vdi", "static=on"),
    VHD_DYNAMIC(new VhdDriver(), "vpc"),
    VHD_FORCED(new VhdDriver(), "vpc", "force_size=on"),
    VHD_FIXED(new VhdDriver(), "vpc", "subformat=fixed", "force_size=on"),
    VHDX_DYNAMIC(new VhdxDriver(), "vhdx", "block_size=1M"),
    VHDX_SPARSE(new VhdxDriver(), "vhdx", "block_size=2M", "block_state_zero=off"),
    VHDX_FIXED(new VhdxDriver(), "vhdx", "subformat=fixed"),
    PARALLELS(new ParallelsDriver(), "parallels"),
    PARALLELS_64K(new ParallelsDriver(), "parallels", "cluster_size=64k"),
    VMDK_SPARSE(new VmdkDriver(), "vmdk"),
    VMDK_ZEROED(new VmdkDriver(), "vmdk", "zeroed_grain=on", "adapter_type=lsilogic"),
    VMDK_FLAT(new VmdkDriver(), "vmdk", "subformat=monolithicFlat", "hwversion=7"),
    VMDK_SPLIT_SPARSE(new VmdkDriver(), "vmdk", "subformat=twoGbMaxExtentSparse", "compat6=on"),
    VMDK_SPLIT_FLAT(new VmdkDriver(), "vmdk", "subformat=twoGbMaxExtentFlat"),
    LUKS_XTS(new LuksDriver(), "luks", "key-secret=sec", "iter-time=10"),
    LUKS_CBC_ESSIV(
            new LuksDriver(),
            "luks",
            "key-secret=sec",
            "iter-time=10",
            "cipher-alg=aes-128",
            "cipher-mode=cbc",
            "ivgen-alg=essiv",
            "ivgen-hash-alg=sha256",
            "hash-alg=sha1"),
    LUKS_XTS_PLAIN(
            new LuksDriver(),
            "luks",
            "key-secret=sec",
            "iter-time=10",
            "cipher-alg=aes-192",
            "ivgen-alg=plain",
            "hash-alg=sha512"),
    LUKS_ECB(new LuksDriver(), "luks", "key-secret=sec", "iter-time=10", "cipher-mode=ecb", "hash-alg=sha384");

    static final byte[] PASSPHRASE = "correct horse".getBytes(StandardCharsets.UTF_8);

    final FormatDriver driver;
    final String qemuName;
    final Map<String, String> options = new HashMap<>();
    final String optionText;

    Variant(FormatDriver driver, String qemuName, String... options) {
        this.driver = driver;
        this.qemuName = qemuName;
        optionText = String.join(",", options);
        for (String option : options) {
            this.options.put(option.substring(0, option.indexOf('=')), option.substring(option.indexOf('=') + 1));
        }
    }

    boolean isLuks() {
        return driver instanceof LuksDriver;
    }

    /// Whether blocks get their space when they are first written.
    boolean allots() {
        return switch (this) {
            case VDI_DYNAMIC,
                    VHD_DYNAMIC,
                    VHD_FORCED,
                    VHDX_DYNAMIC,
                    VHDX_SPARSE,
                    PARALLELS,
                    PARALLELS_64K,
                    VMDK_SPARSE,
                    VMDK_ZEROED,
                    VMDK_SPLIT_SPARSE -> true;
            case VDI_STATIC,
                    VHD_FIXED,
                    VHDX_FIXED,
                    VMDK_FLAT,
                    VMDK_SPLIT_FLAT,
                    LUKS_XTS,
                    LUKS_CBC_ESSIV,
                    LUKS_XTS_PLAIN,
                    LUKS_ECB -> false;
        };
    }

    /// Whether all of it is one file.
    boolean isMonolithic() {
        return switch (this) {
            case VMDK_FLAT, VMDK_SPLIT_SPARSE, VMDK_SPLIT_FLAT -> false;
            default -> true;
        };
    }

    void create(ImageFile file, long size, ImageOpener opener) throws IOException {
        driver.create(file, new CreateRequest(size, options, opener));
        file.flush();
    }

    DiskImage open(ImageFile file, boolean readOnly, ImageOpener opener) throws IOException {
        Map<String, String> given = isLuks() ? Map.of("key-secret", "sec") : Map.of();
        return driver.open(file, new OpenRequest(readOnly, true, false, given, opener));
    }

    /// Files in memory, by their names.
    static final class MemorySpace implements ImageOpener {
        final Map<String, MemoryFile> files = new HashMap<>();

        MemoryFile file(String name) {
            return files.computeIfAbsent(name, MemoryFile::new);
        }

        @Override
        public DiskImage openBacking(ImageFile from, String reference, Optional<String> format) throws IOException {
            return new VmdkDriver().open(existing(reference), new OpenRequest(true, true, false, Map.of(), this));
        }

        private MemoryFile existing(String name) {
            MemoryFile file = files.get(name);
            if (file == null) {
                throw new UserErrorException("There is no " + name);
            }
            return file;
        }

        @Override
        public ImageFile openFile(ImageFile from, String reference, boolean readOnly) {
            return existing(reference);
        }

        @Override
        public ImageFile createFile(ImageFile from, String reference) {
            return file(reference);
        }

        @Override
        public byte[] secret(String id) {
            return id.equals("sec") ? PASSPHRASE : id.getBytes(StandardCharsets.UTF_8);
        }
    }

    /// Files in one folder.
    record HostSpace(Path folder, FormatDriver backingDriver) implements ImageOpener {
        ImageFile open(String name, boolean readOnly) {
            return HostFile.open(folder.resolve(name), readOnly ? FileAccess.reading() : FileAccess.writing());
        }

        ImageFile create(String name) {
            return HostFile.create(folder.resolve(name), CacheMode.WRITEBACK);
        }

        @Override
        public DiskImage openBacking(ImageFile from, String reference, Optional<String> format) throws IOException {
            return backingDriver.open(open(reference, true), new OpenRequest(true, true, false, Map.of(), this));
        }

        @Override
        public ImageFile openFile(ImageFile from, String reference, boolean readOnly) {
            return open(reference, readOnly);
        }

        @Override
        public ImageFile createFile(ImageFile from, String reference) {
            return create(reference);
        }

        @Override
        public byte[] secret(String id) {
            return id.equals("sec") ? PASSPHRASE : id.getBytes(StandardCharsets.UTF_8);
        }
    }

    static List<Variant> allotting() {
        return Arrays.stream(values()).filter(Variant::allots).toList();
    }
}
