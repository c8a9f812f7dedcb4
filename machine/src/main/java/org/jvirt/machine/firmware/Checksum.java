package org.jvirt.machine.firmware;

/// The checksum of ACPI and SMBIOS: all bytes of a structure add up to 0.
final class Checksum {
    private Checksum() {}

    /// The byte that makes the range's sum 0 when added to it.
    static byte of(byte[] bytes, int offset, int length) {
        int sum = 0;
        for (int i = offset; i < offset + length; i++) {
            sum += bytes[i];
        }
        return (byte) -sum;
    }
}
