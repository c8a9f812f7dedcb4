package org.jvirt.devices.scsi;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jvirt.devices.pci.GuestErrors;
import org.jvirt.devices.storage.DataBuffers;

/// One device behind a SCSI transport: what disks and CD-ROM drives have in common.
///
/// [#execute] carries out one command on the calling thread; several may be under way at once. Thread-safe.
public abstract sealed class LogicalUnit permits DiskUnit, CdromUnit {
    private static final int MAX_ATTENTIONS = 8;
    private static final int EVPD = 0x01;
    private static final int PAGE_SUPPORTED_PAGES = 0x00;
    private static final int PAGE_SERIAL_NUMBER = 0x80;
    private static final int PAGE_IDENTIFICATION = 0x83;
    private static final int VERSION_SPC_3 = 5;
    private static final int ASCII_T10_VENDOR = 0x01;
    private static final String VENDOR = "JVIRT";
    private static final String REVISION = "0.1";

    private final UnitIdentity identity;
    private final GuestErrors errors;
    private final Deque<Sense> attentions = new ArrayDeque<>(); // guarded by itself
    private Sense remembered = Sense.NONE; // guarded by attentions

    LogicalUnit(UnitIdentity identity) {
        this.identity = identity;
        errors = new GuestErrors("scsi " + identity.name());
        attentions.add(Sense.POWER_ON);
    }

    /// Carries out one command.
    ///
    /// @return how many bytes were moved
    /// @throws ScsiFailure if it could not be done, or the unit has something to tell first
    /// @throws org.jvirt.core.GuestAddressException if the guest's buffers are not RAM
    public final long execute(Cdb cdb, DataBuffers data) throws ScsiFailure {
        int operation = cdb.operation();
        switch (operation) {
            case Operation.INQUIRY -> {
                return inquiry(cdb, data);
            }
            case Operation.REQUEST_SENSE -> {
                return reply(data, cdb.u8(4), takeSense().bytes(), Sense.BYTES);
            }
            default -> {
                Sense attention = takeAttention();
                if (!attention.equals(Sense.NONE)) {
                    throw new CheckCondition(attention);
                }
            }
        }
        forget();
        try {
            return run(operation, cdb, data);
        } catch (IOException e) {
            errors.report(() -> "operation 0x%02x failed: %s".formatted(operation, e.getMessage()));
            throw new CheckCondition(writes(operation) ? Sense.WRITE_ERROR : Sense.READ_ERROR);
        }
    }

    abstract long run(int operation, Cdb cdb, DataBuffers data) throws ScsiFailure, IOException;

    /// For transports that hand sense data over only when asked: the next REQUEST SENSE answers it.
    public final void remember(Sense sense) {
        synchronized (attentions) {
            remembered = sense;
        }
    }

    /// Tells the guest something at its next command.
    public final void attention(Sense sense) {
        synchronized (attentions) {
            if (attentions.size() < MAX_ATTENTIONS && !attentions.contains(sense)) {
                attentions.add(sense);
            }
        }
    }

    /// As after power-on.
    public final void reset(Sense why) {
        synchronized (attentions) {
            attentions.clear();
            attentions.add(why);
            remembered = Sense.NONE;
        }
        resetUnit();
    }

    abstract void resetUnit();

    private Sense takeAttention() {
        synchronized (attentions) {
            Sense first = attentions.poll();
            return first == null ? Sense.NONE : first;
        }
    }

    private Sense takeSense() {
        synchronized (attentions) {
            Sense answer = remembered;
            remembered = Sense.NONE;
            if (!answer.equals(Sense.NONE)) {
                return answer;
            }
        }
        return takeAttention();
    }

    private void forget() {
        synchronized (attentions) {
            remembered = Sense.NONE;
        }
    }

