package org.jvirt.machine.firmware;

/// Resource descriptors for `_CRS` (ACPI 6.5, 6.4). Not thread-safe.
final class Resources {
    private static final int MEMORY = 0;
    private static final int IO = 1;
    private static final int BUS_NUMBERS = 2;
    private static final int MINIMUM_AND_MAXIMUM_FIXED = 0x0c;
    private static final int ENTIRE_RANGE = 3;
    private static final int READ_WRITE = 1;

    private final ByteWriter writer = new ByteWriter();

    /// Ports that the device decodes with 16 address bits.
    Resources ports(int first, int count) {
        writer.u8(0x47).u8(1).u16(first).u16(first).u8(0).u8(count);
        return this;
    }

    /// An edge-triggered, active-high ISA interrupt.
    Resources irq(int number) {
        writer.u8(0x22).u16(1 << number);
        return this;
    }

    Resources fixedMemory(long gpa, long sizeBytes, boolean writable) {
        writer.u8(0x86).u16(9).u8(writable ? READ_WRITE : 0).u32(gpa).u32(sizeBytes);
        return this;
    }

    Resources busNumbers(int first, int last) {
        return wordWindow(BUS_NUMBERS, 0, first, last);
    }

    Resources portWindow(int first, int last) {
        return wordWindow(IO, ENTIRE_RANGE, first, last);
    }

    private Resources wordWindow(int type, int typeFlags, int first, int last) {
        writer.u8(0x88).u16(13).u8(type).u8(MINIMUM_AND_MAXIMUM_FIXED).u8(typeFlags);
        writer.u16(0).u16(first).u16(last).u16(0).u16(last - first + 1);
        return this;
    }

    Resources memoryWindow(long first, long last, boolean cacheable) {
        writer.u8(0x87).u16(23).u8(MEMORY).u8(MINIMUM_AND_MAXIMUM_FIXED).u8(caching(cacheable));
        writer.u32(0).u32(first).u32(last).u32(0).u32(last - first + 1);
        return this;
    }

    Resources memoryWindow64(long first, long last) {
        writer.u8(0x8a).u16(43).u8(MEMORY).u8(MINIMUM_AND_MAXIMUM_FIXED).u8(caching(true));
        writer.u64(0).u64(first).u64(last).u64(0).u64(last - first + 1);
        return this;
    }

    private static int caching(boolean cacheable) {
        return cacheable ? READ_WRITE | 1 << 1 : READ_WRITE;
    }

    /// The finished template as an AML buffer.
    byte[] template() {
        return Aml.buffer(new ByteWriter().add(writer.bytes()).u8(0x79).u8(0).bytes());
    }
}
