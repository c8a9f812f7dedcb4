package org.jvirt.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Method;
import java.util.ArrayList;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.jvirt.core.Hypervisor;

/// All contracts. An engine's test class extends this one and says which engine it is.
public abstract class EngineContract {
    /// The engine under test.
    protected abstract Hypervisor engine();

    /// What this engine need not do on this host.
    protected Exemptions exemptions() {
        return Exemptions.NONE;
    }

    /// A name on the list that is no contract would be a contract nobody checks.
    @Test
    void everyExemptionNamesAContract() {
        var known = new ArrayList<String>();
        for (Class<?> kind : EngineContract.class.getDeclaredClasses()) {
            known.add(kind.getSimpleName() + ".*");
            for (Method contract : kind.getSuperclass().getDeclaredMethods()) {
                if (contract.isAnnotationPresent(Test.class)) {
                    known.add(kind.getSimpleName() + "." + contract.getName());
                }
            }
        }
        assertThat(known).containsAll(exemptions().reasons().keySet());
    }

    @Nested
    class Devices extends DeviceContract {
        @Override
        EngineContract suite() {
            return EngineContract.this;
        }
    }

    @Nested
    class Seams extends EngineSeamContract {
        @Override
        EngineContract suite() {
            return EngineContract.this;
        }
    }

    @Nested
    class Memory extends MemoryContract {
        @Override
        EngineContract suite() {
            return EngineContract.this;
        }
    }

    @Nested
    class Modes extends ModeContract {
        @Override
        EngineContract suite() {
            return EngineContract.this;
        }
    }

    @Nested
    class Events extends EventContract {
        @Override
        EngineContract suite() {
            return EngineContract.this;
        }
    }

    @Nested
    class Legacy extends LegacyContract {
        @Override
        EngineContract suite() {
            return EngineContract.this;
        }
    }

    @Nested
    class Tasks extends TaskContract {
        @Override
        EngineContract suite() {
            return EngineContract.this;
        }
    }

    @Nested
    class VirtualModes extends VirtualModeContract {
        @Override
        EngineContract suite() {
            return EngineContract.this;
        }
    }

    @Nested
    class Processor extends ProcessorContract {
        @Override
        EngineContract suite() {
            return EngineContract.this;
        }
    }

    @Nested
    class SegmentLimits extends SegmentContract {
        @Override
        EngineContract suite() {
            return EngineContract.this;
        }
    }
}
