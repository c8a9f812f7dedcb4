package org.jvirt.core.cpu;

import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/// All that CPUID answers, the same on every vCPU but for what the engine fills in from running state.
public final class CpuidTable {
    private final TreeMap<Long, CpuidLeaf> leaves = new TreeMap<>(Long::compareUnsigned);

    public CpuidTable(Collection<CpuidLeaf> leaves) {
        for (CpuidLeaf leaf : leaves) {
            if (this.leaves.put(key(leaf.function(), leaf.index()), leaf) != null) {
                throw new IllegalArgumentException(
                        "CPUID 0x%x.%d is given twice".formatted(leaf.function(), leaf.index()));
            }
        }
    }

    /// By function, then index.
    public List<CpuidLeaf> leaves() {
        return List.copyOf(leaves.values());
    }

    public Optional<CpuidLeaf> leaf(int function, int index) {
        return Optional.ofNullable(leaves.get(key(function, index)));
    }

    public boolean has(CpuFeature feature) {
        return leaf(feature.function(), feature.index())
                .map(leaf -> (feature.register().of(leaf) >>> feature.bit() & 1) != 0)
                .orElse(false);
    }

    private static long key(int function, int index) {
        return (long) function << 32 | index & 0xffffffffL;
    }
}
