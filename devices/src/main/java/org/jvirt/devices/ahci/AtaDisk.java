package org.jvirt.devices.ahci;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.jvirt.core.BlockBackend;
import org.jvirt.core.UserErrorException;
import org.jvirt.devices.ahci.TaskFile.Ending;
import org.jvirt.devices.pci.GuestErrors;
import org.jvirt.devices.storage.ScatterList;
import org.jvirt.devices.storage.StorageDevice;

/// A SATA disk with native command queuing and TRIM (ACS-2).
///
/// The size is the backend's when the guest identifies the device; ATA has no way to tell of a change.
public final class AtaDisk implements AtaDevice, StorageDevice {
    static final int SECTOR_BYTES = 512;
    static final int QUEUE_DEPTH = 32;
    private static final String MODEL = "JVIRT HARDDISK";
    private static final int SERIAL_BYTES = 20;
    private static final int SIGNATURE = 0x0000_0101;
    private static final int MAX_MULTIPLE = 16;
    /// Blocks of 512 bytes with 64 ranges each, in one TRIM.
    private static final int MAX_TRIM_BLOCKS = 8;
    private static final int FUA = 0x80;
    private static final int TRIM = 0x01;
    private static final int POWER_ACTIVE = 0xff;
    private static final int POWER_STANDBY = 0x00;

    private final BlockBackend backend;
    private final String serial;
    private final int physicalExponent;
    private final GuestErrors failures;
    private final SmartData smart = new SmartData();
    private final QueuedErrorLog errorLog = new QueuedErrorLog();
    private volatile long sectors;
    private boolean writeCache = true;
    private int multiple = MAX_MULTIPLE;
    private boolean standby;

    /// @param serial             up to 20 ASCII characters
    /// @param physicalBlockBytes what the guest is told is written at once: a power of two, at least 512
    public AtaDisk(BlockBackend backend, String serial, int physicalBlockBytes) {
        if (serial.length() > SERIAL_BYTES
                || !StandardCharsets.US_ASCII.newEncoder().canEncode(serial)) {
            throw new UserErrorException(
                    "SATA serial \"%s\" is not up to %d ASCII characters".formatted(serial, SERIAL_BYTES));
        }
        this.backend = backend;
        this.serial = serial;
        physicalExponent = Integer.numberOfTrailingZeros(physicalBlockBytes / SECTOR_BYTES);
        failures = new GuestErrors("disk " + backend.name());
        sectors = backend.sizeBytes() / SECTOR_BYTES;
    }

    @Override
    public void resized() {
        sectors = backend.sizeBytes() / SECTOR_BYTES;
    }

    @Override
    public int signature() {
        return SIGNATURE;
    }

    @Override
    public int resetStatus() {
        return TaskFile.STATUS_IDLE;
    }

    @Override
    public void reset(boolean hard) {
        if (hard) {
            writeCache = true;
            multiple = MAX_MULTIPLE;
            smart.enable(true);
        }
        standby = false;
    }

    @Override
    public void execute(Exchange exchange) {
        TaskFile registers = exchange.registers();
        try {
            command(exchange, registers);
        } catch (IOException e) {
            failures.report(() -> "command 0x%02x at sector %d failed: %s"
                    .formatted(registers.command, registers.lba, e.getMessage()));
            registers.fail(TaskFile.ERROR_UNCORRECTABLE);
        }
        if (registers.failed() && registers.ending == Ending.QUEUED) {
            errorLog.note(registers);
        }
    }

