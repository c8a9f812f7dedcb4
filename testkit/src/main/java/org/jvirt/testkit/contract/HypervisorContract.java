package org.jvirt.testkit.contract;

import org.junit.jupiter.api.extension.ExtendWith;
import org.jvirt.core.Hypervisor;
import org.jvirt.x86.Assembler;
import org.jvirt.x86.CodeSize;

/// What all contracts share: the engine under test and its guests.
///
/// An engine has a test class with one nested class for each contract.
@ExtendWith(ExemptionExtension.class)
abstract class HypervisorContract {
    /// The suite that this contract is run in.
    abstract EngineContract suite();

    final Hypervisor engine() {
        return suite().engine();
    }

    final Guest guest() {
        return guest(1);
    }

    final Guest guest(int vcpus) {
        return new Guest(engine(), vcpus);
    }

    /// 64-bit code for [Guest#CODE].
    static Assembler code64() {
        return code64(Guest.CODE);
    }

    static Assembler code64(long origin) {
        return new Assembler(CodeSize.CODE64, origin);
    }
}
