package org.jvirt.engine.soft.translate.vector;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.translate.emit.StateLayout;
import org.jvirt.x86.CodeWriter;
import org.jvirt.x86.CpuFeature;

/// The vector registers on their way between the processor in Java, its state block, and the host's registers.
///
/// ```
/// Cpu.xmm, ymmHigh, mxcsr ── toNative ──→ state block ── code of emitLoad ──→ XMM, YMM, MXCSR
///                         ←── toJava ────             ←── code of emitSave ──
/// ```
///
/// On a host without AVX the upper halves stay in Java: no instruction that the host executes changes them.
public final class VectorState {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final int REGISTERS = 16;
    private static final int REGISTER_BYTES = 32;
    private static final int CR0_EM = 1 << 2;
    private static final int CR0_TS = 1 << 3;
    private static final int CR4_OSFXSR = 1 << 9;
    private static final int CR4_OSXSAVE = 1 << 18;
    private static final int XCR0_SSE_AND_AVX = 6;
    /// The mask bits of MXCSR.
    private static final int MXCSR_MASKS = 0x1F80;

    private static final int RSP = 4;
    private static final int NONE = -1;
    /// 0F 10 and 0F 11: MOVUPS, with VEX VMOVUPS.
    private static final int MOVUPS_LOAD = 0x10;

    private static final int MOVUPS_STORE = 0x11;
    private static final int LDMXCSR = 2;
    private static final int STMXCSR = 3;

    private VectorState() {}

    /// Writes code that loads the guest's registers from the state block that RSP points to; no other register
    /// changes; flags do.
    public static void emitLoad(CodeWriter out, HostCpu host) {
        out.memory(0x0FAE, 4, LDMXCSR, RSP, NONE, 0, StateLayout.GUEST_MXCSR);
        if (!hasAvx(host)) {
            moveAll(out, MOVUPS_LOAD, false, false);
            return;
        }
        // SSE instructions keep the upper halves: unless the host knows that these are zero, each waits for the one
        // that had its register before
        out.compareConstant(4, RSP, StateLayout.UPPER_HALVES, 0);
        int whole = out.jumpIf(CodeWriter.NOT_EQUAL);
        moveAll(out, MOVUPS_LOAD, true, false);
        int done = out.jump();
        out.here(whole);
        moveAll(out, MOVUPS_LOAD, true, true);
        out.here(done);
    }

    /// Writes code that notes whether upper halves may be other than zero from now on; no register changes, nor do
    /// flags.
    public static void emitUpperHalves(CodeWriter out, boolean used) {
        out.storeConstant(4, used ? 1 : 0, RSP, NONE, StateLayout.UPPER_HALVES);
    }

    /// Writes code that saves the guest's registers to the state block that RSP points to and leaves the host's own
    /// MXCSR behind; no other register changes.
    public static void emitSave(CodeWriter out, HostCpu host) {
        moveAll(out, MOVUPS_STORE, hasAvx(host), true);
        out.memory(0x0FAE, 4, STMXCSR, RSP, NONE, 0, StateLayout.GUEST_MXCSR);
        out.memory(0x0FAE, 4, LDMXCSR, RSP, NONE, 0, StateLayout.HOST_MXCSR);
        if (hasAvx(host)) {
            // VZEROUPPER: SSE code of the host would be slow otherwise
            out.byte1(0xC5);
            out.byte1(0xF8);
            out.byte1(0x77);
        }
    }

    private static boolean hasAvx(HostCpu host) {
        return host.has(CpuFeature.AVX);
    }

    private static void moveAll(CodeWriter out, int opcode, boolean avx, boolean whole) {
        for (int i = 0; i < REGISTERS; i++) {
            if (avx) {
                // VEX.0F: inverted R, no second source, L for 256 bits
                out.byte1(0xC5);
                out.byte1((i < 8 ? 0xF8 : 0x78) | (whole ? 4 : 0));
            } else {
                if (i >= 8) {
                    out.byte1(0x44);
                }
                out.byte1(0x0F);
            }
            out.byte1(opcode);
            // [rsp + disp32]
            out.byte1(0x84 | (i & 7) << 3);
            out.byte1(0x24);
            out.int4(StateLayout.YMM + REGISTER_BYTES * i);
        }
    }

    /// Whether translated code may use the vector registers now: the guest may, and none of its floating-point
    /// exceptions could become one of the host's.
    ///
    /// @param use [VectorUse#SSE] or [VectorUse#AVX]
    public static boolean mayLoad(Cpu cpu, VectorUse use) {
        if ((cpu.mxcsr.value() & MXCSR_MASKS) != MXCSR_MASKS || (cpu.control.cr0() & CR0_TS) != 0) {
            return false;
        }
        return switch (use) {
            case NONE -> true;
            case SSE -> (cpu.control.cr0() & CR0_EM) == 0 && (cpu.control.cr4() & CR4_OSFXSR) != 0;
            case AVX ->
                cpu.protectedMode()
                        && (cpu.control.cr4() & CR4_OSXSAVE) != 0
                        && (cpu.control.xcr0() & XCR0_SSE_AND_AVX) == XCR0_SSE_AND_AVX;
            case UNSUPPORTED -> false;
        };
    }

    /// Copies the processor's registers to the state block that begins at `offset` of `state`.
    public static void toNative(Cpu cpu, MemorySegment state, long offset) {
        long[] low = cpu.xmm;
        long[] high = cpu.ymmHigh;
        long at = offset + StateLayout.YMM;
        long upper = 0;
        for (int i = 0; i < 2 * REGISTERS; i += 2) {
            upper |= high[i] | high[i + 1];
            state.set(LONG, at, low[i]);
            state.set(LONG, at + 8, low[i + 1]);
            state.set(LONG, at + 16, high[i]);
            state.set(LONG, at + 24, high[i + 1]);
            at += REGISTER_BYTES;
        }
        state.set(INT, offset + StateLayout.UPPER_HALVES, upper == 0 ? 0 : 1);
        state.set(INT, offset + StateLayout.GUEST_MXCSR, cpu.mxcsr.value());
    }

    /// Copies the registers back from the state block, after the code of [#emitSave] has run.
    public static void toJava(Cpu cpu, MemorySegment state, long offset) {
        long[] low = cpu.xmm;
        long[] high = cpu.ymmHigh;
        long at = offset + StateLayout.YMM;
        for (int i = 0; i < 2 * REGISTERS; i += 2) {
            low[i] = state.get(LONG, at);
            low[i + 1] = state.get(LONG, at + 8);
            // without AVX the code has left them as they were
            high[i] = state.get(LONG, at + 16);
            high[i + 1] = state.get(LONG, at + 24);
            at += REGISTER_BYTES;
        }
        cpu.mxcsr.value(state.get(INT, offset + StateLayout.GUEST_MXCSR));
    }
}
