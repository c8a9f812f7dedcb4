package org.jvirt.engine.soft.translate.verify;

import java.nio.file.Path;
import java.util.Optional;
import org.jvirt.core.Hypervisor;
import org.jvirt.core.TranslatorSettings;
import org.jvirt.engine.soft.SoftHypervisor;

/// The two engines that are compared.
final class Engines {
    private Engines() {}

    static Hypervisor interpreter() {
        return new SoftHypervisor();
    }

    /// Translating everything it can from its first execution on.
    static Hypervisor translator() {
        return translator(0);
    }

    /// Translating everything and comparing each execution with the interpreter.
    static Hypervisor verifying() {
        return SoftHypervisor.translator(
                TranslatorSettings.DEFAULT.withThreshold(0).withVerification(TranslatorSettings.ALWAYS));
    }

    /// Translating everything that it does not find in `store`.
    static Hypervisor recalling(Path store) {
        return SoftHypervisor.translator(
                TranslatorSettings.DEFAULT.withThreshold(0).withStore(Optional.of(store)));
    }

    /// Translating what has been executed so often.
    static Hypervisor translator(int threshold) {
        return SoftHypervisor.translator(threshold);
    }
}
