package org.jvirt.devices.scsi;

import java.io.IOException;
import java.util.List;
import java.util.TreeMap;
import org.jvirt.core.BlockBackend;
import org.jvirt.devices.storage.DataBuffers;
import org.jvirt.devices.storage.Tray;

/// A CD-ROM drive: multi-media device that reads (MMC-6), one data track from the start to the end of its medium.
public final class CdromUnit extends LogicalUnit implements Tray.Listener {
    public static final int BLOCK_BYTES = 2048;

    private static final int MAX_TRANSFER_BYTES = 32 << 20;
    private static final int PROFILE_CD_ROM = 0x0008;
    private static final int PROFILE_DVD_ROM = 0x0010;
    /// 80 minutes of 75 blocks a second: larger media are DVDs.
    private static final long MAX_CD_BLOCKS = 80 * 60 * 75;

    private static final int EVENT_CLASS_MEDIA = 4;
    private static final int EVENT_EJECT_REQUEST = 1;
    private static final int EVENT_NEW_MEDIUM = 2;
    private static final int EVENT_REMOVAL = 3;
    private static final int LOAD_EJECT = 0x02;
    private static final int START = 0x01;
    private static final int READ_CD_USER_DATA = 0x10;
    private static final int READ_CD_SECTOR_FIELDS = 0xf8;
    private static final int LEAD_OUT = 0xaa;
    private static final int ADR_DATA_TRACK = 0x14;
    private static final int MSF = 0x02;
    private static final int FRAMES_PER_SECOND = 75;
    private static final int PREGAP_FRAMES = 150;
    /// Kilobytes a second of a drive of 4× DVD speed.
    private static final int SPEED = 5540;

    private final Tray tray;
    private int event; // guarded by this

    public CdromUnit(Tray tray, UnitIdentity identity) {
        super(identity);
        this.tray = tray;
        tray.listen(this);
    }

    // ---- Tray.Listener

    @Override
    public void mediumChanged() {
        boolean present = tray.mediumName().isPresent();
        synchronized (this) {
            event = present ? EVENT_NEW_MEDIUM : EVENT_REMOVAL;
        }
        if (present) {
            attention(Sense.MEDIUM_CHANGED);
        }
    }

    @Override
    public synchronized void ejectRequested() {
        event = EVENT_EJECT_REQUEST;
    }

    private synchronized int takeEvent() {
        int taken = event;
        event = 0;
        return taken;
    }

    @Override
    void resetUnit() {
        tray.reset();
    }

    @Override
    int deviceType() {
        return 0x05;
    }

    @Override
    boolean removable() {
        return true;
    }

    @Override
    List<Integer> furtherPages() {
        return List.of();
    }

    @Override
    ReplyBytes furtherPage(int page) throws CheckCondition {
        throw new CheckCondition(Sense.INVALID_FIELD_IN_CDB);
    }

    // ---- commands

    @Override
    long run(int operation, Cdb cdb, DataBuffers data) throws ScsiFailure, IOException {
        return switch (operation) {
            case Operation.TEST_UNIT_READY -> onMedium(_ -> 0L);
            case Operation.READ_10 -> read(cdb.u32(2), cdb.u16(7), data);
            case Operation.READ_12 -> read(cdb.u32(2), cdb.u32(6), data);
            case Operation.READ_CD -> readCd(cdb, data);
            case Operation.SEEK_10 ->
                onMedium(medium -> {
                    checkRange(medium, cdb.u32(2), 0);
                    return 0L;
                });
            case Operation.READ_CAPACITY_10 ->
                onMedium(medium -> reply(
                        data,
                        8,
                        new ReplyBytes().u32(Math.max(0, blocks(medium) - 1)).u32(BLOCK_BYTES)));
            case Operation.READ_TOC -> onMedium(medium -> readToc(cdb, data, blocks(medium)));
            case Operation.READ_DISC_INFORMATION -> onMedium(_ -> readDiscInformation(cdb, data));
            case Operation.GET_CONFIGURATION -> getConfiguration(cdb, data);
            case Operation.GET_EVENT_STATUS -> getEventStatus(cdb, data);
            case Operation.START_STOP_UNIT -> startStop(cdb);
            case Operation.PREVENT_ALLOW -> {
                tray.lock(cdb.bit(4, 0x01));
                yield 0;
            }
            case Operation.MODE_SENSE_6, Operation.MODE_SENSE_10 -> modeSense(cdb, data);
            case Operation.MODE_SELECT_6, Operation.MODE_SELECT_10 -> ModePages.select(cdb, data, (_, _, _, _) -> {});
            case Operation.MECHANISM_STATUS ->
                reply(
                        data,
                        cdb.u16(8),
                        new ReplyBytes().u8(0).u8(tray.open() ? 0x10 : 0).zeroes(6));
            case Operation.SET_CD_SPEED, Operation.SYNCHRONIZE_CACHE_10, Operation.RESERVE_6, Operation.RELEASE_6 -> 0;
            default -> throw new CheckCondition(Sense.INVALID_OPERATION_CODE);
        };
    }

