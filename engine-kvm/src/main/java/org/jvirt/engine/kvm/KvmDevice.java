package org.jvirt.engine.kvm;

import java.nio.file.Path;
import org.jvirt.core.HostFailureException;
import org.jvirt.linux.DeviceFile;
import org.jvirt.linux.SystemCallException;

/// `/dev/kvm`, open.
final class KvmDevice implements AutoCloseable {
    static final Path PATH = Path.of("/dev/kvm");
    private static final int API_VERSION = 12;

    private final DeviceFile file;

    private KvmDevice(DeviceFile file) {
        this.file = file;
    }

    /// @throws HostFailureException with the reason and what to do about it
    static KvmDevice open() {
        return open(PATH);
    }

    static KvmDevice open(Path path) {
        DeviceFile file;
        try {
            file = DeviceFile.open(path);
        } catch (SystemCallException e) {
            throw new HostFailureException("Cannot use KVM: " + remedy(path, e), e);
        }
        var device = new KvmDevice(file);
        try {
            device.check();
            return device;
        } catch (HostFailureException e) {
            file.close();
            throw e;
        }
    }

    private static String remedy(Path path, SystemCallException e) {
        return switch (e.errno()) {
            case ENOENT ->
                "there is no %s: load the module (modprobe kvm_intel or kvm_amd), and if that fails switch virtualization"
                                .formatted(path)
                        + " (VT-x, SVM) on in the firmware, or nested virtualization in the host around this one";
            case EACCES, EPERM ->
                "%s may not be opened by this user: join the group kvm (usermod -aG kvm USER), or hand the device to"
                                .formatted(path)
                        + " the container (--device /dev/kvm)";
            case ENODEV, ENXIO -> "%s has no driver behind it: modprobe kvm_intel or kvm_amd".formatted(path);
            case EMFILE, ENFILE -> "too many open files: raise the limit (ulimit -n)";
            default -> String.valueOf(e.getMessage());
        };
    }

    private void check() {
        int version = file.tryIoctl(Ioctls.KVM_GET_API_VERSION, 0);
        if (version != API_VERSION) {
            throw new HostFailureException(
                    version < 0
                            ? "Cannot use KVM: %s is not the KVM device".formatted(file)
                            : "Cannot use KVM: its interface has version %d, and jvirt knows version %d"
                                    .formatted(version, API_VERSION));
        }
        for (KvmCapability capability : KvmCapability.values()) {
            if (capability.required() && capability(capability) == 0) {
                throw new HostFailureException("Cannot use KVM: it lacks %s (%s) here; a newer kernel has it"
                        .formatted(capability.meaning(), capability));
            }
        }
    }

    /// What `KVM_CHECK_EXTENSION` says: 0 if absent, else 1 or a number.
    int capability(KvmCapability capability) {
        return Math.max(0, file.tryIoctl(Ioctls.KVM_CHECK_EXTENSION, capability.number()));
    }

    boolean has(KvmCapability capability) {
        return capability(capability) > 0;
    }

    DeviceFile file() {
        return file;
    }

    @Override
    public void close() {
        file.close();
    }
}
