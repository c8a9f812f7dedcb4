package org.jvirt.acceptance;

import java.time.Duration;

/// The host's end of a guest's serial console.
interface GuestConsole {
    /// Sends text to the guest.
    void type(String text);

    /// Waits until the guest has written `words` after what earlier calls found.
    ///
    /// @return what it wrote up to and including the words
    /// @throws AssertionError if they do not come, or cannot come any more
    String expect(String words, Duration patience) throws InterruptedException;
}
