package org.jvirt.devices.scsi;

import java.util.Map;
import java.util.SortedMap;
import org.jvirt.devices.storage.DataBuffers;

/// MODE SENSE of both lengths (SPC-4 §6.11, §6.12, §7.5), and the parameter lists of MODE SELECT.
final class ModePages {
    static final int ERROR_RECOVERY = 0x01;
    static final int CACHING = 0x08;
    static final int CONTROL = 0x0a;
    static final int AUDIO_CONTROL = 0x0e;
    static final int CAPABILITIES = 0x2a;
    private static final int ALL = 0x3f;
    private static final int NO_BLOCK_DESCRIPTORS = 0x08;
    private static final int HEADER_6 = 4;
    private static final int HEADER_10 = 8;
    private static final int PAGE_HEADER = 2;

    /// Which of its values a page is asked for.
    enum Control {
        CURRENT,
        CHANGEABLE,
        DEFAULT
    }

    private ModePages() {}

    static boolean ten(Cdb cdb) {
        return cdb.operation() == Operation.MODE_SENSE_10 || cdb.operation() == Operation.MODE_SELECT_10;
    }

    static Control control(Cdb cdb) throws CheckCondition {
        return switch (cdb.u8(2) >> 6) {
            case 0 -> Control.CURRENT;
            case 1 -> Control.CHANGEABLE;
            case 2 -> Control.DEFAULT;
            default -> throw new CheckCondition(Sense.SAVING_NOT_SUPPORTED);
        };
    }

    /// @param mediumType      and `deviceSpecific`, of the header
    /// @param blockDescriptor empty, or 8 bytes
    /// @param pages           the contents of all pages, without their first two bytes, by number
    static long sense(
            Cdb cdb,
            DataBuffers data,
            int mediumType,
            int deviceSpecific,
            ReplyBytes blockDescriptor,
            SortedMap<Integer, ReplyBytes> pages)
            throws CheckCondition {
        int wanted = cdb.u8(2) & ALL;
        int subpage = cdb.u8(3);
        if (wanted != ALL && !pages.containsKey(wanted) || subpage != 0 && subpage != 0xff) {
            throw new CheckCondition(Sense.INVALID_FIELD_IN_CDB);
        }
        boolean ten = ten(cdb);
        ReplyBytes descriptor = cdb.bit(1, NO_BLOCK_DESCRIPTORS) ? new ReplyBytes() : blockDescriptor;
        var reply = new ReplyBytes();
        if (ten) {
            reply.u16(0).u8(mediumType).u8(deviceSpecific).u16(0).u16(descriptor.length());
        } else {
            reply.u8(0).u8(mediumType).u8(deviceSpecific).u8(descriptor.length());
        }
        reply.add(descriptor);
        for (Map.Entry<Integer, ReplyBytes> page : pages.entrySet()) {
            if (wanted == ALL || wanted == page.getKey()) {
                reply.u8(page.getKey()).u8(page.getValue().length()).add(page.getValue());
            }
        }
        if (ten) {
            reply.setU16(0, reply.length() - 2);
        } else {
            reply.setU8(0, reply.length() - 1);
        }
        return LogicalUnit.reply(data, ten ? cdb.u16(7) : cdb.u8(4), reply);
    }

    /// Takes one page of a MODE SELECT.
    @FunctionalInterface
    interface Change {
        /// @param at where the page's third byte is
        void page(int number, byte[] list, int at, int length) throws CheckCondition;
    }

    static long select(Cdb cdb, DataBuffers data, Change change) throws ScsiFailure {
        boolean ten = ten(cdb);
        int length = ten ? cdb.u16(7) : cdb.u8(4);
        if (cdb.bit(1, 0x01)) {
            throw new CheckCondition(Sense.INVALID_FIELD_IN_CDB); // SP: nothing is saved
        }
        if (length == 0) {
            return 0;
        }
        byte[] list = LogicalUnit.parameters(data, length);
        int header = ten ? HEADER_10 : HEADER_6;
        if (length < header) {
            throw new CheckCondition(Sense.PARAMETER_LIST_LENGTH);
        }
        int descriptors = ten ? (list[6] & 0xff) << 8 | list[7] & 0xff : list[3] & 0xff;
        if (header + descriptors > length) {
            throw new CheckCondition(Sense.PARAMETER_LIST_LENGTH);
        }
        int at = header + descriptors;
        while (at < length) {
            if (at + PAGE_HEADER > length) {
                throw new CheckCondition(Sense.PARAMETER_LIST_LENGTH);
            }
            int number = list[at] & 0x3f;
            int pageLength = list[at + 1] & 0xff;
            if ((list[at] & 0x40) != 0) {
                throw new CheckCondition(Sense.INVALID_FIELD_IN_LIST);
            }
            if (at + PAGE_HEADER + pageLength > length) {
                throw new CheckCondition(Sense.PARAMETER_LIST_LENGTH);
            }
            change.page(number, list, at + PAGE_HEADER, pageLength);
            at += PAGE_HEADER + pageLength;
        }
        return length;
    }
}
