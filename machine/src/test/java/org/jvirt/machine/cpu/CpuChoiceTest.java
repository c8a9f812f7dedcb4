package org.jvirt.machine.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.jvirt.core.UserErrorException;
import org.jvirt.core.cpu.CpuFeature;

final class CpuChoiceTest {
    private static final Set<CpuFeature> EVERYTHING = EnumSet.allOf(CpuFeature.class);

    @ParameterizedTest
    @ValueSource(strings = {"x86-64-v1", "x86-64-v2", "x86-64-v3", "qemu64", "max", "host"})
    void everyModelResolvesOnAnEngineThatHasEverything(String name) {
        Set<CpuFeature> features = CpuChoice.parse(name).resolve("test", EVERYTHING);
        assertThat(features).contains(CpuFeature.LM, CpuFeature.SSE2, CpuFeature.HYPERVISOR);
        assertThat(features).doesNotContain(CpuFeature.OSXSAVE);
    }

    @Test
    void levelsContainOneAnother() {
        Set<CpuFeature> v1 = CpuModel.X86_64_V1.required();
        assertThat(CpuModel.X86_64_V2.required()).containsAll(v1).contains(CpuFeature.SSE4_2, CpuFeature.POPCNT);
        assertThat(CpuModel.X86_64_V3.required())
                .containsAll(CpuModel.X86_64_V2.required())
                .contains(CpuFeature.AVX2, CpuFeature.BMI2);
    }

    @Test
    void nothingIsPromisedThatTheEngineLacks() {
        Set<CpuFeature> poor = EnumSet.copyOf(CpuModel.X86_64_V2.required());
        assertThat(CpuChoice.parse("x86-64-v2").resolve("poor", poor)).isSubsetOf(with(poor, CpuFeature.HYPERVISOR));
        assertThat(CpuChoice.parse("max").resolve("poor", poor)).isEqualTo(with(poor, CpuFeature.HYPERVISOR));
    }

    @Test
    void aModelThatNeedsMoreNamesWhatIsMissingAndTheNearestModel() {
        Set<CpuFeature> poor = EnumSet.copyOf(CpuModel.X86_64_V2.required());
        assertThatThrownBy(() -> CpuChoice.parse("x86-64-v3").resolve("poor", poor))
                .isInstanceOf(UserErrorException.class)
                .hasMessageContaining("avx2")
                .hasMessageContaining("engine poor")
                .hasMessageContaining("choose ");
    }

    @Test
    void featuresAreSwitchedInEverySpelling() {
        Set<CpuFeature> features = CpuChoice.parse("x86-64-v2,+aes,-rdrand,sse4.2=off,pclmulqdq=on,-vmx")
                .resolve("test", EVERYTHING);
        assertThat(features)
                .contains(CpuFeature.AES, CpuFeature.PCLMULQDQ)
                .doesNotContain(CpuFeature.RDRAND, CpuFeature.SSE4_2);
    }

    @Test
    void propertiesThatChangeNothingAreTakenAndAnotherVendorIsRefused() {
        assertThat(CpuChoice.parse("max,vendor=GenuineIntel,host-phys-bits,migratable=no"))
                .isEqualTo(CpuChoice.parse("max"));
        assertThatThrownBy(() -> CpuChoice.parse("max,vendor=AuthenticAMD"))
                .isInstanceOf(UserErrorException.class)
                .hasMessageContaining("GenuineIntel");
    }

    @Test
    void aFeatureThatTheEngineLacksCannotBeSwitchedOn() {
        assertThatThrownBy(() -> CpuChoice.parse("x86-64-v2,+avx")
                        .resolve("test", EnumSet.complementOf(EnumSet.of(CpuFeature.AVX))))
                .isInstanceOf(UserErrorException.class)
                .hasMessageContaining("without +avx");
    }

    @Test
    void unknownNamesAreAnsweredWithTheNearest() {
        assertThatThrownBy(() -> CpuChoice.parse("x86-64-v9"))
                .isInstanceOf(UserErrorException.class)
                .hasMessageContaining("nearest is 'x86-64-v");
        assertThatThrownBy(() -> CpuChoice.parse("max,+popcnd"))
                .isInstanceOf(UserErrorException.class)
                .hasMessage("Unknown CPU feature 'popcnd': nearest is 'popcnt'");
        assertThatThrownBy(() -> CpuChoice.parse("max,+svm"))
                .isInstanceOf(UserErrorException.class)
                .hasMessageContaining("not offered by any engine");
        assertThatThrownBy(() -> CpuChoice.parse("max,aes=maybe"))
                .isInstanceOf(UserErrorException.class)
                .hasMessageContaining("'on' or 'off'");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "max,+hyperv",
                "max,hyperv=on",
                "max,hv_relaxed,hv_vapic,hv_spinlocks=0x1fff,hv_time",
                "max,hv-passthrough,hv-evmcs=off",
                "max,hv-time=on,hv-reset=off",
                "max,+hv_relaxed,-hv-stimer",
                "max,-hyperv,hv-time"
            })
    void eachWordForAnEnlightenmentAsksForAllOfThem(String text) {
        CpuChoice choice = CpuChoice.parse(text);
        assertThat(choice.hyperV()).isTrue();
        assertThat(choice.changes()).isEmpty();
        assertThat(CpuChoice.parse(choice.toString())).as("read back").isEqualTo(choice);
    }

    @ParameterizedTest
    @ValueSource(strings = {"max", "max,-hyperv", "max,hv_time=off", "max,hv-time,hyperv=off", "max,hv-evmcs=off"})
    void noWordNoEnlightenment(String text) {
        assertThat(CpuChoice.parse(text)).isEqualTo(CpuChoice.parse("max"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "max,hv-evmcs | not offered by any engine",
                "max,hv-spinlocks=often | needs a number",
                "max,hv-time=maybe | is switched",
                "max,+hyperv,-hypervisor | leave out -hypervisor"
            })
    void enlightenmentsThatCannotBeAreRefusedByName(String text, String part) {
        assertThatThrownBy(() -> CpuChoice.parse(text))
                .isInstanceOf(UserErrorException.class)
                .hasMessageContaining(part);
    }

    @Test
    void whatMeansNothingAloneGoesWithItsBase() {
        Set<CpuFeature> features = CpuChoice.parse("max,-xsave").resolve("test", EVERYTHING);
        assertThat(features).doesNotContain(CpuFeature.AVX, CpuFeature.AVX2, CpuFeature.XSAVEOPT, CpuFeature.FMA);
    }

    private static Set<CpuFeature> with(Set<CpuFeature> features, CpuFeature more) {
        EnumSet<CpuFeature> all = EnumSet.copyOf(features);
        all.add(more);
        return all;
    }
}
