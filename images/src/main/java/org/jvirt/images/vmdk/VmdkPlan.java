package org.jvirt.images.vmdk;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.blocks.Sizes;
import org.jvirt.images.file.ImageFile;
import org.jvirt.images.format.CreateOption;
import org.jvirt.images.format.CreateOption.Kind;
import org.jvirt.images.format.CreateRequest;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.FormatDriver.Measure;
import org.jvirt.images.format.ImageFormat;

/// A new VMDK: what the options ask for, checked, and how it is written.
record VmdkPlan(
        CreateRequest request,
        Subformat subformat,
        VmdkDescriptor.Hardware hardware,
        boolean zeroedGrains,
        Optional<String> backing) {
    static final List<CreateOption> OPTIONS = List.of(
            new CreateOption(
                    "adapter_type",
                    Kind.TEXT,
                    "Virtual adapter type, can be one of ide (default), lsilogic, buslogic or legacyESX"),
            new CreateOption("backing_file", Kind.TEXT, "File name of a base image"),
            new CreateOption("backing_fmt", Kind.TEXT, "Must be 'vmdk' if present"),
            new CreateOption("compat6", Kind.SWITCH, "VMDK version 6 image"),
            new CreateOption("hwversion", Kind.TEXT, "VMDK hardware version"),
            new CreateOption(
                    "subformat",
                    Kind.TEXT,
                    "VMDK flat extent format, can be one of {monolithicSparse (default) | monolithicFlat |"
                            + " twoGbMaxExtentSparse | twoGbMaxExtentFlat | streamOptimized} "),
            new CreateOption("toolsversion", Kind.TEXT, "VMware guest tools version"),
            new CreateOption(
                    "zeroed_grain", Kind.SWITCH, "Enable efficient zero writes using the zeroed-grain GTE feature"));

    private static final long SPLIT_SECTORS = (2L << 30) / 512;
    private static final List<String> ADAPTERS = List.of("ide", "buslogic", "lsilogic", "legacyESX");
    private static final int TABLE_CHUNK_ENTRIES = 1 << 16;

    /// What an image is made of, as a descriptor's `createType` names it.
    enum Subformat {
        MONOLITHIC_SPARSE("monolithicSparse", false, false),
        MONOLITHIC_FLAT("monolithicFlat", true, false),
        SPLIT_SPARSE("twoGbMaxExtentSparse", false, true),
        SPLIT_FLAT("twoGbMaxExtentFlat", true, true),
        STREAM_OPTIMIZED("streamOptimized", false, false);

        final String createType;
        final boolean flat;
        final boolean split;

        Subformat(String createType, boolean flat, boolean split) {
            this.createType = createType;
            this.flat = flat;
            this.split = split;
        }
    }

    static VmdkPlan of(CreateRequest request) {
        Map<String, String> options = request.options();
        String name = options.getOrDefault("subformat", Subformat.MONOLITHIC_SPARSE.createType);
        Subformat subformat = Arrays.stream(Subformat.values())
                .filter(each -> each.createType.equals(name))
                .findFirst()
                .orElseThrow(() -> new UserErrorException("subformat '%s' is unknown: see -o help".formatted(name)));
        String adapter = options.getOrDefault("adapter_type", "ide");
        if (!ADAPTERS.contains(adapter)) {
            throw new UserErrorException("adapter_type '%s' is unknown: %s".formatted(adapter, ADAPTERS));
        }
        boolean version6 = Sizes.onOff(options, "compat6", false);
        String version = options.getOrDefault("hwversion", "undefined");
        if (version6 && !version.equals("undefined")) {
            throw new UserErrorException("compat6 cannot be enabled with hwversion set");
        }
        String hardwareVersion = version.equals("undefined") ? version6 ? "6" : "4" : version;
        String tools = options.getOrDefault("toolsversion", "2147483647");
        if (!hardwareVersion.matches("\\w{1,16}") || !tools.matches("\\w{1,16}")) {
            throw new UserErrorException("hwversion and toolsversion must be short numbers");
        }
        boolean zeroedGrains = Sizes.onOff(options, "zeroed_grain", false);
        Optional<String> backing = Optional.ofNullable(options.get("backing_file"));
        if (subformat.flat && (zeroedGrains || backing.isPresent())) {
            throw new UserErrorException("A flat image has neither a backing file nor zeroed grains");
        }
        if (!options.getOrDefault("backing_fmt", "vmdk").equals("vmdk")) {
            throw new UserErrorException("backing_fmt must be vmdk: other images cannot be below a vmdk");
        }
        if (backing.isPresent() && backing.get().matches("(?s).*[\"\r\n\0].*")) {
            throw new UserErrorException("backing_file must not contain quotes or line breaks");
        }
        return new VmdkPlan(
                request,
                subformat,
                new VmdkDescriptor.Hardware(hardwareVersion, adapter, tools),
                zeroedGrains,
                backing);
    }

    void write(ImageFile file) throws IOException {
        int parentCid = VmdkDescriptor.NO_PARENT;
        if (backing.isPresent()) {
            try (DiskImage parent =
                    request.opener().openBacking(file, backing.get(), Optional.of(ImageFormat.VMDK.formatName()))) {
                if (!(parent instanceof VmdkImage vmdk)) {
                    throw new UserErrorException("%s is no vmdk image".formatted(parent.name()));
                }
                parentCid = vmdk.cid();
            }
        }
        long sectors = Math.ceilDiv(request.sizeBytes(), 512);
        List<VmdkDescriptor.Part> parts = new ArrayList<>();
        boolean embedded = !subformat.flat && !subformat.split;
        long step = subformat.split ? SPLIT_SECTORS : Math.max(1, sectors);
        for (long done = 0; done < sectors || parts.isEmpty(); done += step) {
            long length = Math.min(step, sectors - done);
            String name = extentName(file, parts.size() + 1);
            parts.add(new VmdkDescriptor.Part(true, length, subformat.flat ? "FLAT" : "SPARSE", name, 0));
            if (!embedded) {
                try (ImageFile extent = request.opener().createFile(file, name)) {
                    writeExtent(extent, length);
                }
            }
        }
        int cid = ThreadLocalRandom.current().nextInt(1, Integer.MAX_VALUE);
        var descriptor = new VmdkDescriptor(cid, parentCid, subformat.createType, backing, parts);
        byte[] text = descriptor.render(hardware).getBytes(StandardCharsets.UTF_8);
        if (!embedded) {
            file.write(0, MemorySegment.ofArray(text));
            return;
        }
        if (text.length > 20 * 512) {
            throw new UserErrorException("The name of the backing file is too long for a vmdk");
        }
        writeExtent(file, sectors);
        file.write(512, MemorySegment.ofArray(text));
    }

    private String extentName(ImageFile file, int number) {
        String name = file.name().substring(file.name().lastIndexOf('/') + 1);
        int dot = name.lastIndexOf('.');
        String stem = dot < 0 ? name : name.substring(0, dot);
        String suffix = dot < 0 ? "" : name.substring(dot);
        return switch (subformat) {
            case MONOLITHIC_SPARSE, STREAM_OPTIMIZED -> name;
            case MONOLITHIC_FLAT -> stem + "-flat" + suffix;
            case SPLIT_SPARSE -> "%s-s%03d%s".formatted(stem, number, suffix);
            case SPLIT_FLAT -> "%s-f%03d%s".formatted(stem, number, suffix);
        };
    }

    private void writeExtent(ImageFile file, long sectors) throws IOException {
        if (subformat.flat) {
            file.truncate(sectors * 512);
            return;
        }
        SparseHeader header = plan(sectors);
        file.truncate(header.overhead() * 512);
        file.write(0, MemorySegment.ofArray(header.encode()));
        writeDirectory(file, header, header.redundantDirectory());
        writeDirectory(file, header, header.directory());
    }

    private SparseHeader plan(long sectors) {
        SparseHeader header = SparseHeader.plan(sectors, subformat == Subformat.STREAM_OPTIMIZED, zeroedGrains);
        if (header.overhead() >= 1L << 32 || header.tables() > 32 << 20) {
            throw new UserErrorException(
                    "Cannot make a vmdk extent of %d bytes: use a split or flat subformat".formatted(sectors * 512));
        }
        return header;
    }

    /// All grain tables exist from the start, one behind the other.
    private static void writeDirectory(ImageFile file, SparseHeader header, long sector) throws IOException {
        long firstTable = sector + header.directorySectors();
        for (long first = 0; first < header.tables(); first += TABLE_CHUNK_ENTRIES) {
            int count = (int) Math.min(header.tables() - first, TABLE_CHUNK_ENTRIES);
            ByteBuffer entries = ByteBuffer.allocate(count * 4).order(ByteOrder.LITTLE_ENDIAN);
            for (int i = 0; i < count; i++) {
                entries.putInt(i * 4, (int) (firstTable + (first + i) * header.tableSectors()));
            }
            file.write(sector * 512 + first * 4, MemorySegment.ofBuffer(entries));
        }
    }

    Measure measure(long virtualSizeBytes, long dataBytes) {
        long sectors = Math.ceilDiv(virtualSizeBytes, 512);
        if (subformat.flat) {
            return new Measure(virtualSizeBytes, virtualSizeBytes);
        }
        long full = 0;
        long overhead = 0;
        long step = subformat.split ? SPLIT_SECTORS : Math.max(1, sectors);
        for (long done = 0; done < sectors; done += step) {
            SparseHeader header = plan(Math.min(step, sectors - done));
            overhead += header.overhead() * 512;
            full += header.overhead() * 512 + header.grains() * header.grainBytes();
        }
        long grain = 128 * 512;
        return new Measure(overhead + Math.ceilDiv(dataBytes, grain) * grain, full);
    }
}
