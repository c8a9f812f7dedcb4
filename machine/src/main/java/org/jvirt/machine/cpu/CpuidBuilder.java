package org.jvirt.machine.cpu;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jvirt.core.cpu.CpuFeature;
import org.jvirt.core.cpu.CpuidLeaf;
import org.jvirt.core.cpu.CpuidRegister;
import org.jvirt.core.cpu.CpuidTable;

/// Makes the CPUID answers for a guest. All processors are cores of one package, APIC ids count from 0.
///
/// @param features            what is promised
/// @param cpus                how many processors
/// @param tscHz               frequency of the time-stamp counter
/// @param apicHz              frequency the local APIC timer counts with, before its divider
/// @param physicalAddressBits 36–52
/// @param paravirtual         bits of [KvmFeature] that the engine implements
public record CpuidBuilder(
        CpuIdentity identity,
        Set<CpuFeature> features,
        int cpus,
        long tscHz,
        long apicHz,
        int physicalAddressBits,
        Set<KvmFeature> paravirtual) {
    /// The KVM interface that guests find (`cpuid.rst`), as bits of leaf 0x4000_0001 EAX.
    public enum KvmFeature {
        CLOCKSOURCE(0),
        NOP_IO_DELAY(1),
        CLOCKSOURCE2(3),
        PV_EOI(6),
        PV_UNHALT(7),
        PV_SEND_IPI(11),
        CLOCKSOURCE_STABLE(24);

        private final int bit;

        KvmFeature(int bit) {
            this.bit = bit;
        }

        public int bit() {
            return bit;
        }
    }

    private static final int LAST_BASIC = 0x16;
    private static final int HYPERVISOR = 0x40000000;
    private static final int LAST_HYPERVISOR = 0x40000010;
    /// Where KVM's leaves stand when Hyper-V's come first.
    private static final int SECOND_HYPERVISOR = 0x40000100;
    private static final int EXTENDED = 0x80000000;
    private static final int LAST_EXTENDED = 0x80000008;
    private static final int LINE_BYTES = 64;
    private static final int X87_AND_SSE = 3;
    private static final int AVX = 4;
    private static final int LEGACY_XSAVE_BYTES = 576;
    private static final int AVX_BYTES = 256;

    /// @param modelName shown in the brand string, which `/proc/cpuinfo` calls the model name
    public CpuidTable build(String modelName) {
        return build(modelName, List.of());
    }

    /// @param modelName  shown in the brand string, which `/proc/cpuinfo` calls the model name
    /// @param hypervisor what the engine shows from 0x4000_0000 on; if nothing, the interface of [#paravirtual] is
    /// shown
    public CpuidTable build(String modelName, List<CpuidLeaf> hypervisor) {
        var leaves = new ArrayList<CpuidLeaf>();
        basic(leaves);
        caches(leaves);
        topology(leaves);
        extendedState(leaves);
        frequencies(leaves);
        if (features.contains(CpuFeature.HYPERVISOR)) {
            hypervisor(leaves, hypervisor);
        }
        extended(leaves, "jvirt virtual CPU (%s)".formatted(modelName));
        fillGaps(leaves);
        return new CpuidTable(leaves);
    }

    private void basic(List<CpuidLeaf> leaves) {
        int[] vendor = words(identity.vendor(), 3);
        leaves.add(new CpuidLeaf(0, 0, LAST_BASIC, vendor[0], vendor[2], vendor[1]));
        int ebx = (LINE_BYTES / 8) << 8 | Math.min(cpus, 255) << 16;
        leaves.add(new CpuidLeaf(
                1, 0, identity.signature(), ebx, bits(1, 0, CpuidRegister.ECX), bits(1, 0, CpuidRegister.EDX)));
        // One descriptor, 0xFF: look at leaf 4.
        leaves.add(new CpuidLeaf(2, 0, 0xff01, 0, 0, 0));
        leaves.add(new CpuidLeaf(6, 0, bits(6, 0, CpuidRegister.EAX), 0, 0, 0));
        leaves.add(new CpuidLeaf(
                7, 0, 0, bits(7, 0, CpuidRegister.EBX), bits(7, 0, CpuidRegister.ECX), bits(7, 0, CpuidRegister.EDX)));
    }

    /// Leaf 4: 32 KiB data and code, 1 MiB second level per core, 16 MiB third level for all.
    private void caches(List<CpuidLeaf> leaves) {
        leaves.add(cache(0, 1, 1, 8, 64, 0));
        leaves.add(cache(1, 2, 1, 8, 64, 0));
        leaves.add(cache(2, 3, 2, 16, 1024, 0));
        leaves.add(cache(3, 3, 3, 16, 16384, topologyBits()));
        leaves.add(new CpuidLeaf(4, 4, 0, 0, 0, 0));
    }

    private CpuidLeaf cache(int index, int type, int level, int ways, int sets, int sharedBits) {
        int selfInitialising = 1 << 8;
        int eax = type
                | level << 5
                | selfInitialising
                | (1 << sharedBits) - 1 << 14
                | Math.min((1 << topologyBits()) - 1, 63) << 26;
        return new CpuidLeaf(4, index, eax, LINE_BYTES - 1 | (ways - 1) << 22, sets - 1, 0);
    }

    /// Leaf 0xB: one thread per core. The engine puts the APIC id into EDX.
    private void topology(List<CpuidLeaf> leaves) {
        int smt = 1;
        int core = 2;
        leaves.add(new CpuidLeaf(0xb, 0, 0, 1, smt << 8, 0));
        leaves.add(new CpuidLeaf(0xb, 1, topologyBits(), cpus, core << 8 | 1, 0));
        leaves.add(new CpuidLeaf(0xb, 2, 0, 0, 2, 0));
    }

    private int topologyBits() {
        return Integer.SIZE - Integer.numberOfLeadingZeros(cpus - 1);
    }

    private void extendedState(List<CpuidLeaf> leaves) {
        boolean xsave = features.contains(CpuFeature.XSAVE);
        boolean avx = features.contains(CpuFeature.AVX);
        int bytes = LEGACY_XSAVE_BYTES + (avx ? AVX_BYTES : 0);
        leaves.add(
                xsave
                        ? new CpuidLeaf(0xd, 0, avx ? X87_AND_SSE | AVX : X87_AND_SSE, LEGACY_XSAVE_BYTES, bytes, 0)
                        : new CpuidLeaf(0xd, 0, 0, 0, 0, 0));
        boolean compacted = features.contains(CpuFeature.XSAVEC) || features.contains(CpuFeature.XSAVES);
        leaves.add(new CpuidLeaf(0xd, 1, bits(0xd, 1, CpuidRegister.EAX), compacted ? bytes : 0, 0, 0));
        if (avx) {
            leaves.add(new CpuidLeaf(0xd, 2, AVX_BYTES, LEGACY_XSAVE_BYTES, 0, 0));
        }
    }

    /// Leaves 0x15 and 0x16: the "crystal" is the clock of the local APIC timer, as on hardware.
    private void frequencies(List<CpuidLeaf> leaves) {
        if (tscHz % apicHz == 0 && apicHz <= 0xffff_ffffL) {
            leaves.add(new CpuidLeaf(0x15, 0, 1, (int) (tscHz / apicHz), (int) apicHz, 0));
        }
        int megahertz = (int) (tscHz / 1_000_000);
        leaves.add(new CpuidLeaf(0x16, 0, megahertz, megahertz, (int) Math.min(apicHz / 1_000_000, 0xffff), 0));
    }

    private void hypervisor(List<CpuidLeaf> leaves, List<CpuidLeaf> engine) {
        var frequencies = new CpuidLeaf(LAST_HYPERVISOR, 0, (int) (tscHz / 1000), (int) (apicHz / 1000), 0, 0);
        if (!engine.isEmpty()) {
            addEngine(leaves, engine, frequencies);
            return;
        }
        int[] signature = words("KVMKVMKVM", 3);
        leaves.add(new CpuidLeaf(HYPERVISOR, 0, LAST_HYPERVISOR, signature[0], signature[1], signature[2]));
        int offered = 0;
        for (KvmFeature feature : paravirtual) {
            offered |= 1 << feature.bit();
        }
        leaves.add(new CpuidLeaf(HYPERVISOR + 1, 0, offered, 0, 0, 0));
        leaves.add(frequencies);
    }

    /// The engine does not know the frequencies. Hyper-V's range means something else there.
    private static void addEngine(List<CpuidLeaf> leaves, List<CpuidLeaf> engine, CpuidLeaf frequencies) {
        boolean kvmFirst = engine.stream().noneMatch(leaf -> leaf.function() >= SECOND_HYPERVISOR);
        for (CpuidLeaf leaf : engine) {
            boolean replaced = kvmFirst && leaf.function() == LAST_HYPERVISOR;
            if (kvmFirst && leaf.function() == HYPERVISOR) {
                leaves.add(new CpuidLeaf(HYPERVISOR, 0, LAST_HYPERVISOR, leaf.ebx(), leaf.ecx(), leaf.edx()));
            } else if (!replaced) {
                leaves.add(leaf);
            }
        }
        if (kvmFirst) {
            leaves.add(frequencies);
        }
    }

    private void extended(List<CpuidLeaf> leaves, String brand) {
        leaves.add(new CpuidLeaf(EXTENDED, 0, LAST_EXTENDED, 0, 0, 0));
        int function = EXTENDED + 1;
        leaves.add(new CpuidLeaf(
                function, 0, 0, 0, bits(function, 0, CpuidRegister.ECX), bits(function, 0, CpuidRegister.EDX)));
        int[] text = words(brand, 12);
        for (int i = 0; i < 3; i++) {
            leaves.add(
                    new CpuidLeaf(EXTENDED + 2 + i, 0, text[4 * i], text[4 * i + 1], text[4 * i + 2], text[4 * i + 3]));
        }
        // The second-level cache again: KiB, 16 ways (code 8), line size.
        leaves.add(new CpuidLeaf(EXTENDED + 6, 0, 0, 0, 1024 << 16 | 8 << 12 | LINE_BYTES, 0));
        leaves.add(new CpuidLeaf(EXTENDED + 7, 0, 0, 0, 0, bits(EXTENDED + 7, 0, CpuidRegister.EDX)));
        int linearBits = features.contains(CpuFeature.LA57) ? 57 : 48;
        leaves.add(new CpuidLeaf(EXTENDED + 8, 0, physicalAddressBits | linearBits << 8, 0, 0, 0));
    }

    /// Gives every function below its group's maximum an answer: zeroes, as reserved ones have.
    private void fillGaps(List<CpuidLeaf> leaves) {
        var present = new TreeSet<Integer>();
        leaves.forEach(leaf -> present.add(leaf.function()));
        List<int[]> groups = List.of(
                new int[] {0, LAST_BASIC}, new int[] {HYPERVISOR, LAST_HYPERVISOR}, new int[] {EXTENDED, LAST_EXTENDED
                });
        for (int[] group : groups) {
            if (!present.contains(group[0])) {
                continue;
            }
            for (int function = group[0]; function <= group[1]; function++) {
                if (!present.contains(function)) {
                    leaves.add(new CpuidLeaf(function, 0, 0, 0, 0, 0));
                }
            }
        }
    }

    private int bits(int function, int index, CpuidRegister register) {
        int value = 0;
        EnumSet<CpuFeature> all = EnumSet.noneOf(CpuFeature.class);
        all.addAll(features);
        if (cpus > 1) {
            all.add(CpuFeature.HTT);
        }
        for (CpuFeature feature : all) {
            if (feature.function() == function && feature.index() == index && feature.register() == register) {
                value |= 1 << feature.bit();
            }
        }
        return value;
    }

    /// ASCII, four characters to a register, padded with zeroes.
    private static int[] words(String text, int count) {
        byte[] bytes = new byte[4 * count];
        byte[] ascii = text.getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(ascii, 0, bytes, 0, Math.min(ascii.length, bytes.length));
        int[] words = new int[count];
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().get(words);
        return words;
    }
}
