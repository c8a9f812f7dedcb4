package org.jvirt.machine.host;

import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import org.jvirt.core.UserErrorException;

/// What the host is to give a machine.
///
/// @param ram              its memory
/// @param vcpuAffinity     by processor of the machine, the host CPUs it may run on; others run anywhere
/// @param ioAffinity       the host CPUs that the devices' threads may run on
/// @param vcpuPriority     how eagerly its processors are run
/// @param cpuQuotaPercent  how much host CPU time its processors get together: 150 is one and a half host CPUs
public record HostSettings(
        RamSettings ram,
        Map<Integer, NumberSet> vcpuAffinity,
        Optional<NumberSet> ioAffinity,
        Optional<Priority> vcpuPriority,
        OptionalInt cpuQuotaPercent) {
    /// Whatever the host likes.
    public static final HostSettings DEFAULT =
            new HostSettings(RamSettings.DEFAULT, Map.of(), Optional.empty(), Optional.empty(), OptionalInt.empty());

    public HostSettings {
        vcpuAffinity = Collections.unmodifiableMap(new TreeMap<>(vcpuAffinity));
        if (cpuQuotaPercent.isPresent() && (cpuQuotaPercent.getAsInt() < 1 || cpuQuotaPercent.getAsInt() > 1_000_000)) {
            throw new UserErrorException("A CPU quota is from 1 to 1000000 percent, not %d: 100 is one host CPU"
                    .formatted(cpuQuotaPercent.getAsInt()));
        }
    }

    /// Reads `0=0-1,1=2,5`: behind each `=` the host CPUs for the machine's processor before it.
    ///
    /// @param option names the option in the message
    public static Map<Integer, NumberSet> parseAffinity(String option, String text) {
        var sets = new TreeMap<Integer, NumberSet>();
        // A comma before a number and '=' begins the next processor, others belong to the set.
        for (String part : text.split(",(?=[0-9]+=)", -1)) {
            int equals = part.indexOf('=');
            String vcpu = equals < 0 ? "" : part.substring(0, equals);
            if (vcpu.isEmpty() || vcpu.length() > 5 || !vcpu.chars().allMatch(c -> c >= '0' && c <= '9')) {
                throw new UserErrorException(
                        "%s: '%s' is no affinity: write VCPU=HOSTCPUS, such as 0=0-1,1=2".formatted(option, text));
            }
            sets.put(Integer.parseInt(vcpu), NumberSet.parse(option, part.substring(equals + 1)));
        }
        return sets;
    }

    public HostSettings withRam(RamSettings newRam) {
        return new HostSettings(newRam, vcpuAffinity, ioAffinity, vcpuPriority, cpuQuotaPercent);
    }

    public HostSettings withVcpuAffinity(Map<Integer, NumberSet> newAffinity) {
        return new HostSettings(ram, newAffinity, ioAffinity, vcpuPriority, cpuQuotaPercent);
    }

    public HostSettings withIoAffinity(NumberSet cpus) {
        return new HostSettings(ram, vcpuAffinity, Optional.of(cpus), vcpuPriority, cpuQuotaPercent);
    }

    public HostSettings withVcpuPriority(Priority priority) {
        return new HostSettings(ram, vcpuAffinity, ioAffinity, Optional.of(priority), cpuQuotaPercent);
    }

    public HostSettings withCpuQuotaPercent(int percent) {
        return new HostSettings(ram, vcpuAffinity, ioAffinity, vcpuPriority, OptionalInt.of(percent));
    }

    /// Checks it against a machine with so many processors.
    ///
    /// @throws UserErrorException if it names one that the machine has not
    public void check(int vcpus) {
        for (int vcpu : vcpuAffinity.keySet()) {
            if (vcpu >= vcpus) {
                throw new UserErrorException(
                        "CPU affinity names processor %d of a machine with %d, counted from 0".formatted(vcpu, vcpus));
            }
        }
    }
}
