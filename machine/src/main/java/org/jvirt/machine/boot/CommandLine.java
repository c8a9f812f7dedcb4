package org.jvirt.machine.boot;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jvirt.core.UserErrorException;

/// The kernel's command line as bytes ending in 0.
final class CommandLine {
    private CommandLine() {}

    /// @param limitBytes what the kernel takes, without the final 0
    static byte[] encode(String text, long limitBytes) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        long limit = Math.min(limitBytes, BootArea.COMMAND_LINE_BYTES - 1);
        if (bytes.length > limit) {
            throw new UserErrorException("The kernel's command line has %d bytes; this kernel takes %d: shorten it"
                    .formatted(bytes.length, limit));
        }
        if (text.indexOf('\0') >= 0) {
            throw new UserErrorException("The kernel's command line contains a zero byte: take it out");
        }
        return Arrays.copyOf(bytes, bytes.length + 1);
    }
}
