package org.jvirt.engine.soft.translate.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.jvirt.engine.soft.SoftHypervisor;
import org.jvirt.engine.soft.cpu.Tlb;
import org.jvirt.engine.soft.translate.HostCode;
import org.jvirt.x86.CodeSize;
import org.jvirt.x86.DecodeResult;
import org.jvirt.x86.Decoder;
import org.jvirt.x86.Disassembler;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.Mnemonic;
import org.jvirt.x86.OperandKind;

/// The host code of many guest instructions is what has been reviewed: `emission.txt`. A change of the translator
/// shows there what it does to each of them, and to the size of them all.
///
/// `-Djvirt.emission.write=true` writes the file anew.
class EmissionTest {
    private static final String RESOURCE = "/org/jvirt/engine/soft/translate/emission.txt";
    private static final Path SOURCE = Path.of("src/test/resources" + RESOURCE);
    /// Host bytes for each guest instruction that may be, stubs included.
    private static final double MOST_BYTES = 64;

    /// What follows a single instruction: flags are replaced.
    private static final byte[] CMP_EAX_EAX_HLT = {0x39, (byte) 0xC0, (byte) 0xF4};

    private int guestInstructions;
    private int hostBytes;
    private int stubBytes;
    private int interpreted;

    @Test
    void theHostCodeIsWhatHasBeenReviewed() throws IOException {
        assumeTrue(SoftHypervisor.isTranslatorPossible(), "SKIPPED: translated code needs an x86-64 Linux host");
        String text = text();
        if (Boolean.getBoolean("jvirt.emission.write")) {
            Files.writeString(SOURCE, text);
        }
        String reviewed;
        try (InputStream in = EmissionTest.class.getResourceAsStream(RESOURCE)) {
            reviewed = in == null ? "" : new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
        assertThat(differences(reviewed, text))
                .as("emission.txt, then what is emitted now; -Djvirt.emission.write=true writes the file anew")
                .isEmpty();
    }

    @Test
    void theHostCodeIsNotTooLong() {
        assumeTrue(SoftHypervisor.isTranslatorPossible(), "SKIPPED: translated code needs an x86-64 Linux host");
        String _ = text();
        assertThat((double) (hostBytes + stubBytes) / guestInstructions).isLessThan(MOST_BYTES);
    }

    private String text() {
        var text = new StringBuilder();
        guestInstructions = 0;
        hostBytes = 0;
        stubBytes = 0;
        interpreted = 0;
        try (var host = new HostCode()) {
            for (EmissionSamples.Sample sample : EmissionSamples.all()) {
                append(text, sample, host);
            }
        }
        String header = """
                # The host code of guest instructions, as the translator emits it: made and compared by EmissionTest.
                # Below each guest instruction or block, "host bytes + bytes of stubs" and its code, from the entry that
                # looks at nothing up to the jump to what follows. Guest RCX is in R14, RSP in R15, R13 to R15 at [rsp];
                # RCX and R13 are free.
                #
                # %d guest instructions of programs: %.1f host bytes each, and %.1f of stubs; %d more are left to the interpreter
                """.formatted(
                        guestInstructions,
                        (double) hostBytes / guestInstructions,
                        (double) stubBytes / guestInstructions,
                        interpreted);
        return header + text;
    }

    private void append(StringBuilder text, EmissionSamples.Sample sample, HostCode host) {
        text.append(sample.context() == Tlb.USER ? "\n" : "\n(supervisor)\n");
        List<String> guest = lines(sample.code(), EmissionSamples.RIP, sample.code().length);
        guest.forEach(line -> text.append(line).append('\n'));
        byte[] code = sample.code();
        if (sample.single()) {
            code = Arrays.copyOf(code, code.length + CMP_EAX_EAX_HLT.length);
            System.arraycopy(CMP_EAX_EAX_HLT, 0, code, sample.code().length, CMP_EAX_EAX_HLT.length);
        }
        Optional<HostCode.Emission> made =
                host.of(code, EmissionSamples.RIP, sample.context(), sample.single() ? 1 : 48);
        if (made.isEmpty()) {
            interpreted += guest.size();
            text.append("    interpreter\n");
            return;
        }
        HostCode.Emission emission = made.get();
        int length = sample.single() ? emission.jump() : emission.code().length;
        if (sample.context() == Tlb.USER) {
            guestInstructions += guest.size();
            hostBytes += length;
            stubBytes += emission.stubs();
        }
        text.append("    %d + %d%n".formatted(length, emission.stubs()));
        lines(emission.code(), 0, length)
                .forEach(line -> text.append("    ").append(line).append('\n'));
    }

    private static List<String> lines(byte[] code, long address, int length) {
        var lines = new ArrayList<String>();
        var decoder = new Decoder();
        var insn = new Instruction();
        int at = 0;
        while (at < length) {
            if (decoder.decode(code, at, length, CodeSize.CODE64, insn) != DecodeResult.OK) {
                if (isPadding(code, at, length)) {
                    break;
                }
                lines.add(String.format(Locale.ROOT, "(byte %02x)", code[at++]));
                continue;
            }
            if (isPadding(code, at, length)) {
                break;
            }
            boolean stub = insn.mnemonic() == Mnemonic.CALL && insn.kind(0) == OperandKind.RELATIVE && address == 0;
            if (stub && !lines.isEmpty() && lines.getLast().startsWith("jrcxz")) {
                lines.add("call (loads vector registers)");
            } else if (stub) {
                // what follows is not code
                lines.add("call (interpreter)");
                break;
            } else {
                lines.add(Disassembler.text(insn, address + at));
            }
            at += insn.length();
        }
        return lines;
    }

    /// Whether only the gap is left between a sample's code and what it branches to.
    private static boolean isPadding(byte[] code, int from, int to) {
        for (int i = from; i < to; i++) {
            if (code[i] != 0) {
                return false;
            }
        }
        return true;
    }

    /// The lines that differ, with the guest instruction that they belong to.
    private static String differences(String reviewed, String now) {
        String[] samplesBefore = reviewed.split("\n\n");
        String[] samplesNow = now.split("\n\n");
        var text = new StringBuilder();
        int shown = 0;
        for (int i = 0; i < Math.max(samplesBefore.length, samplesNow.length) && shown < 20; i++) {
            String before = i < samplesBefore.length ? samplesBefore[i] : "(nothing)";
            String after = i < samplesNow.length ? samplesNow[i] : "(nothing)";
            if (!before.strip().equals(after.strip())) {
                text.append("--- reviewed\n").append(before.strip());
                text.append("\n+++ now\n").append(after.strip()).append('\n');
                shown++;
            }
        }
        return text.toString();
    }
}
