package org.jvirt.devices.virtio.scsi;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.jvirt.devices.scsi.Cdb;
import org.jvirt.devices.scsi.Sense;
import org.jvirt.devices.storage.DataBuffers;
import org.jvirt.devices.virtio.DescriptorChain;
import org.jvirt.devices.virtio.RingViolation;

/// `virtio_scsi_req_cmd` (virtio §5.6.6.1).
///
/// ```
/// read   unit 8, id 8, attribute 1, priority 1, crn 1, CDB (32 unless changed); then data for the device
/// write  sense length 4, residual 4, qualifier 2, status 1, response 1, sense (96 unless changed); then data
/// ```
///
/// One object serves a whole queue; [#parse] fills it anew. Queue thread only.
final class ScsiRequest implements DataBuffers {
    private static final int BEFORE_CDB = 19;
    private static final int BEFORE_SENSE = 12;

    private final DescriptorChain chain;
    private final byte[] header = new byte[BEFORE_CDB + VirtioScsi.MAX_CDB_BYTES];
    private final byte[] answer = new byte[BEFORE_SENSE + Sense.BYTES];
    private final ByteBuffer answerFields = ByteBuffer.wrap(answer).order(ByteOrder.LITTLE_ENDIAN);
    private final Cdb cdb = new Cdb();
    private int headerBytes;
    private int answerBytes;
    private ScsiAddress address = new ScsiAddress(-1, 0);

    ScsiRequest(DescriptorChain chain) {
        this.chain = chain;
    }

    DescriptorChain chain() {
        return chain;
    }

    /// @throws RingViolation if there is no whole header, or no room for the answer
    void parse(int cdbBytes, int senseBytes) {
        headerBytes = BEFORE_CDB + cdbBytes;
        answerBytes = BEFORE_SENSE + senseBytes;
        if (chain.writableBytes() < answerBytes) {
            throw new RingViolation("a SCSI request without room for its answer");
        }
        chain.read(0, header, headerBytes);
        address = ScsiAddress.of(header, 0);
        cdb.load(header, BEFORE_CDB, cdbBytes);
    }

    ScsiAddress address() {
        return address;
    }

    Cdb cdb() {
        return cdb;
    }

    /// Writes the answer.
    ///
    /// @param moved bytes of data
    /// @param sense where the status is CHECK CONDITION
    /// @return bytes written to the guest, data included
    long answer(int response, int status, Sense sense, long moved) {
        long offered = inBytes() > 0 ? inBytes() : outBytes();
        boolean failed = !sense.equals(Sense.NONE);
        int senseBytes = failed ? Math.min(Sense.BYTES, answerBytes - BEFORE_SENSE) : 0;
        answerFields
                .putInt(0, senseBytes)
                .putInt(4, (int) Math.max(0, offered - moved))
                .putShort(8, (short) 0)
                .put(10, (byte) status)
                .put(11, (byte) response);
        if (failed) {
            System.arraycopy(sense.bytes(), 0, answer, BEFORE_SENSE, senseBytes);
        }
        chain.write(0, answer, BEFORE_SENSE + senseBytes);
        return inBytes() > 0 ? answerBytes + moved : answerBytes;
    }

    // ---- DataBuffers: what lies behind header and answer

    @Override
    public long inBytes() {
        return chain.writableBytes() - answerBytes;
    }

    @Override
    public long outBytes() {
        return chain.readableBytes() - headerBytes;
    }

    @Override
    public List<MemorySegment> in(long offset, long length) {
        return chain.writeSlices(answerBytes + offset, length);
    }

    @Override
    public void filled(long offset, long length) {
        chain.filled(answerBytes + offset, length);
    }

    @Override
    public List<MemorySegment> out(long offset, long length) {
        return chain.readSlices(headerBytes + offset, length);
    }
}
