package org.jvirt.machine;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jvirt.core.Capability;
import org.jvirt.core.Hypervisor;

/// What an engine does itself in a machine, in words.
final class EngineTasks {
    private static final double HZ_PER_MHZ = 1e6;

    private EngineTasks() {}

    static List<String> of(VmConfig config, Hypervisor engine) {
        Set<Capability> has = engine.capabilities();
        var tasks = new ArrayList<String>();
        if (config.interrupts() == InterruptHome.ENGINE && has.contains(Capability.IN_KERNEL_INTERRUPTS)) {
            tasks.add("local APICs, IO-APIC, 8259 pair" + (has.contains(Capability.IN_KERNEL_PIT) ? ", 8254" : ""));
        } else if (config.interrupts() == InterruptHome.SPLIT && has.contains(Capability.LOCAL_APICS)) {
            tasks.add("local APICs");
        }
        if (has.contains(Capability.DOORBELLS)) {
            tasks.add("queue notifications");
        }
        if (has.contains(Capability.MSI_ROUTES)) {
            tasks.add("prepared interrupt messages");
        }
        if (has.contains(Capability.OWN_CLOCK)) {
            long hz = engine.tscHz(PcMachine.WISHED_TSC_HZ);
            tasks.add(String.format(Locale.ROOT, "guest clocks, the TSC at %.3f MHz", hz / HZ_PER_MHZ));
        }
        return tasks;
    }
}