    private static boolean writes(int operation) {
        return switch (operation) {
            case Operation.WRITE_6,
                    Operation.WRITE_10,
                    Operation.WRITE_12,
                    Operation.WRITE_16,
                    Operation.WRITE_VERIFY_10,
                    Operation.WRITE_VERIFY_12,
                    Operation.WRITE_VERIFY_16,
                    Operation.WRITE_SAME_10,
                    Operation.WRITE_SAME_16,
                    Operation.UNMAP,
                    Operation.SYNCHRONIZE_CACHE_10,
                    Operation.SYNCHRONIZE_CACHE_16 -> true;
            default -> false;
        };
    }

    // ---- what every unit knows

    /// Peripheral device type (SPC-4 §6.6.2).
    abstract int deviceType();

    abstract boolean removable();

    /// Vital product data beyond the common pages.
    abstract List<Integer> furtherPages();

    /// @throws CheckCondition if it is none of [#furtherPages]
    abstract ReplyBytes furtherPage(int page) throws CheckCondition;

    private long inquiry(Cdb cdb, DataBuffers data) throws CheckCondition {
        int allocation = cdb.u16(3);
        boolean vital = cdb.bit(1, EVPD);
        int page = cdb.u8(2);
        if (!vital) {
            if (page != 0) {
                throw new CheckCondition(Sense.INVALID_FIELD_IN_CDB);
            }
            return reply(data, allocation, standardInquiry());
        }
        ReplyBytes content = switch (page) {
            case PAGE_SUPPORTED_PAGES -> supportedPages();
            case PAGE_SERIAL_NUMBER -> serialPage();
            case PAGE_IDENTIFICATION -> identificationPage();
            default -> furtherPage(page);
        };
        ReplyBytes whole =
                new ReplyBytes().u8(deviceType()).u8(page).u16(content.length()).add(content);
        return reply(data, allocation, whole);
    }

    private ReplyBytes standardInquiry() {
        return new ReplyBytes()
                .u8(deviceType())
                .u8(removable() ? 0x80 : 0)
                .u8(VERSION_SPC_3)
                .u8(0x02) // response data format; no normal ACA, no hierarchical addressing
                .u8(36 - 5)
                .u8(0)
                .u8(0)
                .u8(0x02) // command queueing
                .text(VENDOR, 8)
                .text(identity.product(), 16)
                .text(REVISION, 4);
    }

    private ReplyBytes supportedPages() {
        var pages = new ArrayList<>(List.of(PAGE_SUPPORTED_PAGES, PAGE_SERIAL_NUMBER, PAGE_IDENTIFICATION));
        pages.addAll(furtherPages());
        if (identity.serial().isEmpty()) {
            pages.removeIf(page -> page == PAGE_SERIAL_NUMBER);
        }
        var list = new ReplyBytes();
        pages.forEach(list::u8);
        return list;
    }

    private ReplyBytes serialPage() throws CheckCondition {
        if (identity.serial().isEmpty()) {
            throw new CheckCondition(Sense.INVALID_FIELD_IN_CDB);
        }
        return new ReplyBytes().text(identity.serial(), identity.serial().length());
    }

    private ReplyBytes identificationPage() {
        String unique = identity.serial().isEmpty() ? identity.name() : identity.serial();
        int length = 8 + unique.length();
        return new ReplyBytes()
                .u8(0x02) // ASCII
                .u8(ASCII_T10_VENDOR)
                .u8(0)
                .u8(length)
                .text(VENDOR, 8)
                .text(unique, unique.length());
    }

    // ---- helpers

    static long reply(DataBuffers data, long allocation, ReplyBytes content) {
        return reply(data, allocation, content.bytes(), content.length());
    }

    /// Gives as much as was asked for and there is room for.
    private static long reply(DataBuffers data, long allocation, byte[] content, int length) {
        int taken = (int) Math.min(Math.min(allocation, length), data.inBytes());
        data.put(0, content, taken);
        return taken;
    }

    /// All that the guest sends as parameters.
    static byte[] parameters(DataBuffers data, int length) throws ScsiFailure {
        if (length > data.outBytes()) {
            throw new DataOverrun();
        }
        return data.get(0, length);
    }
}
