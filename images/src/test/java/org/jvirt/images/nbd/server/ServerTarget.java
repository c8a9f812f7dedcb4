package org.jvirt.images.nbd.server;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import org.jvirt.images.DiskImages;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.format.OpenRequest;
import org.jvirt.images.fuzz.FuzzTarget;
import org.jvirt.images.nbd.Nbd;
import org.jvirt.images.nbd.Script;
import org.jvirt.images.testing.MemoryFile;
import org.jvirt.images.testing.MemoryOpener;

/// The NBD server, with what a client says as input. Requests are served in the thread that reads them.
public final class ServerTarget implements FuzzTarget {
    private static final long DISK_BYTES = 1 << 20;

    @Override
    public String toString() {
        return "NBD server";
    }

    @Override
    public List<byte[]> seeds() throws IOException {
        return List.of(talk(true), talk(false));
    }

    private static byte[] talk(boolean structured) throws IOException {
        var bytes = new ByteArrayOutputStream();
        var out = new DataOutputStream(bytes);
        out.writeInt(3);
        option(out, Nbd.OPT_LIST, new byte[0]);
        if (structured) {
            option(out, Nbd.OPT_STRUCTURED_REPLY, new byte[0]);
            byte[] context = Nbd.BASE_ALLOCATION.getBytes(java.nio.charset.StandardCharsets.UTF_8);
            var query = new ByteArrayOutputStream();
            var words = new DataOutputStream(query);
            words.writeInt(0);
            words.writeInt(1);
            words.writeInt(context.length);
            words.write(context);
            option(out, Nbd.OPT_LIST_META_CONTEXT, query.toByteArray());
            option(out, Nbd.OPT_SET_META_CONTEXT, query.toByteArray());
        }
        option(out, Nbd.OPT_INFO, new byte[] {0, 0, 0, 0, 0, 2, 0, 3, 0, 1});
        option(out, Nbd.OPT_GO, new byte[6]);
        int[][] requests = {
            {0, Nbd.CMD_READ, 0, 4096},
            {structured ? Nbd.CMD_FLAG_DF : 0, Nbd.CMD_READ, 100, 65536},
            {Nbd.CMD_FLAG_FUA, Nbd.CMD_WRITE, 4096, 512},
            {0, Nbd.CMD_FLUSH, 0, 0},
            {0, Nbd.CMD_TRIM, 8192, 4096},
            {0, Nbd.CMD_CACHE, 0, 65536},
            {Nbd.CMD_FLAG_NO_HOLE, Nbd.CMD_WRITE_ZEROES, 0, 4096},
            {Nbd.CMD_FLAG_REQ_ONE, Nbd.CMD_BLOCK_STATUS, 0, 65536},
            {0, Nbd.CMD_BLOCK_STATUS, 512, 1_000_000},
            {0, Nbd.CMD_DISC, 0, 0}
        };
        for (int i = 0; i < requests.length; i++) {
            out.writeInt(Nbd.REQUEST_MAGIC);
            out.writeShort(requests[i][0]);
            out.writeShort(requests[i][1]);
            out.writeLong(i);
            out.writeLong(requests[i][2]);
            out.writeInt(requests[i][3]);
            if (requests[i][1] == Nbd.CMD_WRITE) {
                out.write(new byte[requests[i][3]]);
            }
        }
        return bytes.toByteArray();
    }

    private static void option(DataOutputStream out, int code, byte[] data) throws IOException {
        out.writeLong(Nbd.IHAVEOPT);
        out.writeInt(code);
        out.writeInt(data.length);
        out.write(data);
    }

    @Override
    public void run(byte[] input) throws IOException {
        var file = new MemoryFile("disk");
        file.truncate(DISK_BYTES);
        file.write(70_000, List.of(MemorySegment.ofArray(new byte[100])));
        var driver = DiskImages.driver(ImageFormat.RAW);
        var request = new OpenRequest(false, true, false, java.util.Map.of(), new MemoryOpener(driver));
        try (DiskImage image = driver.open(file, request)) {
            var settings = ServerSettings.of(NbdExport.ofImage("", "words", image, true, List.of(), true));
            Optional<Handshake.Session> session = new Handshake(settings, new Script(input)).run();
            if (session.isPresent()) {
                new Transmission(session.get(), Runnable::run).run();
            }
        }
    }
}
