package org.jvirt.examples;

import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import org.jvirt.machine.ExitReason;
import org.jvirt.machine.VirtualMachine;
import org.jvirt.machine.chardev.TranscriptBackend;

/// Boots a Linux kernel whose initial RAM disk ends in a shell, types one command, and waits for the end.
///
/// `jvirt run` leaves such a kernel and RAM disk in `~/.cache/jvirt/debian-cloud-3`.
public final class HelloGuest {
    private HelloGuest() {}

    public static void main(String[] arguments) throws InterruptedException, TimeoutException {
        if (arguments.length != 2) {
            System.err.println("Give a kernel and an initial RAM disk: HelloGuest VMLINUZ INITRD");
            System.exit(64);
        }
        System.out.println(hello(Path.of(arguments[0]), Path.of(arguments[1])));
    }

    /// @return why the machine ended
    static ExitReason hello(Path kernel, Path initrd) throws InterruptedException, TimeoutException {
        var console = new TranscriptBackend();
        try (var vm = VirtualMachine.builder()
                .kernel(kernel)
                .initrd(initrd)
                .append("console=ttyS0")
                .memory(256)
                .serial(console)
                .build()) {
            vm.start();
            console.expect("/root # ", Duration.ofMinutes(2));
            console.type("uname -a\n");
            System.out.println(console.expect("/root # ", Duration.ofSeconds(30)));
            console.type("poweroff -f\n");
            return vm.await();
        }
    }
}
