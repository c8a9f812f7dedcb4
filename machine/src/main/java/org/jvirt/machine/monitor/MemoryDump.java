package org.jvirt.machine.monitor;

import java.util.Arrays;
import java.util.OptionalLong;
import org.jvirt.core.cpu.CpuState;
import org.jvirt.core.cpu.Segment;
import org.jvirt.machine.Inspection;
import org.jvirt.x86.CodeSize;
import org.jvirt.x86.DecodeResult;
import org.jvirt.x86.Decoder;
import org.jvirt.x86.Disassembler;
import org.jvirt.x86.Instruction;

/// What `x` and `xp` show.
///
/// @param count   how many items
/// @param format  `x` hexadecimal, `u` unsigned, `d` signed, `c` character, `i` instruction
/// @param size    bytes of an item
/// @param virtual whether `address` is virtual
record MemoryDump(int count, char format, int size, long address, boolean virtual) {
    private static final int MAXIMUM_COUNT = 4096;
    private static final int PAGE_BYTES = 4096;
    private static final int LINE_BYTES = 16;
    private static final long EFER_LMA = 0x400;

    /// @param format `/`, then a count, a format and a size, each of which may be missing
    static MemoryDump parse(String format, long address, boolean virtual) {
        int at = 1;
        int count = 0;
        while (at < format.length() && Character.isDigit(format.charAt(at)) && count <= MAXIMUM_COUNT) {
            count = 10 * count + format.charAt(at++) - '0';
        }
        char kind = 'x';
        int size = 4;
        for (; at < format.length(); at++) {
            char c = format.charAt(at);
            switch (c) {
                case 'x', 'u', 'd', 'c', 'i' -> kind = c;
                case 'b' -> size = 1;
                case 'h' -> size = 2;
                case 'w' -> size = 4;
                case 'g' -> size = 8;
                default ->
                    throw new IllegalArgumentException(
                            "'%s' is no format: write for example /8xg or /10i".formatted(format));
            }
        }
        if (count > MAXIMUM_COUNT) {
            throw new IllegalArgumentException("At most %d items at once".formatted(MAXIMUM_COUNT));
        }
        return new MemoryDump(Math.max(count, 1), kind, kind == 'c' ? 1 : size, address, virtual);
    }

    String text(Inspection inspection, int cpu) {
        return format == 'i' ? instructions(inspection, cpu) : items(inspection, cpu);
    }

    private String items(Inspection inspection, int cpu) {
        byte[] bytes = read(inspection, cpu, count * size);
        var text = new StringBuilder();
        int perLine = LINE_BYTES / size;
        for (int i = 0; i < count; i++) {
            if (i % perLine == 0) {
                text.append(i == 0 ? "" : "\n").append("%016x:".formatted(address + (long) i * size));
            }
            if ((i + 1) * size > bytes.length) {
                return text.append(" Cannot access memory\n").toString();
            }
            text.append(' ').append(item(bytes, i * size));
        }
        return text.append('\n').toString();
    }

    private String item(byte[] bytes, int at) {
        long value = 0;
        for (int i = 0; i < size; i++) {
            value |= (bytes[at + i] & 0xffL) << 8 * i;
        }
        int shift = Long.SIZE - 8 * size;
        return switch (format) {
            case 'u' -> Long.toUnsignedString(value);
            case 'd' -> Long.toString(value << shift >> shift);
            case 'c' -> value >= ' ' && value < 0x7f ? "'" + (char) value + "'" : "\\x%02x".formatted(value);
            default -> ("0x%0" + 2 * size + "x").formatted(value);
        };
    }

    private String instructions(Inspection inspection, int cpu) {
        CodeSize mode = mode(inspection.cpus().get(cpu));
        byte[] bytes = read(inspection, cpu, count * Decoder.MAX_LENGTH);
        var decoder = new Decoder();
        var instruction = new Instruction();
        var text = new StringBuilder();
        int at = 0;
        for (int i = 0; i < count; i++) {
            long here = address + at;
            DecodeResult result = decoder.decode(bytes, at, bytes.length, mode, instruction);
            switch (result) {
                case OK -> {
                    text.append("0x%016x: %s\n".formatted(here, Disassembler.text(instruction, here)));
                    at += instruction.length();
                }
                case UNDEFINED, TOO_LONG -> {
                    text.append("0x%016x: .byte 0x%02x\n".formatted(here, bytes[at] & 0xff));
                    at++;
                }
                case NEEDS_MORE -> {
                    return text.append("0x%016x: Cannot access memory\n".formatted(here))
                            .toString();
                }
            }
        }
        return text.toString();
    }

    private static CodeSize mode(CpuState cpu) {
        Segment code = cpu.segments().cs();
        if ((cpu.control().efer() & EFER_LMA) != 0 && code.has(Segment.LONG)) {
            return CodeSize.CODE64;
        }
        return code.has(Segment.BIG) ? CodeSize.CODE32 : CodeSize.CODE16;
    }

    /// Reads page by page, up to the first that is not there.
    private byte[] read(Inspection inspection, int cpu, int length) {
        byte[] bytes = new byte[length];
        int done = 0;
        while (done < length) {
            long at = address + done;
            int wanted = (int) Math.min(length - done, PAGE_BYTES - (at & PAGE_BYTES - 1));
            OptionalLong gpa = virtual ? inspection.translate(cpu, at) : OptionalLong.of(at);
            byte[] part = gpa.isPresent() ? inspection.readPhysical(gpa.getAsLong(), wanted) : new byte[0];
            System.arraycopy(part, 0, bytes, done, part.length);
            done += part.length;
            if (part.length < wanted) {
                break;
            }
        }
        return Arrays.copyOf(bytes, done);
    }
}
