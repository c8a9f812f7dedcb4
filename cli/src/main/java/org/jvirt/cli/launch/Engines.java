package org.jvirt.cli.launch;

import java.util.List;
import org.jvirt.core.Hypervisor;
import org.jvirt.core.UserErrorException;
import org.jvirt.engine.soft.SoftHypervisor;

/// The engines a user can name.
public final class Engines {
    private static final List<String> NAMES = List.of("auto", "kvm", "soft", "interpreter");

    private Engines() {}

    /// The engine for a name: `auto` and `soft` take the best that this release has in software.
    public static Hypervisor named(String name) {
        return switch (name) {
            case "auto", "soft", "interpreter" -> new SoftHypervisor();
            case "kvm" -> throw new UserErrorException(
                    "Engine kvm is not part of this release. The nearest that is: interpreter.");
            default -> throw new UserErrorException("There is no engine '%s'. Did you mean %s? There are: %s."
                    .formatted(name, Suggestion.nearest(name, NAMES), String.join(", ", NAMES)));
        };
    }
}
