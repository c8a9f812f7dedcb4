package org.jvirt.images.vmdk;

import static org.jvirt.images.blocks.HeaderReader.broken;
import static org.jvirt.images.blocks.HeaderReader.unsupported;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jvirt.images.file.ImageFile;

/// The text that says what a disk is made of.
///
/// @param cid        changes with the content
/// @param parentCid  what the parent's was when this disk was made; [#NO_PARENT] without one
/// @param parent     how it names its parent
record VmdkDescriptor(int cid, int parentCid, String createType, Optional<String> parent, List<Part> parts) {
    static final int NO_PARENT = 0xffff_ffff;
    static final int MOST_BYTES = 1 << 20;
    private static final int MOST_PARTS = 4096;
    private static final int MOST_LINES = 20_000;
    private static final Pattern PART = Pattern.compile("(RW|RDONLY|NOACCESS)\\s+(\\d{1,16})\\s+(\\w{1,20})"
            + "(?:\\s+\"([^\"]{1,4000})\"(?:\\s+(\\d{1,16}))?)?.*");
    private static final Pattern SETTING = Pattern.compile("([A-Za-z0-9_.]{1,64})\\s*=\\s*(.*)");

    /// One line that names an extent.
    ///
    /// @param type    `SPARSE`, `FLAT`, `VMFS` or `ZERO`
    /// @param file    its name; empty for `ZERO`
    /// @param offset  where in a flat file it begins, in sectors
    record Part(boolean writable, long sectors, String type, String file, long offset) {
        String render() {
            String flat = type.equals("FLAT") ? " " + offset : "";
            return "RW %d %s \"%s\"%s".formatted(sectors, type, file, flat);
        }
    }

    VmdkDescriptor {
        parts = List.copyOf(parts);
    }

    /// Whether text is a descriptor: its first line that is neither empty nor a comment says so.
    static boolean matches(String text) {
        for (String line : text.split("\n", 200)) {
            String trimmed = line.strip();
            if (!trimmed.isEmpty() && !trimmed.startsWith("#")) {
                String version = trimmed.toLowerCase(Locale.ROOT);
                return version.equals("version=1") || version.equals("version=2") || version.equals("version=3");
            }
        }
        return false;
    }

    static VmdkDescriptor parse(ImageFile file, String text) {
        int cid = 0;
        int parentCid = NO_PARENT;
        String createType = "";
        Optional<String> parent = Optional.empty();
        List<Part> parts = new ArrayList<>();
        String[] lines = text.split("[\n\0]", MOST_LINES);
        for (String line : lines) {
            String trimmed = line.strip();
            Matcher part = PART.matcher(trimmed);
            Matcher setting = SETTING.matcher(trimmed);
            if (part.matches()) {
                parts.add(part(file, part));
                if (parts.size() > MOST_PARTS) {
                    throw unsupported(file, "more than %d extents".formatted(MOST_PARTS));
                }
            } else if (setting.matches()) {
                String value = setting.group(2).strip();
                switch (setting.group(1)) {
                    case "CID" -> cid = hex(file, value);
                    case "parentCID" -> parentCid = hex(file, value);
                    case "createType" -> createType = unquote(value);
                    case "parentFileNameHint" -> parent = Optional.of(unquote(value));
                    default -> {}
                }
            }
        }
        if (createType.isEmpty()) {
            throw broken(file, "its descriptor names no createType");
        }
        if (parent.isPresent() != (parentCid != NO_PARENT)) {
            parent = parentCid == NO_PARENT ? Optional.empty() : parent;
            if (parentCid != NO_PARENT) {
                throw broken(file, "its descriptor has a parentCID but does not name the parent");
            }
        }
        return new VmdkDescriptor(cid, parentCid, createType, parent, parts);
    }

    private static Part part(ImageFile file, Matcher line) {
        String access = line.group(1);
        String type = line.group(3).toUpperCase(Locale.ROOT);
        String name = line.group(4) == null ? "" : line.group(4);
        if (access.equals("NOACCESS")) {
            throw unsupported(file, "an extent without access");
        }
        boolean named = switch (type) {
            case "SPARSE", "FLAT", "VMFS" -> true;
            case "ZERO" -> false;
            default -> throw unsupported(file, "extents of type %s".formatted(type));
        };
        if (named && name.isEmpty() || type.equals("FLAT") && line.group(5) == null) {
            throw broken(file, "a line of its descriptor lacks the file or offset of an extent");
        }
        long sectors = Long.parseLong(line.group(2));
        if (sectors == 0 || sectors > SparseHeader.MOST_SECTORS) {
            throw broken(file, "an extent of %d sectors".formatted(sectors));
        }
        long offset = line.group(5) == null ? 0 : Long.parseLong(line.group(5));
        if (offset > SparseHeader.MOST_SECTORS) {
            throw broken(file, "an extent at sector %d".formatted(offset));
        }
        return new Part(access.equals("RW"), sectors, type, name, offset);
    }

    private static int hex(ImageFile file, String value) {
        try {
            return Integer.parseUnsignedInt(value, 16);
        } catch (NumberFormatException e) {
            throw broken(file, "its descriptor has a CID that is no number");
        }
    }

    private static String unquote(String value) {
        boolean quoted = value.length() >= 2 && value.startsWith("\"") && value.endsWith("\"");
        return quoted ? value.substring(1, value.length() - 1) : value;
    }

    /// @param hardware what VMware shall see of the disk
    String render(Hardware hardware) {
        StringBuilder out = new StringBuilder();
        out.append("# Disk DescriptorFile\nversion=1\n");
        out.append("CID=%08x\nparentCID=%08x\ncreateType=\"%s\"\n".formatted(cid, parentCid, createType));
        parent.ifPresent(name -> out.append("parentFileNameHint=\"%s\"\n".formatted(name)));
        out.append("\n# Extent description\n");
        parts.forEach(part -> out.append(part.render()).append('\n'));
        long sectors = parts.stream().mapToLong(Part::sectors).sum();
        out.append("\n# The Disk Data Base\n#DDB\n\n");
        out.append("ddb.virtualHWVersion = \"%s\"\n".formatted(hardware.version));
        out.append("ddb.geometry.cylinders = \"%d\"\n".formatted(sectors / 63 / hardware.heads()));
        out.append("ddb.geometry.heads = \"%d\"\n".formatted(hardware.heads()));
        out.append("ddb.geometry.sectors = \"63\"\n");
        out.append("ddb.adapterType = \"%s\"\n".formatted(hardware.adapter));
        out.append("ddb.toolsVersion = \"%s\"\n".formatted(hardware.toolsVersion));
        return out.toString();
    }

    /// The disk data base.
    record Hardware(String version, String adapter, String toolsVersion) {
        int heads() {
            return adapter.equals("ide") ? 16 : 255;
        }
    }
}
