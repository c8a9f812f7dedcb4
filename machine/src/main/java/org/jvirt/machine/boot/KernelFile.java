package org.jvirt.machine.boot;

import org.jvirt.core.UserErrorException;
import org.jvirt.machine.layout.MemoryMap;

/// Recognises what kind of kernel a file is.
public final class KernelFile {
    private static final long LIMIT_BYTES = 1L << 30;

    private KernelFile() {}

    /// Checks a kernel and everything it is to get, in the order multiboot, PVH, Linux.
    ///
    /// @throws UserErrorException if the file is no kernel, is damaged, or does not fit
    public static BootLoader of(BootRequest request) {
        HostFile file = HostFile.of("kernel", request.kernel()).limited(LIMIT_BYTES);
        var image = new Image(file);
        int header = MultibootKernel.header(image);
        if (header >= 0) {
            return new MultibootKernel(request, image, header);
        }
        if (ElfFile.isElf(image)) {
            return new PvhKernel(request, new ElfFile(image));
        }
        if (BzImage.matches(image)) {
            return new BzImage(request, image);
        }
        throw new UserErrorException(
                "'%s' (%s) is not a kernel: it is neither a Linux bzImage, nor ELF with a PVH note, nor multiboot%s"
                        .formatted(request.kernel(), MemoryMap.size(file.sizeBytes()), guess(image)));
    }

    private static String guess(Image image) {
        if (image.sizeBytes() == 0) {
            return "; it is empty";
        }
        int printable = 0;
        int looked = (int) Math.min(image.sizeBytes(), 512);
        byte[] bytes = image.bytes(0, looked);
        for (int i = 0; i < looked; i++) {
            printable += bytes[i] >= ' ' && bytes[i] < 0x7f || bytes[i] == '\n' || bytes[i] == '\t' || bytes[i] == '\r'
                    ? 1
                    : 0;
        }
        if (printable == looked) {
            return "; it is a text file";
        }
        if ((bytes[0] & 0xff) == 0x1f && looked > 1 && (bytes[1] & 0xff) == 0x8b) {
            return "; it is compressed with gzip: unpack it first";
        }
        return image.sizeBytes() < 1024 ? "; it is shorter than any kernel" : "";
    }
}
