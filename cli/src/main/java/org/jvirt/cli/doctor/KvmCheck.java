package org.jvirt.cli.doctor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.jvirt.linux.DeviceFile;
import org.jvirt.linux.Errno;
import org.jvirt.linux.SystemCallException;

/// Whether `/dev/kvm` is there, opens, and has hardware behind it; if not, which of the many reasons it is.
///
/// ```
/// no node:    flags vmx, svm ── yes ─► module loaded? ── yes ─► a container without the device
///                            │                        └─ no ──► load it
///                            └─ no ──► inside a VM? ─── yes ─► nested virtualization is off around us
///                                                   └── no ──► switched off in the firmware
/// a node:     opens? ── no ─► permission, no driver, or a control group
///                    └─ yes ► is it KVM, and is hardware behind it?
/// ```
final class KvmCheck {
    private static final String SUBJECT = "KVM";
    private static final String NODE = "/dev/kvm";
    private static final long KVM_GET_API_VERSION = 0xAE00;
    private static final int KVM_API_VERSION = 12;

    private final HostFiles host;
    private final Set<String> cpuFlags;

    private KvmCheck(HostFiles host, Set<String> cpuFlags) {
        this.host = host;
        this.cpuFlags = cpuFlags;
    }

    static Finding examine(HostFiles host, Set<String> cpuFlags) {
        var check = new KvmCheck(host, cpuFlags);
        return host.exists(NODE) ? check.openNode() : check.withoutNode();
    }

    private boolean hardware() {
        return cpuFlags.contains("vmx") || cpuFlags.contains("svm");
    }

    /// Where the processor does not say, its maker does.
    private boolean amd() {
        return cpuFlags.contains("svm")
                || !cpuFlags.contains("vmx")
                        && host.field("/proc/cpuinfo", "vendor_id")
                                .filter(vendor -> vendor.contains("AMD"))
                                .isPresent();
    }

    private String module() {
        return amd() ? "kvm_amd" : "kvm_intel";
    }

    private boolean inContainer() {
        return host.exists("/.dockerenv")
                || host.exists("/run/.containerenv")
                || host.read("/proc/1/environ")
                        .filter(environment -> environment.contains("container="))
                        .isPresent();
    }

    // ---- no node

    private Finding withoutNode() {
        if (!hardware()) {
            return cpuFlags.contains("hypervisor") ? notNested() : switchedOff();
        }
        String flag = amd() ? "svm" : "vmx";
        if (host.exists("/sys/module/" + module())) {
            return Finding.missing(
                    SUBJECT,
                    "the kernel has %s loaded, but there is no %s here: a container without the device"
                            .formatted(module(), NODE),
                    "hand the device in: docker or podman run --device %s; Kubernetes: a KVM device plugin"
                            .formatted(NODE));
        }
        return Finding.missing(
                SUBJECT,
                "the processor has %s, but the kernel module %s is not loaded".formatted(flag, module()),
                "%ssudo modprobe %s; if that says 'Operation not supported', the firmware has switched it off"
                        .formatted(inContainer() ? "on the host around this container: " : "", module()));
    }

    private Finding notNested() {
        return Finding.missing(
                SUBJECT,
                "this host is itself a virtual machine, which was not given nested virtualization (no vmx or svm)",
                ("around it: modprobe %s nested=1, and pass the processor through (-cpu host, host-passthrough); in a"
                                + " cloud choose an instance type with nested virtualization; until then the software"
                                + " engine does the work")
                        .formatted(module()));
    }

    private Finding switchedOff() {
        return Finding.missing(
                SUBJECT,
                "no %s, and the processor shows neither vmx nor svm".formatted(NODE),
                "switch virtualization on in the firmware's setup: %s; until then the software engine does the work"
                        .formatted(amd() ? "SVM Mode" : "Intel Virtualization Technology (VT-x)"));
    }

    // ---- a node

    private Finding openNode() {
        Path node = host.path(NODE);
        try (DeviceFile kvm = DeviceFile.open(node)) {
            int version = kvm.tryIoctl(KVM_GET_API_VERSION, 0);
            if (version < 0) {
                return Finding.missing(
                        SUBJECT,
                        NODE + " is something else: it does not answer KVM_GET_API_VERSION",
                        "sudo rm %s, sudo modprobe %s".formatted(NODE, module()));
            }
            if (version != KVM_API_VERSION) {
                return Finding.missing(SUBJECT, NODE + " speaks version " + version, "use a kernel from after 2007");
            }
        } catch (SystemCallException e) {
            return refused(node, e.errno());
        }
        return hardware()
                ? Finding.good(SUBJECT, NODE + " opens and the processor has hardware virtualization")
                : Finding.fair(
                        SUBJECT,
                        NODE + " opens, but the processor shows neither vmx nor svm: no hardware is behind it, guests"
                                + " would run at a few million instructions a second",
                        "leave it alone: jvirt's own engine is faster here");
    }

    private Finding refused(Path node, Errno errno) {
        return switch (errno) {
            case EACCES -> {
                String group = group(node);
                yield Finding.missing(
                        SUBJECT,
                        "%s may not be opened by this user: it belongs to group %s".formatted(NODE, group),
                        "join that group: sudo usermod -aG %s $USER, then log in again".formatted(group));
            }
            case EPERM ->
                Finding.missing(
                        SUBJECT,
                        NODE + " is there, but this container's control group forbids it",
                        "hand the device in instead of making a node: docker or podman run --device " + NODE);
            case ENODEV, ENXIO ->
                Finding.missing(
                        SUBJECT,
                        "%s is there, but no driver is behind it: the module %s is not loaded"
                                .formatted(NODE, module()),
                        "sudo modprobe %s; if that says 'Operation not supported', switch virtualization on in the firmware"
                                .formatted(module()));
            default ->
                Finding.missing(
                        SUBJECT,
                        "%s does not open: %s".formatted(NODE, errno),
                        "see the kernel's messages: sudo dmesg | grep -i kvm");
        };
    }

    private static String group(Path node) {
        try {
            return String.valueOf(Files.getAttribute(node, "unix:group"));
        } catch (IOException | UnsupportedOperationException | IllegalArgumentException e) {
            return "kvm";
        }
    }
}