    private void command(Exchange exchange, TaskFile registers) throws IOException {
        switch (registers.command) {
            case AtaOperation.READ_DMA -> read(exchange, registers.lba28(), registers.count8());
            case AtaOperation.READ_DMA_EXT -> read(exchange, registers.lba, registers.count16());
            case AtaOperation.READ_SECTORS, AtaOperation.READ_MULTIPLE -> {
                registers.ending = Ending.PIO_IN;
                read(exchange, registers.lba28(), registers.count8());
            }
            case AtaOperation.READ_SECTORS_EXT, AtaOperation.READ_MULTIPLE_EXT -> {
                registers.ending = Ending.PIO_IN;
                read(exchange, registers.lba, registers.count16());
            }
            case AtaOperation.WRITE_DMA, AtaOperation.WRITE_SECTORS, AtaOperation.WRITE_MULTIPLE ->
                write(exchange, registers.lba28(), registers.count8(), false);
            case AtaOperation.WRITE_DMA_EXT, AtaOperation.WRITE_SECTORS_EXT, AtaOperation.WRITE_MULTIPLE_EXT ->
                write(exchange, registers.lba, registers.count16(), false);
            case AtaOperation.WRITE_DMA_FUA_EXT, AtaOperation.WRITE_MULTIPLE_FUA_EXT ->
                write(exchange, registers.lba, registers.count16(), true);
            case AtaOperation.READ_FPDMA_QUEUED, AtaOperation.WRITE_FPDMA_QUEUED -> queued(exchange, registers);
            case AtaOperation.READ_VERIFY -> verify(registers, registers.lba28(), registers.count8());
            case AtaOperation.READ_VERIFY_EXT -> verify(registers, registers.lba, registers.count16());
            case AtaOperation.SEEK -> verify(registers, registers.lba28(), 0);
            case AtaOperation.FLUSH_CACHE, AtaOperation.FLUSH_CACHE_EXT -> flush();
            case AtaOperation.DATA_SET_MANAGEMENT -> trim(exchange, registers);
            case AtaOperation.IDENTIFY_DEVICE -> pioIn(exchange, identify());
            case AtaOperation.SET_FEATURES -> setFeatures(registers);
            case AtaOperation.SET_MULTIPLE -> setMultiple(registers);
            case AtaOperation.SMART -> smart(exchange, registers);
            case AtaOperation.READ_LOG_EXT -> {
                registers.ending = Ending.PIO_IN;
                readLog(exchange, registers);
            }
            case AtaOperation.READ_LOG_DMA_EXT -> readLog(exchange, registers);
            case AtaOperation.READ_NATIVE_MAX -> readNativeMax(registers, 0x0fff_ffff);
            case AtaOperation.READ_NATIVE_MAX_EXT -> readNativeMax(registers, 0xffff_ffff_ffffL);
            case AtaOperation.EXECUTE_DIAGNOSTIC -> {
                registers.error = 1; // passed
                registers.lba = 1;
                registers.count = 1;
                registers.device = 0;
            }
            case AtaOperation.RECALIBRATE, AtaOperation.INITIALIZE_PARAMETERS -> {}
            case AtaOperation.STANDBY_IMMEDIATE, AtaOperation.STANDBY, AtaOperation.SLEEP -> {
                flush();
                standby = true;
            }
            case AtaOperation.IDLE_IMMEDIATE, AtaOperation.IDLE -> standby = false;
            case AtaOperation.CHECK_POWER_MODE -> registers.count = standby ? POWER_STANDBY : POWER_ACTIVE;
            // What there is not: among others PACKET, and all of the security commands.
            default -> registers.fail(TaskFile.ERROR_ABORTED);
        }
    }

    // ---- data

    private boolean outside(TaskFile registers, long sector, long count) {
        long end = sectors;
        if (sector > end || count > end - sector) {
            registers.fail(TaskFile.ERROR_NO_ID);
            return true;
        }
        return false;
    }

    private boolean refused(TaskFile registers, long sector, long count) {
        // Cylinders, heads and sectors are addressed by nobody who has an AHCI controller.
        if (!registers.lbaMode()) {
            registers.fail(TaskFile.ERROR_ABORTED);
            return true;
        }
        return outside(registers, sector, count);
    }

