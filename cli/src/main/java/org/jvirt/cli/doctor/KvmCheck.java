package org.jvirt.cli.doctor;

import java.nio.file.Path;
import java.util.Set;
import org.jvirt.core.HostFailureException;
import org.jvirt.linux.DeviceFile;

/// Whether `/dev/kvm` is there, opens, and has hardware behind it.
final class KvmCheck {
    private static final long KVM_GET_API_VERSION = 0xAE00;
    private static final int KVM_API_VERSION = 12;

    private KvmCheck() {}

    static Finding examine(HostFiles host, Set<String> cpuFlags) {
        boolean hardware = cpuFlags.contains("vmx") || cpuFlags.contains("svm");
        Path device = host.path("/dev/kvm");
        if (!host.exists("/dev/kvm")) {
            return hardware
                    ? Finding.missing(
                            "KVM",
                            "the processor has %s, but there is no /dev/kvm"
                                    .formatted(cpuFlags.contains("vmx") ? "vmx" : "svm"),
                            "load the module: sudo modprobe %s; in a container, pass the device in"
                                    .formatted(cpuFlags.contains("vmx") ? "kvm-intel" : "kvm-amd"))
                    : Finding.missing(
                            "KVM",
                            "no /dev/kvm, and the processor shows neither vmx nor svm",
                            "switch virtualization on in the firmware or, in a virtual machine, nested virtualization in"
                                    + " its host; until then the interpreter does the work");
        }
        try (DeviceFile kvm = DeviceFile.open(device)) {
            int version = kvm.ioctl("KVM_GET_API_VERSION", KVM_GET_API_VERSION, 0);
            if (version != KVM_API_VERSION) {
                return Finding.missing("KVM", "/dev/kvm speaks version " + version, "use a kernel from after 2007");
            }
        } catch (HostFailureException e) {
            return Finding.missing(
                    "KVM",
                    String.valueOf(e.getMessage()),
                    "join the group that owns it: sudo usermod -aG kvm $USER, then log in again");
        }
        return hardware
                ? Finding.good("KVM", "/dev/kvm opens and the processor has hardware virtualization")
                : Finding.fair(
                        "KVM",
                        "/dev/kvm opens, but the processor shows neither vmx nor svm: no hardware is behind it, guests"
                                + " would run at a few million instructions a second",
                        "leave it alone: jvirt's own engine is faster here");
    }
}
