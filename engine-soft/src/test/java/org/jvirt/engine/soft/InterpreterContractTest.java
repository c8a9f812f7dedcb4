package org.jvirt.engine.soft;

import org.jvirt.core.Hypervisor;
import org.jvirt.testkit.contract.EngineContract;

final class InterpreterContractTest extends EngineContract {
    @Override
    protected Hypervisor engine() {
        return new SoftHypervisor();
    }
}
