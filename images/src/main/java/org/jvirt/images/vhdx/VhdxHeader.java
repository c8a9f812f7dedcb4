package org.jvirt.images.vhdx;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// One of the two headers, 4 KiB, little-endian: MS-VHDX section 2.2.2.
///
/// @param fileWriteGuid changes when anything in the file does
/// @param dataWriteGuid changes when the disk's content does
/// @param logGuid       of valid log entries; none if the log is empty
record VhdxHeader(
        long sequenceNumber, Guid fileWriteGuid, Guid dataWriteGuid, Guid logGuid, long logLength, long logOffset) {
    static final int BYTES = 4096;
    private static final int SIGNATURE = 0x64616568; // "head"
    private static final int LOG_VERSION = 0;
    private static final int VERSION = 1;

    static boolean matches(ByteBuffer in) {
        return in.getInt(0) == SIGNATURE && in.getShort(66) == VERSION && Checksum.matches(in);
    }

    /// @param in what [#matches]
    static VhdxHeader parse(ByteBuffer in) {
        return new VhdxHeader(
                in.getLong(8),
                Guid.read(in, 16),
                Guid.read(in, 32),
                Guid.read(in, 48),
                Integer.toUnsignedLong(in.getInt(68)),
                in.getLong(72));
    }

    static int logVersion(ByteBuffer in) {
        return in.getShort(64);
    }

    byte[] encode() {
        ByteBuffer out = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
        out.putInt(0, SIGNATURE).putLong(8, sequenceNumber);
        fileWriteGuid.write(out, 16);
        dataWriteGuid.write(out, 32);
        logGuid.write(out, 48);
        out.putShort(64, (short) LOG_VERSION).putShort(66, (short) VERSION);
        out.putInt(68, (int) logLength).putLong(72, logOffset);
        Checksum.put(out);
        return out.array();
    }

    VhdxHeader withNumber(long number) {
        return new VhdxHeader(number, fileWriteGuid, dataWriteGuid, logGuid, logLength, logOffset);
    }

    VhdxHeader withLog(Guid guid) {
        return new VhdxHeader(sequenceNumber, fileWriteGuid, dataWriteGuid, guid, logLength, logOffset);
    }

    VhdxHeader withNewWriteGuids() {
        return new VhdxHeader(sequenceNumber, Guid.random(), Guid.random(), logGuid, logLength, logOffset);
    }
}