    private long onMedium(Tray.Use<Long, ScsiFailure> command) throws ScsiFailure, IOException {
        return tray.<Long, ScsiFailure>use(command)
                .orElseThrow(() -> new CheckCondition(tray.open() ? Sense.NO_MEDIUM_TRAY_OPEN : Sense.NO_MEDIUM));
    }

    private static long blocks(BlockBackend medium) {
        return medium.sizeBytes() / BLOCK_BYTES;
    }

    private static void checkRange(BlockBackend medium, long block, long count) throws CheckCondition {
        long blocks = blocks(medium);
        if (block > blocks || count > blocks - block) {
            throw new CheckCondition(Sense.BLOCK_OUT_OF_RANGE);
        }
    }

    private long read(long block, long count, DataBuffers data) throws ScsiFailure, IOException {
        return onMedium(medium -> {
            checkRange(medium, block, count);
            long length = count * BLOCK_BYTES;
            if (length > MAX_TRANSFER_BYTES) {
                throw new CheckCondition(Sense.INVALID_FIELD_IN_CDB);
            }
            if (length > data.inBytes()) {
                throw new DataOverrun();
            }
            try {
                medium.read(block * BLOCK_BYTES, data.in(0, length));
            } finally {
                data.filled(0, length);
            }
            return length;
        });
    }

    /// Of the parts that a sector of a data track has, the user data alone.
    private long readCd(Cdb cdb, DataBuffers data) throws ScsiFailure, IOException {
        int fields = cdb.u8(9) & READ_CD_SECTOR_FIELDS;
        int count = cdb.u24(6);
        if (count == 0 || fields == 0) {
            return onMedium(_ -> 0L);
        }
        if (fields != READ_CD_USER_DATA) {
            throw new CheckCondition(Sense.INVALID_FIELD_IN_CDB);
        }
        int sectorType = cdb.u8(1) >> 2 & 7;
        if (sectorType == 1) {
            throw new CheckCondition(Sense.WRONG_TRACK_MODE); // CD-DA
        }
        return read(cdb.u32(2), count, data);
    }

    // ---- what is on the medium

    private static void address(ReplyBytes into, boolean msf, long block) {
        if (msf) {
            long frames = block + PREGAP_FRAMES;
            into.u8(0)
                    .u8((int) (frames / FRAMES_PER_SECOND / 60))
                    .u8((int) (frames / FRAMES_PER_SECOND % 60))
                    .u8((int) (frames % FRAMES_PER_SECOND));
        } else {
            into.u32(block);
        }
    }

    private static long readToc(Cdb cdb, DataBuffers data, long blocks) throws CheckCondition {
        boolean msf = cdb.bit(1, MSF);
        int format = cdb.u8(2) & 0x0f;
        if (format == 0) {
            format = cdb.u8(9) >> 6; // where older drives have it
        }
        int start = cdb.u8(6);
        var toc = new ReplyBytes().u16(0).u8(1).u8(1);
        switch (format) {
            case 0 -> {
                if (start > 1 && start != LEAD_OUT) {
                    throw new CheckCondition(Sense.INVALID_FIELD_IN_CDB);
                }
                if (start <= 1) {
                    toc.u8(0).u8(ADR_DATA_TRACK).u8(1).u8(0);
                    address(toc, msf, 0);
                }
                toc.u8(0).u8(ADR_DATA_TRACK).u8(LEAD_OUT).u8(0);
                address(toc, msf, blocks);
            }
            case 1 -> {
                toc.u8(0).u8(ADR_DATA_TRACK).u8(1).u8(0);
                address(toc, msf, 0);
            }
            case 2 -> fullToc(toc, blocks);
            default -> throw new CheckCondition(Sense.INVALID_FIELD_IN_CDB);
        }
        toc.setU16(0, toc.length() - 2);
        return reply(data, cdb.u16(7), toc);
    }

    /// First track, last track, lead-out, track 1: always as minutes, seconds, frames.
    private static void fullToc(ReplyBytes toc, long blocks) {
        for (int point : new int[] {0xa0, 0xa1, 0xa2, 1}) {
            toc.u8(1).u8(ADR_DATA_TRACK).u8(0).u8(point).zeroes(3);
            switch (point) {
                case 0xa0, 0xa1 -> toc.u8(0).u8(1).u8(0).u8(0);
                default -> address(toc, true, point == 1 ? 0 : blocks);
            }
        }
    }

    /// One complete session with one track, that cannot be written.
    private static long readDiscInformation(Cdb cdb, DataBuffers data) throws CheckCondition {
        if ((cdb.u8(1) & 7) != 0) {
            throw new CheckCondition(Sense.INVALID_FIELD_IN_CDB);
        }
        var reply = new ReplyBytes()
                .u16(32)
                .u8(0x0e) // last session and disc complete
                .u8(1)
                .u8(1)
                .u8(1)
                .u8(1)
                .u8(0x20) // unrestricted use
                .zeroes(26);
        return reply(data, cdb.u16(7), reply);
    }

    private int profile() throws IOException {
        return tray.<Integer, IOException>use(
                        medium -> blocks(medium) > MAX_CD_BLOCKS ? PROFILE_DVD_ROM : PROFILE_CD_ROM)
                .orElse(0);
    }