    private void read(Exchange exchange, long sector, int count) throws IOException {
        TaskFile registers = exchange.registers();
        if (refused(registers, sector, count)) {
            return;
        }
        long length = (long) count * SECTOR_BYTES;
        ScatterList buffers = exchange.slot().buffers(length);
        if (buffers.bytes() < length) {
            registers.fail(TaskFile.ERROR_ABORTED);
            return;
        }
        standby = false;
        try {
            backend.read(sector * SECTOR_BYTES, buffers.in(0, length));
        } finally {
            // A failed read may have written a part.
            buffers.filled(0, length);
        }
        registers.movedBytes = length;
    }

    private void write(Exchange exchange, long sector, int count, boolean durable) throws IOException {
        TaskFile registers = exchange.registers();
        if (backend.readOnly()) {
            registers.fail(TaskFile.ERROR_ABORTED);
            return;
        }
        if (refused(registers, sector, count)) {
            return;
        }
        long length = (long) count * SECTOR_BYTES;
        ScatterList buffers = exchange.slot().buffers(length);
        if (buffers.bytes() < length) {
            registers.fail(TaskFile.ERROR_ABORTED);
            return;
        }
        standby = false;
        backend.write(sector * SECTOR_BYTES, buffers.out(0, length));
        if (durable || !writeCache) {
            backend.flush();
        }
        registers.movedBytes = length;
    }

    /// The sector count is in the features, the tag in the count.
    private void queued(Exchange exchange, TaskFile registers) throws IOException {
        registers.ending = Ending.QUEUED;
        int count = registers.features == 0 ? 65536 : registers.features;
        if (registers.command == AtaOperation.READ_FPDMA_QUEUED) {
            read(exchange, registers.lba, count);
        } else {
            write(exchange, registers.lba, count, (registers.device & FUA) != 0);
        }
    }

    private void verify(TaskFile registers, long sector, int count) {
        if (!refused(registers, sector, count)) {
            standby = false;
        }
    }

    private void flush() throws IOException {
        if (!backend.readOnly()) {
            backend.flush();
        }
    }

