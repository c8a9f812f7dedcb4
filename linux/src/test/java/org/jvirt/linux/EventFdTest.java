package org.jvirt.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

final class EventFdTest {
    @Test
    void signalsBeforeWaitingAreCounted() {
        try (var event = new EventFd()) {
            event.signal();
            event.signal();
            assertThat(event.await()).isEqualTo(2);
        }
    }

    @Test
    void aSignalEndsAWaitUnderWay() throws Exception {
        try (var event = new EventFd()) {
            var heard = new CompletableFuture<Long>();
            Thread.ofPlatform().daemon().start(() -> heard.complete(event.await()));
            event.signal();
            assertThat(heard.get(10, TimeUnit.SECONDS)).isEqualTo(1);
        }
    }

    @Test
    void aSignalAfterClosingGoesNowhere() {
        var event = new EventFd();
        event.close();
        event.signal();
        event.close();
        assertThat(event.fd()).isPositive();
    }

    @Test
    void aKickSignalEndsABlockingCallWithoutHarm() throws Exception {
        try (var event = new EventFd()) {
            KickSignal.number();
            var thread = new CompletableFuture<Integer>();
            var heard = new CompletableFuture<Long>();
            Thread.ofPlatform().daemon().start(() -> {
                thread.complete(KickSignal.currentThread());
                heard.complete(event.await());
            });
            int id = thread.get(10, TimeUnit.SECONDS);
            for (int i = 0; i < 100; i++) {
                KickSignal.send(id);
            }
            assertThat(heard).isNotDone();
            event.signal();
            assertThat(heard.get(10, TimeUnit.SECONDS)).isEqualTo(1);
            // the thread has ended, or will soon
            KickSignal.send(id);
        }
    }

    @Test
    void failuresThatAUserCanCureSayHow() {
        assertThat(new SystemCallException("make an event descriptor", 24))
                .hasMessage("Cannot make an event descriptor: too many open files in this process; raise the limit"
                        + " (ulimit -n, LimitNOFILE=) (EMFILE)");
        assertThat(new SystemCallException("lock 64 MiB of guest memory", 12, "; raise the limit (ulimit -l)"))
                .hasMessage(
                        "Cannot lock 64 MiB of guest memory: not enough memory (ENOMEM); raise the limit (ulimit -l)");
    }
}