    private long getConfiguration(Cdb cdb, DataBuffers data) throws ScsiFailure, IOException {
        int requested = cdb.u8(1) & 3;
        int first = cdb.u16(2);
        if (requested == 3) {
            throw new CheckCondition(Sense.INVALID_FIELD_IN_CDB);
        }
        int profile = profile();
        var features = new TreeMap<Integer, ReplyBytes>();
        features.put(
                0x0000,
                feature(0x0000, 0x03)
                        .u8(8)
                        .u16(PROFILE_DVD_ROM)
                        .u8(profile == PROFILE_DVD_ROM ? 1 : 0)
                        .u8(0)
                        .u16(PROFILE_CD_ROM)
                        .u8(profile == PROFILE_CD_ROM ? 1 : 0)
                        .u8(0));
        // Core: ATAPI or SCSI, with the version of the feature.
        features.put(0x0001, feature(0x0001, 0x0b).u8(8).u32(2).u8(1).zeroes(3));
        // Morphing: asynchronous events are not sent.
        features.put(0x0002, feature(0x0002, 0x07).u8(4).u8(0).zeroes(3));
        // Removable medium: tray, ejectable, lockable.
        features.put(0x0003, feature(0x0003, 0x03).u8(4).u8(0x29).zeroes(3));
        if (profile != 0) {
            features.put(
                    0x0010,
                    feature(0x0010, 0x01).u8(8).u32(BLOCK_BYTES).u16(0x10).u8(0).u8(0));
        }
        var reply = new ReplyBytes().u32(0).u16(0).u16(profile);
        features.forEach((number, content) -> {
            if (number >= first && (requested != 2 || number == first)) {
                reply.add(content);
            }
        });
        int length = reply.length() - 4;
        reply.setU16(2, length);
        return reply(data, cdb.u16(7), reply);
    }

    /// @param flags version, persistent (2), current (1)
    private static ReplyBytes feature(int number, int flags) {
        return new ReplyBytes().u16(number).u8(flags);
    }

    // ---- tray

    private long getEventStatus(Cdb cdb, DataBuffers data) throws CheckCondition {
        if (!cdb.bit(1, 0x01)) {
            throw new CheckCondition(Sense.INVALID_FIELD_IN_CDB); // nothing but polling
        }
        var reply = new ReplyBytes();
        if ((cdb.u8(4) & 1 << EVENT_CLASS_MEDIA) == 0) {
            reply.u16(2).u8(0x80).u8(1 << EVENT_CLASS_MEDIA); // no event of a class asked for
        } else {
            boolean open = tray.open();
            boolean present = tray.mediumName().isPresent();
            reply.u16(6)
                    .u8(EVENT_CLASS_MEDIA)
                    .u8(1 << EVENT_CLASS_MEDIA)
                    .u8(takeEvent())
                    .u8((open ? 1 : 0) | (present && !open ? 2 : 0))
                    .u16(0);
        }
        return reply(data, cdb.u16(7), reply);
    }

    private long startStop(Cdb cdb) throws CheckCondition {
        if (cdb.bit(4, LOAD_EJECT) && (cdb.u8(4) >> 4) == 0) {
            boolean open = !cdb.bit(4, START);
            boolean wasOpen = tray.open();
            if (!tray.move(open)) {
                throw new CheckCondition(Sense.REMOVAL_PREVENTED);
            }
            if (open != wasOpen) {
                moved(open);
            }
        }
        return 0;
    }

    /// A medium that has been out of reach may be another one.
    private void moved(boolean open) {
        if (tray.mediumName().isEmpty()) {
            return;
        }
        synchronized (this) {
            event = open ? EVENT_REMOVAL : EVENT_NEW_MEDIUM;
        }
        if (!open) {
            attention(Sense.MEDIUM_CHANGED);
        }
    }

    private long modeSense(Cdb cdb, DataBuffers data) throws CheckCondition {
        boolean changeable = ModePages.control(cdb) == ModePages.Control.CHANGEABLE;
        var pages = new TreeMap<Integer, ReplyBytes>();
        pages.put(
                ModePages.ERROR_RECOVERY,
                new ReplyBytes().u8(0).u8(changeable ? 0 : 5).zeroes(4));
        pages.put(ModePages.AUDIO_CONTROL, new ReplyBytes().zeroes(14));
        pages.put(ModePages.CAPABILITIES, changeable ? new ReplyBytes().zeroes(20) : capabilities());
        return ModePages.sense(cdb, data, 0, 0, new ReplyBytes(), pages);
    }

    private ReplyBytes capabilities() {
        return new ReplyBytes()
                .u8(0x3b) // reads CD-R, CD-RW, DVD-ROM, DVD-R, DVD-RAM
                .u8(0)
                .u8(0x70) // multi-session, mode 2 form 1 and 2
                .u8(0)
                .u8(0x29 | (tray.locked() ? 0x02 : 0)) // tray, ejects, locks
                .u8(0)
                .u16(SPEED)
                .u16(2)
                .u16(512)
                .u16(SPEED)
                .zeroes(6);
    }
}
