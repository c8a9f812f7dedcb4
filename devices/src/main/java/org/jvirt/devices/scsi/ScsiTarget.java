package org.jvirt.devices.scsi;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jvirt.devices.storage.DataBuffers;

/// Logical units that share an address, and what the target answers in their place (SPC-4 §6.33, SAM-5 §4.8).
/// Thread-safe.
public final class ScsiTarget {
    private static final int NOT_THERE = 0x7f;
    private static final int INQUIRY_BYTES = 36;

    private final SortedMap<Integer, LogicalUnit> units;

    /// @param units by number, 0 to 255
    public ScsiTarget(Map<Integer, LogicalUnit> units) {
        this.units = new TreeMap<>(units);
    }

    public Optional<LogicalUnit> unit(int number) {
        return Optional.ofNullable(units.get(number));
    }

    /// All of them, by number.
    public List<LogicalUnit> units() {
        return List.copyOf(units.values());
    }

    /// As [LogicalUnit#execute].
    public long execute(int number, Cdb cdb, DataBuffers data) throws ScsiFailure {
        if (cdb.operation() == Operation.REPORT_LUNS) {
            return reportUnits(cdb, data);
        }
        LogicalUnit unit = units.get(number);
        if (unit != null) {
            return unit.execute(cdb, data);
        }
        if (cdb.operation() != Operation.INQUIRY) {
            throw new CheckCondition(Sense.NO_SUCH_UNIT);
        }
        var nothing = new ReplyBytes()
                .u8(NOT_THERE)
                .u8(0)
                .u8(5)
                .u8(2)
                .u8(INQUIRY_BYTES - 5)
                .zeroes(31);
        return LogicalUnit.reply(data, cdb.u16(3), nothing);
    }

    private long reportUnits(Cdb cdb, DataBuffers data) throws CheckCondition {
        if (cdb.u32(6) < 16 || cdb.u8(2) > 2) {
            throw new CheckCondition(Sense.INVALID_FIELD_IN_CDB);
        }
        // Well-known units, which 1 asks for, there are none.
        boolean any = cdb.u8(2) != 1;
        var list = new ReplyBytes().u32(any ? 8L * units.size() : 0).u32(0);
        if (any) {
            units.keySet().forEach(number -> list.u16(number).zeroes(6));
        }
        return LogicalUnit.reply(data, cdb.u32(6), list);
    }
}
