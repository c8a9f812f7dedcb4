package org.jvirt.engine.soft.fp;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/// One SSE, FMA or F16C instruction as a processor executed it. Layout: README.md beside the corpus.
record SseRecord(
        int operation, int immediate, int mxcsr, long a, long b, long c, long result, int mxcsrAfter, int extra) {
    static final int BYTES = 48;

    static final List<String> NAMES = List.of(
            "ADD32",
            "SUB32",
            "MUL32",
            "DIV32",
            "MIN32",
            "MAX32",
            "SQRT32",
            "ADD64",
            "SUB64",
            "MUL64",
            "DIV64",
            "MIN64",
            "MAX64",
            "SQRT64",
            "F32_TO_F64",
            "F64_TO_F32",
            "UCOMI32",
            "COMI32",
            "UCOMI64",
            "COMI64",
            "CMP32",
            "CMP64",
            "I32_TO_F32",
            "I64_TO_F32",
            "I32_TO_F64",
            "I64_TO_F64",
            "F32_TO_I32",
            "F32_TO_I64",
            "F64_TO_I32",
            "F64_TO_I64",
            "F32_TRUNC_I32",
            "F32_TRUNC_I64",
            "F64_TRUNC_I32",
            "F64_TRUNC_I64",
            "ROUND32",
            "ROUND64",
            "F32_TO_F16",
            "F16_TO_F32",
            "FMA32",
            "FMA64");

    static SseRecord read(ByteBuffer in) {
        return new SseRecord(
                in.getShort(),
                in.getShort(),
                in.getInt(),
                in.getLong(),
                in.getLong(),
                in.getLong(),
                in.getLong(),
                in.getInt(),
                in.getInt());
    }

    String name() {
        return NAMES.get(operation);
    }

    String describe() {
        return String.format("%s imm %x mxcsr %04x a %x b %x c %x", name(), immediate, mxcsr, a, b, c);
    }

    /// Executes the instruction in Java.
    ///
    /// @return the differences from the processor's result, none when equal
    List<String> differences() {
        List<String> out = new ArrayList<>();
        Mxcsr m = new Mxcsr();
        m.value(mxcsr);
        m.begin();
        long mine = compute(m);
        boolean fault = m.commit();
        boolean faultExpected = extra < 0;
        if (fault != faultExpected) {
            out.add("fault " + fault + ", processor " + faultExpected);
        }
        if (m.value() != mxcsrAfter) {
            out.add(String.format("mxcsr %04x, processor %04x", m.value(), mxcsrAfter));
        }
        if (!fault && mine != expected()) {
            out.add(String.format("result %x, processor %x", mine, expected()));
        }
        return out;
    }

    private long expected() {
        return switch (name()) {
            case "UCOMI32", "COMI32", "UCOMI64", "COMI64" -> extra & 0x45;
            case "F32_TO_I32", "F64_TO_I32", "F32_TRUNC_I32", "F64_TRUNC_I32" -> (int) result;
            case "F32_TO_F64",
                    "CMP64",
                    "I32_TO_F64",
                    "I64_TO_F64",
                    "F32_TO_I64",
                    "F64_TO_I64",
                    "F32_TRUNC_I64",
                    "F64_TRUNC_I64",
                    "ROUND64",
                    "FMA64",
                    "ADD64",
                    "SUB64",
                    "MUL64",
                    "DIV64",
                    "MIN64",
                    "MAX64",
                    "SQRT64" -> result;
            case "F32_TO_F16" -> result & 0xFFFF;
            default -> result & 0xFFFF_FFFFL;
        };
    }

    private long compute(Mxcsr m) {
        int x = (int) a;
        int y = (int) b;
        return switch (name()) {
            case "ADD32" -> wide(Fp32.add(m, x, y));
            case "SUB32" -> wide(Fp32.sub(m, x, y));
            case "MUL32" -> wide(Fp32.mul(m, x, y));
            case "DIV32" -> wide(Fp32.div(m, x, y));
            case "MIN32" -> wide(Fp32.min(m, x, y));
            case "MAX32" -> wide(Fp32.max(m, x, y));
            case "SQRT32" -> wide(Fp32.sqrt(m, x));
            case "ADD64" -> Fp64.add(m, a, b);
            case "SUB64" -> Fp64.sub(m, a, b);
            case "MUL64" -> Fp64.mul(m, a, b);
            case "DIV64" -> Fp64.div(m, a, b);
            case "MIN64" -> Fp64.min(m, a, b);
            case "MAX64" -> Fp64.max(m, a, b);
            case "SQRT64" -> Fp64.sqrt(m, a);
            case "F32_TO_F64" -> Fp32.toF64(m, x);
            case "F64_TO_F32" -> wide(Fp64.toF32(m, a));
            case "UCOMI32" -> Fp32.compare(m, x, y, true);
            case "COMI32" -> Fp32.compare(m, x, y, false);
            case "UCOMI64" -> Fp64.compare(m, a, b, true);
            case "COMI64" -> Fp64.compare(m, a, b, false);
            case "CMP32" -> Fp32.compare(m, x, y, immediate) ? 0xFFFF_FFFFL : 0;
            case "CMP64" -> Fp64.compare(m, a, b, immediate) ? -1L : 0;
            case "I32_TO_F32" -> wide(Fp32.fromInt32(m, x));
            case "I64_TO_F32" -> wide(Fp32.fromInt64(m, a));
            case "I32_TO_F64" -> Fp64.fromInt32(x);
            case "I64_TO_F64" -> Fp64.fromInt64(m, a);
            case "F32_TO_I32" -> Fp32.toInt32(m, x);
            case "F32_TO_I64" -> Fp32.toInt64(m, x);
            case "F64_TO_I32" -> Fp64.toInt32(m, a);
            case "F64_TO_I64" -> Fp64.toInt64(m, a);
            case "F32_TRUNC_I32" -> Fp32.truncateToInt32(m, x);
            case "F32_TRUNC_I64" -> Fp32.truncateToInt64(m, x);
            case "F64_TRUNC_I32" -> Fp64.truncateToInt32(m, a);
            case "F64_TRUNC_I64" -> Fp64.truncateToInt64(m, a);
            case "ROUND32" -> wide(Fp32.roundToIntegral(m, x, immediate));
            case "ROUND64" -> Fp64.roundToIntegral(m, a, immediate);
            case "F32_TO_F16" -> Fp16.fromF32(m, x, immediate);
            case "F16_TO_F32" -> wide(Fp16.toF32(m, x));
            case "FMA32" -> wide(Fp32.fma(m, form(), x, y, (int) c));
            case "FMA64" -> Fp64.fma(m, form(), a, b, c);
            default -> throw new IllegalStateException("Record of an unknown operation " + operation);
        };
    }

    private Fma form() {
        int order = switch (immediate & 3) {
            case 0 -> 132;
            case 1 -> 213;
            default -> 231;
        };
        return new Fma(order, (immediate & 4) != 0, (immediate & 8) != 0);
    }

    private static long wide(int bits) {
        return bits & 0xFFFF_FFFFL;
    }
}
