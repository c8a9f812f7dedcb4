package org.jvirt.testkit.contract;

import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// Contracts that an engine does not keep on a host, each with the reason.
///
/// @param reasons by name of the contract, `Devices.portsAreWrittenInEveryWidth`, or of all of a kind, `Tasks.*`
/// @param proven  whether the exempt contracts are run all the same and must fail, so that the list is never longer
///     than needed; not for hosts that an exempt contract would bring down or hold up
public record Exemptions(Map<String, String> reasons, boolean proven) {
    public static final Exemptions NONE = new Exemptions(Map.of(), false);

    private static final String ALL = ".*";

    public Exemptions {
        reasons = Map.copyOf(reasons);
    }

    /// The reason for leaving out a contract.
    ///
    /// @param kind     the nested class of [EngineContract]
    /// @param contract the method
    Optional<String> of(String kind, String contract) {
        return Optional.ofNullable(reasons.getOrDefault(kind + "." + contract, reasons.get(kind + ALL)));
    }

    /// These and others; of two reasons for the same contract, the other one.
    public Exemptions and(Exemptions others) {
        var both = new TreeMap<>(reasons);
        both.putAll(others.reasons);
        return new Exemptions(both, proven && others.proven);
    }
}