    private void trim(Exchange exchange, TaskFile registers) throws IOException {
        int blocks = registers.count;
        if (registers.features != TRIM || blocks == 0 || blocks > MAX_TRIM_BLOCKS || backend.readOnly()) {
            registers.fail(TaskFile.ERROR_ABORTED);
            return;
        }
        int length = blocks * SECTOR_BYTES;
        ScatterList buffers = exchange.slot().buffers(length);
        if (buffers.bytes() < length) {
            registers.fail(TaskFile.ERROR_ABORTED);
            return;
        }
        ByteBuffer ranges = ByteBuffer.wrap(buffers.get(0, length)).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 0; at < length; at += Long.BYTES) {
            if (outside(registers, sector(ranges.getLong(at)), count(ranges.getLong(at)))) {
                return;
            }
        }
        for (int at = 0; at < length; at += Long.BYTES) {
            long range = ranges.getLong(at);
            if (count(range) > 0) {
                backend.discard(sector(range) * SECTOR_BYTES, count(range) * SECTOR_BYTES);
            }
        }
        registers.movedBytes = length;
    }

    private static long sector(long range) {
        return range & 0xffff_ffff_ffffL;
    }

    private static long count(long range) {
        return range >>> 48;
    }

    /// Gives a block of data by PIO.
    private static void pioIn(Exchange exchange, byte[] content) {
        exchange.registers().ending = Ending.PIO_IN;
        give(exchange, content, content.length);
    }

    private static void give(Exchange exchange, byte[] content, int length) {
        ScatterList buffers = exchange.slot().buffers(length);
        if (buffers.bytes() < length) {
            exchange.registers().fail(TaskFile.ERROR_ABORTED);
            return;
        }
        buffers.put(0, content, length);
        exchange.registers().movedBytes = length;
    }

    // ---- what the device tells and lets be set

    private byte[] identify() {
        long count = sectors;
        long cylinders = Math.min(count / (16 * 63), 16383);
        return new IdentifyData()
                .word(0, 0x0040)
                .word(1, (int) cylinders)
                .word(3, 16)
                .word(6, 63)
                .names(serial, MODEL)
                .word(47, 0x8000 | MAX_MULTIPLE)
                .word(49, 0x2f00) // standby timer, IORDY, LBA, DMA
                .word(50, 0x4000)
                .word(53, 0x0007)
                .word(54, (int) cylinders)
                .word(55, 16)
                .word(56, 63)
                .doubleWord(57, cylinders * 16 * 63)
                .word(59, 0x0100 | multiple)
                .doubleWord(60, Math.min(count, 0x0fff_ffff))
                .word(63, 0x0007) // multiword DMA 0–2
                .word(64, 0x0003) // PIO 3–4
                .doubleWord(65, 120 | 120 << 16)
                .doubleWord(67, 120 | 120 << 16)
                .word(75, QUEUE_DEPTH - 1)
                .word(76, 0x0106) // native command queuing; 1.5 and 3 Gbit/s
                .word(80, 0x01f0) // ATA/ATAPI-4 to ATA8-ACS
                .word(82, 0x4021) // NOP, write cache, SMART
                .word(83, 0x7400) // FLUSH CACHE (EXT), 48-bit addresses
                .word(84, 0x4060) // FUA, general-purpose logging
                .word(85, 0x4000 | (writeCache ? 0x20 : 0) | (smart.enabled() ? 1 : 0))
                .word(86, 0x3400)
                .word(87, 0x4060)
                .word(88, 0x203f) // Ultra DMA 0–5, 5 chosen
                .quadWord(100, count)
                .word(105, MAX_TRIM_BLOCKS)
                .word(106, 0x4000 | (physicalExponent > 0 ? 0x2000 | physicalExponent : 0))
                .word(169, TRIM)
                .word(209, 0x4000)
                .word(217, 0x0001) // does not rotate
                .word(222, 0x103f) // SATA up to 3.0
                .bytes();
    }

    private void setFeatures(TaskFile registers) {
        switch (registers.features & 0xff) {
            case 0x02 -> writeCache = true;
            case 0x82 -> {
                try {
                    flush();
                    writeCache = false;
                } catch (IOException e) {
                    registers.fail(TaskFile.ERROR_ABORTED);
                }
            }
            // Transfer mode, read look-ahead, reverting to defaults.
            case 0x03, 0xaa, 0x55, 0xcc, 0x66 -> {}
            default -> registers.fail(TaskFile.ERROR_ABORTED);
        }
    }

    private void setMultiple(TaskFile registers) {
        int count = registers.count & 0xff;
        if (count > MAX_MULTIPLE || Integer.bitCount(count) > 1) {
            registers.fail(TaskFile.ERROR_ABORTED);
        } else {
            multiple = count;
        }
    }

    private void smart(Exchange exchange, TaskFile registers) {
        byte[] content = smart.execute(registers);
        if (content.length > 0) {
            pioIn(exchange, content);
        }
    }

    private void readLog(Exchange exchange, TaskFile registers) {
        int log = (int) registers.lba & 0xff;
        int page = (int) (registers.lba >>> 8) & 0xff;
        if (registers.count != 1 || page != 0) {
            registers.fail(TaskFile.ERROR_ABORTED);
            return;
        }
        switch (log) {
            case QueuedErrorLog.DIRECTORY_ADDRESS -> give(exchange, QueuedErrorLog.directory(), SECTOR_BYTES);
            case QueuedErrorLog.ADDRESS -> give(exchange, errorLog.page(), SECTOR_BYTES);
            default -> registers.fail(TaskFile.ERROR_ABORTED);
        }
    }

    private void readNativeMax(TaskFile registers, long limit) {
        registers.lba = Math.min(Math.max(0, sectors - 1), limit);
        if (limit == 0x0fff_ffff) {
            registers.device = registers.device & 0xf0 | (int) (registers.lba >>> 24);
            registers.lba &= 0xff_ffff;
        }
    }
}
