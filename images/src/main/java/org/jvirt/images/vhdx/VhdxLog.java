package org.jvirt.images.vhdx;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jvirt.images.blocks.Patch;
import org.jvirt.images.file.ImageFile;

/// Brings changes of the table into the file so that a crash at any instant leaves it as before or as after: first
/// into the log, then to their place. Not thread-safe.
final class VhdxLog {
    private final ImageFile file;
    private final VhdxHeaders headers;
    private Guid guid = Guid.NONE;
    private long number = 1;
    private long position;

    VhdxLog(ImageFile file, VhdxHeaders headers) {
        this.file = file;
        this.headers = headers;
    }

    /// @param sectors as [LogEntry#of] wants them; on return they are durable
    void write(List<Patch> sectors) throws IOException {
        int most = LogEntry.mostSectors(headers.current().logLength());
        for (int done = 0; done < sectors.size(); done += most) {
            writeEntry(sectors.subList(done, Math.min(sectors.size(), done + most)));
        }
    }

    private void writeEntry(List<Patch> sectors) throws IOException {
        boolean first = guid.equals(Guid.NONE);
        Guid entryGuid = first ? Guid.random() : guid;
        VhdxHeader header = headers.current();
        LogEntry planned = LogEntry.of(entryGuid, number, position, sectors, file.sizeBytes());
        long at = position + planned.length() <= header.logLength() ? position : 0;
        LogEntry entry = at == position ? planned : LogEntry.of(entryGuid, number, at, sectors, file.sizeBytes());
        file.write(header.logOffset() + at, MemorySegment.ofArray(entry.bytes().array()));
        file.flush();
        if (first) {
            // Only now does the log count: it is never found empty.
            headers.change(header.withLog(entryGuid));
            guid = entryGuid;
        }
        Patch.writeAll(file, sectors);
        file.flush();
        number++;
        position = at + entry.length();
    }

    /// Everything is in its place: nobody needs to look into the log.
    void empty() throws IOException {
        if (!headers.current().logGuid().equals(Guid.NONE)) {
            headers.change(headers.current().withLog(Guid.NONE));
            guid = Guid.NONE;
        }
    }

    /// Splits patches into sectors.
    static List<Patch> sectors(List<Patch> patches) {
        List<Patch> sectors = new ArrayList<>();
        for (Patch patch : patches) {
            for (int at = 0; at < patch.bytes().length; at += LogEntry.SECTOR_BYTES) {
                byte[] sector = new byte[LogEntry.SECTOR_BYTES];
                System.arraycopy(patch.bytes(), at, sector, 0, LogEntry.SECTOR_BYTES);
                sectors.add(new Patch(patch.offsetBytes() + at, sector));
            }
        }
        return sectors;
    }
}
