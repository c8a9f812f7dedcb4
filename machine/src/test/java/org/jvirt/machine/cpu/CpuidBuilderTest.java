package org.jvirt.machine.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.jvirt.core.cpu.CpuFeature;
import org.jvirt.core.cpu.CpuidLeaf;
import org.jvirt.core.cpu.CpuidTable;
import org.jvirt.machine.cpu.CpuidBuilder.KvmFeature;

final class CpuidBuilderTest {
    private static final Set<CpuFeature> V2 = CpuChoice.DEFAULT.resolve("test", EnumSet.allOf(CpuFeature.class));

    @Test
    void tellsVendorBrandAndHypervisor() {
        CpuidTable table = table(V2, 1);
        CpuidLeaf vendor = leaf(table, 0, 0);
        assertThat(text(vendor.ebx(), vendor.edx(), vendor.ecx())).isEqualTo("GenuineIntel");
        var brand = new StringBuilder();
        for (int function = 0x80000002; function <= 0x80000004; function++) {
            CpuidLeaf part = leaf(table, function, 0);
            brand.append(text(part.eax(), part.ebx(), part.ecx(), part.edx()));
        }
        assertThat(brand.toString().replace("\0", "")).isEqualTo("jvirt virtual CPU (x86-64-v2)");
        CpuidLeaf kvm = leaf(table, 0x40000000, 0);
        assertThat(text(kvm.ebx(), kvm.ecx(), kvm.edx())).isEqualTo("KVMKVMKVM\0\0\0");
        assertThat(kvm.eax()).isEqualTo(0x40000010);
        assertThat(leaf(table, 0x40000001, 0).eax()).isEqualTo(1 << 3 | 1 << 24);
    }

    @Test
    void showsExactlyTheFeaturesPromised() {
        CpuidTable table = table(V2, 1);
        for (CpuFeature feature : CpuFeature.values()) {
            assertThat(table.has(feature)).as(feature.flag()).isEqualTo(V2.contains(feature));
        }
    }

    @Test
    void frequenciesAreTheClocks() {
        CpuidTable table = table(V2, 1);
        CpuidLeaf ratio = leaf(table, 0x15, 0);
        assertThat((long) ratio.ecx() * ratio.ebx() / ratio.eax()).isEqualTo(1_000_000_000L);
        assertThat(leaf(table, 0x40000010, 0).eax()).isEqualTo(1_000_000);
        assertThat(leaf(table, 0x40000010, 0).ebx()).isEqualTo(1_000_000);
    }

    @ParameterizedTest
    @CsvSource({"1,0", "2,1", "3,2", "4,2", "5,3", "255,8"})
    void topologyIsOnePackageOfCores(int cpus, int bits) {
        CpuidTable table = table(V2, cpus);
        assertThat(table.has(CpuFeature.HTT)).isEqualTo(cpus > 1);
        assertThat(leaf(table, 1, 0).ebx() >>> 16 & 0xff).isEqualTo(cpus);
        CpuidLeaf core = leaf(table, 0xb, 1);
        assertThat(core.eax()).isEqualTo(bits);
        assertThat(core.ebx()).isEqualTo(cpus);
        assertThat(core.ecx()).isEqualTo(2 << 8 | 1);
        assertThat(leaf(table, 4, 3).eax() >>> 14 & 0xfff).isEqualTo((1 << bits) - 1);
    }

    @Test
    void cachesHaveTheSizesTheySay() {
        CpuidTable table = table(V2, 4);
        assertThat(sizeKib(leaf(table, 4, 0))).isEqualTo(32);
        assertThat(sizeKib(leaf(table, 4, 1))).isEqualTo(32);
        assertThat(sizeKib(leaf(table, 4, 2))).isEqualTo(1024);
        assertThat(sizeKib(leaf(table, 4, 3))).isEqualTo(16384);
        assertThat(leaf(table, 4, 4).eax() & 0x1f).isZero();
    }

    @Test
    void avxStateIsDescribedOnlyWithAvx() {
        Set<CpuFeature> v3 = CpuChoice.parse("x86-64-v3").resolve("test", EnumSet.allOf(CpuFeature.class));
        CpuidTable with = table(v3, 1);
        assertThat(leaf(with, 0xd, 0).eax()).isEqualTo(7);
        assertThat(leaf(with, 0xd, 0).ecx()).isEqualTo(832);
        assertThat(leaf(with, 0xd, 2).ebx()).isEqualTo(576);
        assertThat(table(V2, 1).leaf(0xd, 2)).isEmpty();
    }

    @Test
    void withoutTheHypervisorBitThereIsNoHypervisorLeaf() {
        EnumSet<CpuFeature> bare = EnumSet.copyOf(V2);
        bare.remove(CpuFeature.HYPERVISOR);
        assertThat(table(bare, 1).leaf(0x40000000, 0)).isEmpty();
    }

    @Test
    void everyFunctionUpToTheMaximumAnswers() {
        CpuidTable table = table(V2, 1);
        for (int function = 0; function <= leaf(table, 0, 0).eax(); function++) {
            assertThat(table.leaf(function, 0)).as("%x", function).isPresent();
        }
    }

    private static CpuidTable table(Set<CpuFeature> features, int cpus) {
        return new CpuidBuilder(
                        CpuIdentity.IN_ORDER,
                        features,
                        cpus,
                        1_000_000_000L,
                        1_000_000_000L,
                        40,
                        EnumSet.of(KvmFeature.CLOCKSOURCE2, KvmFeature.CLOCKSOURCE_STABLE))
                .build("x86-64-v2");
    }

    private static CpuidLeaf leaf(CpuidTable table, int function, int index) {
        return table.leaf(function, index).orElseThrow();
    }

    private static int sizeKib(CpuidLeaf cache) {
        int ways = (cache.ebx() >>> 22) + 1;
        int line = (cache.ebx() & 0xfff) + 1;
        return ways * line * (cache.ecx() + 1) >> 10;
    }

    private static String text(int... words) {
        ByteBuffer buffer = ByteBuffer.allocate(4 * words.length).order(ByteOrder.LITTLE_ENDIAN);
        buffer.asIntBuffer().put(words);
        return new String(buffer.array(), StandardCharsets.US_ASCII);
    }
}
