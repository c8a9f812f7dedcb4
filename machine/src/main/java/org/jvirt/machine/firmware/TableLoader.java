package org.jvirt.machine.firmware;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A script that tells firmware how to place fw_cfg files in memory: the format of `etc/table-loader`, 128 bytes
/// to a command. The same script is carried out here, by [#place], when there is no firmware. Not thread-safe.
///
/// ```
/// ALLOCATE file, alignment, zone                       reserve memory, load the file there
/// ADD_POINTER file, target file, offset, size          add the target's address to a field
/// ADD_CHECKSUM file, checksum offset, start, length    make the range add up to 0
/// ```
public final class TableLoader {
    private static final int COMMAND_BYTES = 128;
    private static final int NAME_BYTES = 56;

    private sealed interface Command {}

    private record Allocate(String file, int alignment, boolean inBiosArea) implements Command {}

    private record AddPointer(String file, String target, int offset, int size) implements Command {}

    private record AddChecksum(String file, int offset, int start, int length) implements Command {}

    private final List<Command> commands = new ArrayList<>();

    /// @param inBiosArea whether the file must lie where operating systems search for anchors
    void allocate(String file, int alignment, boolean inBiosArea) {
        commands.add(new Allocate(file, alignment, inBiosArea));
    }

    /// The field holds an offset in `target` already.
    void addPointer(String file, String target, int offset, int size) {
        commands.add(new AddPointer(file, target, offset, size));
    }

    /// The checksum byte holds 0 before.
    void addChecksum(String file, int offset, int start, int length) {
        commands.add(new AddChecksum(file, offset, start, length));
    }

    /// The file `etc/table-loader`.
    public byte[] encode() {
        var writer = new ByteWriter();
        for (Command command : commands) {
            int start = writer.size();
            switch (command) {
                case Allocate c ->
                    writer.u32(1)
                            .text(c.file, NAME_BYTES, '\0')
                            .u32(c.alignment)
                            .u8(c.inBiosArea ? 2 : 1);
                case AddPointer c ->
                    writer.u32(2)
                            .text(c.file, NAME_BYTES, '\0')
                            .text(c.target, NAME_BYTES, '\0')
                            .u32(c.offset)
                            .u8(c.size);
                case AddChecksum c ->
                    writer.u32(3)
                            .text(c.file, NAME_BYTES, '\0')
                            .u32(c.offset)
                            .u32(c.start)
                            .u32(c.length);
            }
            writer.zeroes(start + COMMAND_BYTES - writer.size());
        }
        return writer.bytes();
    }

    /// Carries the script out: answers what lies where when the files are laid out from `gpa` on.
    public Map<Long, byte[]> place(Map<String, byte[]> files, long gpa) {
        Map<String, Long> addresses = new LinkedHashMap<>();
        Map<String, byte[]> contents = new LinkedHashMap<>();
        long next = gpa;
        for (Command command : commands) {
            switch (command) {
                case Allocate c -> {
                    byte[] content = file(files, c.file).clone();
                    long address = Math.ceilDiv(next, c.alignment) * c.alignment;
                    addresses.put(c.file, address);
                    contents.put(c.file, content);
                    next = address + content.length;
                }
                case AddPointer c -> {
                    byte[] content = file(contents, c.file);
                    Long target = addresses.get(c.target);
                    if (target == null) {
                        throw new IllegalStateException("Pointer to %s before its allocation".formatted(c.target));
                    }
                    add(content, c.offset, c.size, target);
                }
                case AddChecksum c -> {
                    byte[] content = file(contents, c.file);
                    content[c.offset] += Checksum.of(content, c.start, c.length);
                }
            }
        }
        Map<Long, byte[]> placed = new LinkedHashMap<>();
        addresses.forEach((file, address) -> placed.put(address, file(contents, file)));
        return placed;
    }

    private static byte[] file(Map<String, byte[]> files, String name) {
        byte[] content = files.get(name);
        if (content == null) {
            throw new IllegalStateException("Table script names %s, which does not exist".formatted(name));
        }
        return content;
    }

    private static void add(byte[] content, int offset, int size, long value) {
        long sum = value;
        for (int i = 0; i < size; i++) {
            sum += (content[offset + i] & 0xffL) << 8 * i;
        }
        for (int i = 0; i < size; i++) {
            content[offset + i] = (byte) (sum >>> 8 * i);
        }
    }
}
