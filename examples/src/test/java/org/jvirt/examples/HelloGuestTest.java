package org.jvirt.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.jvirt.cli.debian.DebianGuest;

@Tag("acceptance")
final class HelloGuestTest {
    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES)
    void theExampleShowsTheGuestsNameAndThatItPoweredOff() throws Exception {
        DebianGuest guest = DebianGuest.of(DebianGuest.Flavour.CLOUD, System.err::println);
        var shown = new ByteArrayOutputStream();
        PrintStream before = System.out;
        System.setOut(new PrintStream(shown, true, StandardCharsets.UTF_8));
        try {
            HelloGuest.main(
                    new String[] {guest.kernel().toString(), guest.initrd().toString()});
        } finally {
            System.setOut(before);
        }
        assertThat(shown.toString(StandardCharsets.UTF_8)).contains("Linux jvirt 6.", "x86_64", "PoweredOff");
    }
}
