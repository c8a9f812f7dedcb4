package org.jvirt.engine.soft.translate.verify;

import org.jvirt.core.Hypervisor;
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

    /// Translating what has been executed so often.
    static Hypervisor translator(int threshold) {
        return SoftHypervisor.translator(threshold);
    }
}
