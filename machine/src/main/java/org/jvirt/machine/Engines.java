package org.jvirt.machine;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import org.jvirt.core.HostFailureException;
import org.jvirt.core.Hypervisor;
import org.jvirt.core.TranslatorSettings;
import org.jvirt.core.UserErrorException;
import org.jvirt.engine.kvm.KvmHypervisor;
import org.jvirt.engine.kvm.KvmProbe;
import org.jvirt.engine.soft.SoftHypervisor;

/// The engines that jvirt has, by the names users give.
///
/// | name | what runs |
/// |---|---|
/// | `auto` | `kvm` where it works and hardware stands behind it, else `soft` |
/// | `kvm` | the host's processor, through `/dev/kvm` |
/// | `soft` | 64-bit code translated to host code, everything else interpreted; on other hosts all is interpreted |
/// | `interpreter` | every instruction by itself: the slowest, and the judge of the others |
public final class Engines {
    private static final String AUTO = "auto";
    private static final String SOFT = "soft";
    private static final String KVM = "kvm";
    /// The faster first.
    private static final List<Hypervisor> IN_SOFTWARE = List.of(SoftHypervisor.translator(), new SoftHypervisor());

    private Engines() {}

    /// What a user asked for.
    ///
    /// @param warning what to tell the user about it, once
    public record Choice(Hypervisor engine, Optional<String> warning) {}

    /// All engines that work on this host, the best first.
    public static List<Hypervisor> all() {
        var engines = new ArrayList<>(IN_SOFTWARE);
        KvmProbe probe = KvmProbe.probe();
        if (probe.problem().isEmpty()) {
            engines.add(probe.hardware() ? 0 : engines.size(), new KvmHypervisor());
        }
        return List.copyOf(engines);
    }

    /// What `auto` means on this host.
    public static Hypervisor best() {
        return KvmProbe.probe().recommended() ? new KvmHypervisor() : IN_SOFTWARE.getFirst();
    }

    /// As [#choose], for callers with nobody to warn.
    public static Hypervisor named(String name) {
        return choose(name).engine();
    }

    /// @param name one of the names above
    /// @throws HostFailureException if KVM is asked for by name and cannot be used here
    /// @throws UserErrorException if there is no such engine
    public static Choice choose(String name) {
        return choose(name, TranslatorSettings.DEFAULT);
    }

    /// As [#choose(String)], with a translator that works as `settings` say where there is one.
    public static Choice choose(String name, TranslatorSettings settings) {
        return switch (name) {
            case AUTO -> new Choice(translating(best(), settings), Optional.empty());
            case KVM -> kvm();
            default -> new Choice(translating(inSoftware(name), settings), Optional.empty());
        };
    }

    private static Hypervisor translating(Hypervisor engine, TranslatorSettings settings) {
        return engine.name().equals(SOFT) ? SoftHypervisor.translator(settings) : engine;
    }

    private static Choice kvm() {
        KvmProbe probe = KvmProbe.probe();
        if (probe.problem().isPresent()) {
            throw new HostFailureException(probe.problem().get());
        }
        return new Choice(new KvmHypervisor(), probe.warning());
    }

    private static Hypervisor inSoftware(String name) {
        return IN_SOFTWARE.stream()
                .filter(engine -> engine.name().equals(name))
                .findFirst()
                .orElseThrow(() -> {
                    var names = new LinkedHashSet<>(List.of(AUTO, KVM, SOFT));
                    IN_SOFTWARE.forEach(engine -> names.add(engine.name()));
                    return new UserErrorException(
                            "Unknown engine '%s': there are %s".formatted(name, String.join(", ", names)));
                });
    }
}
