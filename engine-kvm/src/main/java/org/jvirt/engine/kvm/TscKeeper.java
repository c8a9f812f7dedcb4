package org.jvirt.engine.kvm;

import org.jvirt.core.TscClock;
import org.jvirt.linux.DeviceFile;

/// Keeps the time-stamp counter of a vCPU on the machine's time: it shows [TscClock#ticks] and what the guest has
/// set it ahead (`IA32_TSC_ADJUST`). While nobody runs the vCPU.
///
/// KVM notices that counters of several vCPUs are set to about the same moment and makes them exactly equal.
///
/// Source: Intel SDM volume 3, 19.17.3.
final class TscKeeper {
    private final DeviceFile vcpu;
    private final TscClock tsc;
    /// The part of the adjustment that the register does not take, because the guest does not know of it.
    private long hidden;

    TscKeeper(DeviceFile vcpu, TscClock tsc) {
        this.vcpu = vcpu;
        this.tsc = tsc;
    }

    /// How far the guest has set the counter ahead.
    long adjustment() {
        return MsrTable.get(vcpu, MsrTable.IA32_TSC_ADJUST) + hidden;
    }

    void load(long adjustment) {
        hidden = 0;
        MsrTable.set(vcpu, MsrTable.IA32_TSC_ADJUST, adjustment);
        hidden = adjustment - adjustment();
        synchronize();
    }

    /// Sets the counter to the machine's time.
    void synchronize() {
        long adjustment = adjustment();
        MsrTable.set(vcpu, MsrTable.IA32_TSC, tsc.ticks() + adjustment);
    }
}
