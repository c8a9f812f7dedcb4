package org.jvirt.machine;

import java.util.List;
import java.util.stream.Collectors;
import org.jvirt.core.Hypervisor;
import org.jvirt.core.UserErrorException;
import org.jvirt.engine.soft.SoftHypervisor;

/// The engines that jvirt has, by the names users give.
public final class Engines {
    private static final String AUTO = "auto";
    /// The best engine in software.
    private static final String SOFT = "soft";
    private static final String KVM = "kvm";
    private static final List<Hypervisor> ALL = List.of(new SoftHypervisor());

    private Engines() {}

    /// All engines, the best for this host first.
    public static List<Hypervisor> all() {
        return ALL;
    }

    public static Hypervisor best() {
        return ALL.getFirst();
    }

    /// @param name `auto`, `soft` for the best in software, or an engine's own
    public static Hypervisor named(String name) {
        if (name.equals(AUTO) || name.equals(SOFT)) {
            return best();
        }
        if (name.equals(KVM)) {
            throw new UserErrorException("Engine 'kvm' is not part of this release: the nearest is 'interpreter'");
        }
        return ALL.stream()
                .filter(engine -> engine.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new UserErrorException("Unknown engine '%s': there are %s, %s and %s"
                        .formatted(
                                name,
                                AUTO,
                                SOFT,
                                ALL.stream().map(Hypervisor::name).collect(Collectors.joining(", ")))));
    }
}
