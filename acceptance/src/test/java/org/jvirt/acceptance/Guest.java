package org.jvirt.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.TimeoutException;
import java.util.function.UnaryOperator;
import org.jvirt.cli.debian.DebianGuest;
import org.jvirt.machine.ExitReason;
import org.jvirt.machine.VirtualMachine;
import org.jvirt.machine.VirtualMachineBuilder;
import org.jvirt.machine.VmState;
import org.jvirt.machine.chardev.TranscriptBackend;

/// Debian's kernel in a machine of this JVM, at a shell. Not thread-safe.
final class Guest implements GuestConsole, AutoCloseable {
    /// For a boot on a slow, busy host.
    static final Duration BOOT = Duration.ofMinutes(5);

    private static final Duration SLICE = Duration.ofSeconds(1);

    private final VirtualMachine vm;
    private final TranscriptBackend console;

    private Guest(VirtualMachine vm, TranscriptBackend console) {
        this.vm = vm;
        this.console = console;
    }

    /// Switches on a machine with Debian's cloud kernel, 256 MiB and one processor, and what else is wished for.
    static Guest start(UnaryOperator<VirtualMachineBuilder> wishes) {
        return start(DebianGuest.Flavour.CLOUD, wishes);
    }

    static Guest start(DebianGuest.Flavour flavour, UnaryOperator<VirtualMachineBuilder> wishes) {
        DebianGuest files = DebianGuest.of(flavour, System.err::println);
        var console = new TranscriptBackend();
        VirtualMachineBuilder builder = VirtualMachine.builder()
                .kernel(files.kernel())
                .initrd(files.initrd())
                .append("console=ttyS0 panic=-1")
                .memory(256)
                .serial(console);
        VirtualMachine vm = wishes.apply(builder).build();
        vm.start();
        return new Guest(vm, console);
    }

    VirtualMachine vm() {
        return vm;
    }

    /// Waits for the prompt that a boot ends with.
    Shell shell() throws InterruptedException {
        return Shell.atPrompt(this, BOOT);
    }

    @Override
    public void type(String text) {
        console.type(text);
    }

    @Override
    public String expect(String words, Duration patience) throws InterruptedException {
        long deadline = System.nanoTime() + patience.toNanos();
        while (true) {
            boolean over = vm.state() == VmState.ENDED;
            long left = deadline - System.nanoTime();
            try {
                return console.expect(words, left > SLICE.toNanos() ? SLICE : Duration.ofNanos(Math.max(0, left)));
            } catch (TimeoutException e) {
                if (over) {
                    throw new AssertionError(
                            "The machine ended (%s) before '%s' came: %s".formatted(end(), words, e.getMessage()), e);
                }
                if (left <= 0) {
                    throw new AssertionError(e.getMessage(), e);
                }
            }
        }
    }

    /// Everything the guest has written.
    String transcript() {
        return console.transcript();
    }

    /// Waits for the machine's end.
    ExitReason end() throws InterruptedException {
        try {
            return vm.await(Duration.ofMinutes(1));
        } catch (TimeoutException e) {
            throw new AssertionError("The machine does not end; the guest wrote:\n" + console.transcript(), e);
        }
    }

    /// Lets the guest switch itself off.
    void powerOff() throws InterruptedException {
        console.type("poweroff -f\n");
        assertThat(end()).isEqualTo(new ExitReason.PoweredOff());
        assertThat(end().exitCode()).isZero();
    }

    @Override
    public void close() {
        vm.close();
    }
}
