package org.jvirt.devices.ahci;

import org.jvirt.devices.scsi.Cdb;
import org.jvirt.devices.scsi.CdromUnit;
import org.jvirt.devices.scsi.CheckCondition;
import org.jvirt.devices.scsi.DataOverrun;
import org.jvirt.devices.scsi.ScsiFailure;
import org.jvirt.devices.scsi.Sense;
import org.jvirt.devices.storage.ScatterList;

/// A CD-ROM drive: SCSI commands in ATA's PACKET (ACS-2 §7.18).
public final class AtapiDrive implements AtaDevice {
    private static final String MODEL = "JVIRT DVD-ROM";
    private static final int SIGNATURE = 0xeb14_0101;
    /// What one command moves at most.
    private static final long MAX_BYTES = 32 << 20;
    /// Interrupt reason: command done.
    private static final int COMMAND_OR_DATA = 0x01;

    private static final int INPUT = 0x02;

    private final CdromUnit unit;
    private final String serial;
    private final Cdb cdb = new Cdb();

    public AtapiDrive(CdromUnit unit, String serial) {
        this.unit = unit;
        this.serial = serial;
    }

    @Override
    public int signature() {
        return SIGNATURE;
    }

    @Override
    public int resetStatus() {
        return 0;
    }

    @Override
    public void reset(boolean hard) {
        if (hard) {
            unit.reset(Sense.POWER_ON);
        }
    }

    @Override
    public void execute(Exchange exchange) {
        TaskFile registers = exchange.registers();
        switch (registers.command) {
            case AtaOperation.PACKET -> packet(exchange, registers);
            case AtaOperation.IDENTIFY_PACKET_DEVICE -> identify(exchange, registers);
            case AtaOperation.DEVICE_RESET, AtaOperation.EXECUTE_DIAGNOSTIC -> {
                unit.reset(Sense.BUS_RESET);
                signature(registers);
                registers.status = resetStatus();
                registers.error = 1;
            }
            case AtaOperation.IDENTIFY_DEVICE, AtaOperation.READ_SECTORS -> {
                signature(registers);
                registers.fail(TaskFile.ERROR_ABORTED);
            }
            case AtaOperation.SET_FEATURES -> {
                if ((registers.features & 0xff) != 0x03) {
                    registers.fail(TaskFile.ERROR_ABORTED);
                }
            }
            case AtaOperation.CHECK_POWER_MODE -> registers.count = 0xff;
            case AtaOperation.STANDBY_IMMEDIATE,
                    AtaOperation.IDLE_IMMEDIATE,
                    AtaOperation.SLEEP,
                    AtaOperation.FLUSH_CACHE -> {}
            default -> registers.fail(TaskFile.ERROR_ABORTED);
        }
    }

    private static void signature(TaskFile registers) {
        registers.lba = SIGNATURE >>> 8 & 0xff_ffff;
        registers.count = SIGNATURE & 0xff;
    }

    private void packet(Exchange exchange, TaskFile registers) {
        cdb.load(exchange.slot().packet(), 0, 12);
        ScatterList buffers = exchange.slot().buffers(MAX_BYTES);
        try {
            registers.movedBytes = unit.execute(cdb, buffers);
        } catch (ScsiFailure failure) {
            Sense sense = switch (failure) {
                case CheckCondition check -> check.sense();
                case DataOverrun _ -> Sense.INVALID_FIELD_IN_CDB;
            };
            unit.remember(sense);
            registers.fail(
                    sense.key() << 4 | (sense.key() == Sense.INVALID_FIELD_IN_CDB.key() ? TaskFile.ERROR_ABORTED : 0));
        }
        registers.count = COMMAND_OR_DATA | INPUT;
    }

    private void identify(Exchange exchange, TaskFile registers) {
        byte[] data = new IdentifyData()
                .word(0, 0x8580) // CD-ROM, removable, 12-byte packets
                .names(serial, MODEL)
                .word(49, 0x0f00)
                .word(53, 0x0006)
                .word(63, 0x0007)
                .word(64, 0x0003)
                .doubleWord(65, 120 | 120 << 16)
                .doubleWord(67, 120 | 120 << 16)
                .word(76, 0x0006)
                .word(80, 0x01f0)
                .word(82, 0x4210) // NOP, DEVICE RESET, PACKET
                .word(83, 0x4000)
                .word(84, 0x4000)
                .word(85, 0x4210)
                .word(87, 0x4000)
                .word(88, 0x203f)
                .word(222, 0x103f)
                .bytes();
        registers.ending = TaskFile.Ending.PIO_IN;
        ScatterList buffers = exchange.slot().buffers(IdentifyData.BYTES);
        if (buffers.bytes() < IdentifyData.BYTES) {
            registers.fail(TaskFile.ERROR_ABORTED);
            return;
        }
        buffers.put(0, data, IdentifyData.BYTES);
        registers.movedBytes = IdentifyData.BYTES;
    }
}
