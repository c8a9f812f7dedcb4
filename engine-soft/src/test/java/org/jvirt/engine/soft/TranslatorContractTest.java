package org.jvirt.engine.soft;

import org.junit.jupiter.api.condition.EnabledIf;
import org.jvirt.core.Hypervisor;
import org.jvirt.testkit.contract.EngineContract;

/// Everything is translated at once, so that even code that runs one time is.
@EnabledIf(
        value = "org.jvirt.engine.soft.SoftHypervisor#isTranslatorPossible",
        disabledReason = "The translator needs an x86-64 Linux host")
final class TranslatorContractTest extends EngineContract {
    @Override
    protected Hypervisor engine() {
        return SoftHypervisor.translator(0);
    }
}
