package org.jvirt.engine.soft.translate;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.jvirt.x86.CodeSize;
import org.jvirt.x86.DecodeResult;
import org.jvirt.x86.Decoder;
import org.jvirt.x86.Instruction;

/// Which instructions translated code leaves to the interpreter: a count for each kind, of one in [#STRIDE]
/// chosen by turns, so that counting costs nothing that could be measured. Written by the processor's thread;
/// others may read.
final class InterpretedInstructions {
    /// A prime, so that no loop of the guest hides an instruction by its length.
    private static final int STRIDE = 31;

    private static final int MOST_SHOWN = 12;

    private final MemorySegment ram;
    private final byte[] bytes = new byte[Decoder.MAX_LENGTH];
    private final Decoder decoder = new Decoder();
    private final Instruction instruction = new Instruction();
    private final Map<String, Long> samples = new ConcurrentHashMap<>();
    private long sampled;
    private int turn;

    /// @param ram the guest's backing memory
    InterpretedInstructions(MemorySegment ram) {
        this.ram = ram;
    }

    /// Counts the 64-bit instruction at a backing offset.
    void count(long at) {
        if (++turn == STRIDE) {
            turn = 0;
            sample(at);
        }
    }

    private void sample(long at) {
        int available = (int) Math.min(bytes.length, ram.byteSize() - at);
        MemorySegment.copy(ram, ValueLayout.JAVA_BYTE, at, bytes, 0, available);
        sampled++;
        if (decoder.decode(bytes, 0, available, CodeSize.CODE64, instruction) == DecodeResult.OK) {
            samples.merge(name(), 1L, Long::sum);
        }
    }

    /// The mnemonic, and the first system register or segment register among the operands.
    private String name() {
        String name = instruction.mnemonic().name().toLowerCase(Locale.ROOT);
        for (int i = 0; i < instruction.operandCount(); i++) {
            String file = switch (instruction.kind(i)) {
                case CONTROL -> "cr" + instruction.register(i);
                case DEBUG -> "dr" + instruction.register(i);
                case SEGMENT -> "segment";
                default -> "";
            };
            if (!file.isEmpty()) {
                return (i == 0 ? "%s to %s" : "%s from %s").formatted(name, file);
            }
        }
        return name;
    }

    /// The most frequent ones with their shares of all, or nothing.
    @Override
    public String toString() {
        long all = Math.max(1, sampled);
        return samples.entrySet().stream()
                .sorted(Map.Entry.<String, Long>comparingByValue().reversed())
                .limit(MOST_SHOWN)
                .map(each -> String.format(Locale.ROOT, "%s %.1f %%", each.getKey(), 100.0 * each.getValue() / all))
                .collect(Collectors.joining(", "));
    }
}
