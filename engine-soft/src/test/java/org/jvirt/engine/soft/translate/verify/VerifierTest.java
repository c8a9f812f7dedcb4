package org.jvirt.engine.soft.translate.verify;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.jvirt.core.Capability;
import org.jvirt.core.Hypervisor;
import org.jvirt.core.Vm;
import org.jvirt.core.VmSpec;
import org.jvirt.core.cpu.CpuFeature;

/// The verification can fail: an engine that executes one instruction otherwise is found out, and the program that
/// shows it becomes small.
class VerifierTest {
    private static final long SEED = 42;
    private static final int ENTRIES = 16;

    @Test
    void anEngineThatExecutesOneInstructionOtherwiseIsFoundOut() {
        // without the feature, LZCNT executes as BSR
        try (var verifier = new Verifier(Engines::interpreter, () -> without(CpuFeature.ABM))) {
            String report = firstReport(verifier, 2_000);
            assertThat(report).contains("Seed ").contains("lzcnt").contains("interpreter ");
            assertThat(instructions(report)).as(report).isLessThanOrEqualTo(6);
        }
    }

    @Test
    void anEngineComparedWithItselfDoesNotDiffer() {
        try (var verifier = new Verifier(Engines::interpreter, Engines::interpreter)) {
            assertThat(firstReport(verifier, 100)).isEmpty();
            assertThat(verifier.instructions()).isGreaterThan(20_000);
        }
    }

    private static String firstReport(Verifier verifier, int programs) {
        var seeds = new SplittableRandom(SEED);
        for (int i = 0; i < programs; i++) {
            Optional<String> report = verifier.run(seeds.nextLong(), ENTRIES);
            if (report.isPresent()) {
                return report.get();
            }
        }
        return "";
    }

    private static long instructions(String report) {
        return report.lines()
                .filter(line -> line.matches("  [0-9a-f]{8,16}  .*"))
                .count();
    }

    private static Hypervisor without(CpuFeature feature) {
        Hypervisor whole = Engines.interpreter();
        return new Hypervisor() {
            @Override
            public String name() {
                return "without " + feature;
            }

            @Override
            public Set<Capability> capabilities() {
                return whole.capabilities();
            }

            @Override
            public Set<CpuFeature> supportedFeatures() {
                Set<CpuFeature> features = EnumSet.copyOf(whole.supportedFeatures());
                features.remove(feature);
                return features;
            }

            @Override
            public Vm createVm(VmSpec spec) {
                return whole.createVm(spec);
            }
        };
    }
}
