package org.jvirt.engine.soft.contract;

import org.junit.jupiter.api.Nested;
import org.jvirt.core.Hypervisor;
import org.jvirt.engine.soft.SoftHypervisor;

/// The contracts, for the interpreter.
class InterpreterContractTest {
    @Nested
    class Devices extends DeviceContract {
        @Override
        Hypervisor engine() {
            return new SoftHypervisor();
        }
    }

    @Nested
    class Memory extends MemoryContract {
        @Override
        Hypervisor engine() {
            return new SoftHypervisor();
        }
    }

    @Nested
    class Modes extends ModeContract {
        @Override
        Hypervisor engine() {
            return new SoftHypervisor();
        }
    }

    @Nested
    class Events extends EventContract {
        @Override
        Hypervisor engine() {
            return new SoftHypervisor();
        }
    }

    @Nested
    class Legacy extends LegacyContract {
        @Override
        Hypervisor engine() {
            return new SoftHypervisor();
        }
    }

    @Nested
    class Tasks extends TaskContract {
        @Override
        Hypervisor engine() {
            return new SoftHypervisor();
        }
    }

    @Nested
    class VirtualModes extends VirtualModeContract {
        @Override
        Hypervisor engine() {
            return new SoftHypervisor();
        }
    }

    @Nested
    class Processor extends ProcessorContract {
        @Override
        Hypervisor engine() {
            return new SoftHypervisor();
        }
    }

    @Nested
    class SegmentLimits extends SegmentContract {
        @Override
        Hypervisor engine() {
            return new SoftHypervisor();
        }
    }
}
