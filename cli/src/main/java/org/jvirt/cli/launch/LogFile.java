package org.jvirt.cli.launch;

import java.io.IOException;
import java.nio.file.Path;
import java.util.logging.FileHandler;
import java.util.logging.Handler;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import org.jvirt.core.UserErrorException;

/// Sends the program's log to a file instead of standard error.
final class LogFile {
    private LogFile() {}

    static void open(Path file) {
        try {
            // A pattern, in which % is special.
            var handler = new FileHandler(file.toString().replace("%", "%%"));
            handler.setFormatter(new SimpleFormatter());
            Logger root = Logger.getLogger("");
            for (Handler old : root.getHandlers()) {
                root.removeHandler(old);
            }
            root.addHandler(handler);
        } catch (IOException e) {
            throw new UserErrorException("Cannot write the log to %s: %s".formatted(file, e.getMessage()), e);
        }
    }
}
