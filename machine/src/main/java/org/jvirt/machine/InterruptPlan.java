package org.jvirt.machine;

import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jvirt.core.Capability;
import org.jvirt.core.InterruptController;
import org.jvirt.core.TscClock;
import org.jvirt.core.Vm;
import org.jvirt.core.interrupt.ApicConfig;
import org.jvirt.devices.interrupt.SplitInterrupts;

/// Who will have a machine's interrupt controllers: what the engine is told before its VM is made, and what the
/// board gets from both afterwards.
///
/// @param controllers the machine's own, for the engine
/// @param board       all of them, for the board, once there is a VM
record InterruptPlan(Optional<InterruptController> controllers, Function<Vm, BoardInterrupts> board) {
    static InterruptPlan of(InterruptHome home, Set<Capability> engine, ApicConfig apics, TscClock tsc) {
        if (home == InterruptHome.ENGINE && engine.contains(Capability.IN_KERNEL_INTERRUPTS)) {
            return new InterruptPlan(Optional.empty(), vm -> new EngineInterrupts(vm, apics.vcpus()));
        }
        if (home == InterruptHome.SPLIT && engine.contains(Capability.LOCAL_APICS)) {
            var pins = new SplitInterrupts();
            return new InterruptPlan(Optional.of(pins), vm -> new SplitBoardInterrupts(pins, vm, apics));
        }
        var own = new MachineInterrupts(apics, tsc);
        return new InterruptPlan(Optional.of(own.controllers()), vm -> own);
    }
}
