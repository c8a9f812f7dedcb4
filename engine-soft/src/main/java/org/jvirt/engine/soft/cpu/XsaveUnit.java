package org.jvirt.engine.soft.cpu;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.jvirt.core.cpu.CpuFeature;
import org.jvirt.core.cpu.CpuidLeaf;
import org.jvirt.core.cpu.XsaveArea;
import org.jvirt.engine.soft.fp.Mxcsr;
import org.jvirt.engine.soft.fp.X87;

/// FXSAVE, XSAVE and their relatives: x87, SSE and AVX state to and from memory.
///
/// An area is put together in a buffer of this class, and only those of its parts that the instruction writes go to
/// the guest's memory.
///
/// ```
/// 0    legacy area: x87 0-23 and 32-159, MXCSR 24-31, XMM 160-415
/// 512  header: XSTATE_BV, XCOMP_BV
/// 576  upper halves of YMM
/// ```
///
/// Source: Intel SDM volume 1, chapters 10.5 and 13.
public final class XsaveUnit {
    private static final int X87_BIT = 1;
    private static final int SSE_BIT = 2;
    private static final int AVX_BIT = 4;
    private static final int HEADER = 512;
    private static final int YMM = 576;
    private static final int YMM_BYTES = 256;
    private static final long COMPACTED = 1L << 63;

    private static final VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private final Cpu cpu;
    private final long supported;
    private final byte[] buffer = new byte[YMM + YMM_BYTES];

    XsaveUnit(Cpu cpu) {
        this.cpu = cpu;
        long announced = cpu.cpuid().leaf(0xD, 0).map(CpuidLeaf::eax).orElse(0);
        long known = X87_BIT | SSE_BIT | (cpu.has(CpuFeature.AVX) ? AVX_BIT : 0);
        supported = !cpu.has(CpuFeature.XSAVE) ? X87_BIT : announced == 0 ? known : known & announced;
    }

    /// The bits that XCR0 may have.
    public long supported() {
        return supported;
    }

    static int standardBytes(long components) {
        return (components & AVX_BIT) != 0 ? YMM + YMM_BYTES : YMM;
    }

    static int compactedBytes(long components) {
        return (components & AVX_BIT) != 0 ? YMM + YMM_BYTES : YMM;
    }

    // ---------------------------------------------------------------- FXSAVE

    /// FXSAVE at a 16-byte aligned address.
    public void fxsave(long la, boolean wide) {
        cpu.takeExtended();
        putX87(wide);
        putMxcsr();
        int registers = cpu.longMode64() ? 16 : 8;
        putXmm(registers);
        boolean sse = (cpu.control.cr4() & Control.OSFXSR) != 0;
        int end = sse ? 160 + 16 * registers : 160;
        cpu.mmu.checkWrite(la, end);
        out(la, 0, end);
    }

    /// FXRSTOR from a 16-byte aligned address.
    public void fxrstor(long la, boolean wide) {
        cpu.takeExtended();
        int registers = cpu.longMode64() ? 16 : 8;
        boolean sse = (cpu.control.cr4() & Control.OSFXSR) != 0;
        int end = sse ? 160 + 16 * registers : 160;
        in(la, 0, end);
        int mxcsr = getInt(24);
        if (sse && (mxcsr & ~Mxcsr.MASK) != 0) {
            throw cpu.gp(0);
        }
        takeX87(wide);
        if (sse) {
            cpu.mxcsr.value(mxcsr);
            takeXmm(registers);
        }
    }

    // ---------------------------------------------------------------- XSAVE

    private long requested() {
        return (cpu.r[Cpu.RAX] & 0xFFFF_FFFFL | cpu.r[Cpu.RDX] << 32) & cpu.control.xcr0();
    }

    private long inUse() {
        long used = X87_BIT;
        if (anySet(cpu.xmm)) {
            used |= SSE_BIT;
        }
        if (anySet(cpu.ymmHigh)) {
            used |= AVX_BIT;
        }
        return used;
    }

    private static boolean anySet(long[] values) {
        long all = 0;
        for (long value : values) {
            all |= value;
        }
        return all != 0;
    }

    private void checkAligned(long la) {
        if ((la & 63) != 0) {
            throw cpu.gp(0);
        }
    }

    /// XSAVE and XSAVEOPT (`optimized`) at `la`.
    public void xsave(long la, boolean wide, boolean optimized) {
        cpu.takeExtended();
        checkAligned(la);
        long components = requested();
        long used = inUse();
        long written = optimized ? components & used : components;
        cpu.mmu.checkWrite(la, standardBytes(components));
        long old = cpu.mmu.load64(la + HEADER);
        writeComponents(la, written, wide);
        if ((components & (SSE_BIT | AVX_BIT)) != 0) {
            putMxcsr();
            out(la, 24, 32);
        }
        cpu.mmu.store64(la + HEADER, old & ~components | components & used);
    }

    /// XSAVEC and, with `supervisor`, XSAVES at `la`.
    public void xsavec(long la, boolean wide) {
        cpu.takeExtended();
        checkAligned(la);
        long components = requested();
        long used = inUse();
        if (cpu.mxcsr.value() != Mxcsr.RESET) {
            used |= SSE_BIT;
        }
        long written = components & used;
        cpu.mmu.checkWrite(la, compactedBytes(components));
        writeComponents(la, written, wide);
        if ((written & SSE_BIT) != 0) {
            putMxcsr();
            out(la, 24, 32);
        }
        cpu.mmu.store64(la + HEADER, written);
        cpu.mmu.store64(la + HEADER + 8, components | COMPACTED);
    }

    private void writeComponents(long la, long components, boolean wide) {
        int registers = cpu.longMode64() ? 16 : 8;
        if ((components & X87_BIT) != 0) {
            putX87(wide);
            out(la, 0, 24);
            out(la, 32, 160);
        }
        if ((components & SSE_BIT) != 0) {
            putXmm(registers);
            out(la, 160, 160 + 16 * registers);
        }
        if ((components & AVX_BIT) != 0) {
            putYmm(registers);
            out(la, YMM, YMM + 16 * registers);
        }
    }

    /// XRSTOR and XRSTORS from `la`.
    ///
    /// @param compactedOnly XRSTORS refuses the standard form
    public void xrstor(long la, boolean wide, boolean compactedOnly) {
        cpu.takeExtended();
        checkAligned(la);
        long components = requested();
        long state = cpu.mmu.load64(la + HEADER);
        long form = cpu.mmu.load64(la + HEADER + 8);
        boolean compacted = form < 0;
        long xcr0 = cpu.control.xcr0();
        long allowed = compacted ? form & ~COMPACTED : xcr0;
        boolean bad = (state & ~allowed) != 0
                || (compacted ? (form & ~COMPACTED & ~xcr0) != 0 : form != 0 || compactedOnly)
                || compacted && !cpu.has(CpuFeature.XSAVEC)
                || cpu.mmu.load64(la + HEADER + 16) != 0;
        if (compacted || compactedOnly) {
            for (int i = 24; i < 64; i += 8) {
                bad |= cpu.mmu.load64(la + HEADER + i) != 0;
            }
        }
        if (bad) {
            throw cpu.gp(0);
        }
        int registers = cpu.longMode64() ? 16 : 8;
        long loaded = components & state;
        // everything that can fault comes before the first change
        if ((loaded & X87_BIT) != 0) {
            in(la, 0, 24);
            in(la, 32, 160);
        }
        boolean mxcsrLoaded = compacted ? (loaded & SSE_BIT) != 0 : (components & (SSE_BIT | AVX_BIT)) != 0;
        if (mxcsrLoaded) {
            in(la, 24, 32);
            if ((getInt(24) & ~Mxcsr.MASK) != 0) {
                throw cpu.gp(0);
            }
        }
        if ((loaded & SSE_BIT) != 0) {
            in(la, 160, 160 + 16 * registers);
        }
        if ((loaded & AVX_BIT) != 0) {
            in(la, YMM, YMM + 16 * registers);
        }
        if ((components & X87_BIT) != 0) {
            if ((loaded & X87_BIT) != 0) {
                takeX87(wide);
            } else {
                initX87();
            }
        }
        if (mxcsrLoaded) {
            cpu.mxcsr.value(getInt(24));
        } else if (compacted && (components & SSE_BIT) != 0) {
            cpu.mxcsr.value(Mxcsr.RESET);
        }
        if ((components & SSE_BIT) != 0) {
            if ((loaded & SSE_BIT) != 0) {
                takeXmm(registers);
            } else {
                Arrays.fill(cpu.xmm, 0, 2 * registers, 0);
            }
        }
        if ((components & AVX_BIT) != 0) {
            if ((loaded & AVX_BIT) != 0) {
                takeYmm(registers);
            } else {
                Arrays.fill(cpu.ymmHigh, 0, 2 * registers, 0);
            }
        }
    }

    /// XGETBV with ECX 1.
    public long xcr0InUse() {
        cpu.takeExtended();
        return cpu.control.xcr0() & inUse();
    }

    // ---------------------------------------------------------------- memory and buffer

    private void out(long la, int from, int to) {
        int at = from;
        for (; at + 8 <= to; at += 8) {
            cpu.mmu.store64(la + at, getLong(at));
        }
        for (; at < to; at++) {
            cpu.mmu.store8(la + at, buffer[at]);
        }
    }

    private void in(long la, int from, int to) {
        int at = from;
        for (; at + 8 <= to; at += 8) {
            putLong(at, cpu.mmu.load64(la + at));
        }
        for (; at < to; at++) {
            buffer[at] = (byte) cpu.mmu.load8(la + at);
        }
    }

    private int getShort(int at) {
        return (short) SHORT.get(buffer, at) & 0xFFFF;
    }

    private int getInt(int at) {
        return (int) INT.get(buffer, at);
    }

    private long getLong(int at) {
        return (long) LONG.get(buffer, at);
    }

    private void putShort(int at, int value) {
        SHORT.set(buffer, at, (short) value);
    }

    private void putInt(int at, int value) {
        INT.set(buffer, at, value);
    }

    private void putLong(int at, long value) {
        LONG.set(buffer, at, value);
    }

    private void putX87(boolean wide) {
        X87 x87 = cpu.x87;
        putShort(0, x87.control());
        putShort(2, x87.status());
        putShort(4, x87.fullRegisters());
        putShort(6, x87.opcode());
        if (wide) {
            putLong(8, x87.instructionPointer());
            putLong(16, x87.dataPointer());
        } else {
            putInt(8, (int) x87.instructionPointer());
            putInt(12, x87.codeSelector() & 0xFFFF);
            putInt(16, (int) x87.dataPointer());
            putInt(20, x87.dataSelector() & 0xFFFF);
        }
        for (int i = 0; i < 8; i++) {
            putLong(32 + 16 * i, x87.stSignificand(i));
            putLong(40 + 16 * i, x87.stSignExponent(i));
        }
    }

    private void takeX87(boolean wide) {
        X87 x87 = cpu.x87;
        x87.control(getShort(0));
        x87.status(getShort(2));
        x87.fullRegisters(getShort(4) & 0xFF);
        if (wide) {
            x87.pointers(getShort(6), 0, getLong(8), 0, getLong(16));
        } else {
            x87.pointers(getShort(6), getShort(12), getInt(8) & 0xFFFF_FFFFL, getShort(20), getInt(16) & 0xFFFF_FFFFL);
        }
        for (int i = 0; i < 8; i++) {
            x87.st(i, getLong(32 + 16 * i), getShort(40 + 16 * i));
        }
    }

    private void initX87() {
        cpu.x87.fninit();
        for (int i = 0; i < 8; i++) {
            cpu.x87.register(i, 0, 0);
        }
    }

    private void putMxcsr() {
        putInt(24, cpu.mxcsr.value());
        putInt(28, Mxcsr.MASK);
    }

    private void putXmm(int registers) {
        for (int i = 0; i < 2 * registers; i++) {
            putLong(160 + 8 * i, cpu.xmm[i]);
        }
    }

    private void takeXmm(int registers) {
        for (int i = 0; i < 2 * registers; i++) {
            cpu.xmm[i] = getLong(160 + 8 * i);
        }
    }

    private void putYmm(int registers) {
        for (int i = 0; i < 2 * registers; i++) {
            putLong(YMM + 8 * i, cpu.ymmHigh[i]);
        }
    }

    private void takeYmm(int registers) {
        for (int i = 0; i < 2 * registers; i++) {
            cpu.ymmHigh[i] = getLong(YMM + 8 * i);
        }
    }

    // ---------------------------------------------------------------- state

    /// Everything, in the standard form.
    XsaveArea save() {
        cpu.takeExtended();
        Arrays.fill(buffer, (byte) 0);
        putX87(true);
        putMxcsr();
        putXmm(16);
        putYmm(16);
        boolean avx = (supported & AVX_BIT) != 0;
        putLong(HEADER, X87_BIT | SSE_BIT | (avx ? AVX_BIT : 0));
        return new XsaveArea(Arrays.copyOf(buffer, avx ? buffer.length : YMM));
    }

    void load(XsaveArea area) {
        cpu.takeExtended();
        byte[] bytes = area.bytes();
        Arrays.fill(buffer, (byte) 0);
        System.arraycopy(bytes, 0, buffer, 0, Math.min(bytes.length, buffer.length));
        long state = getLong(HEADER);
        // an area without header, as after power-on, has all its legacy parts
        boolean legacy = state == 0;
        if (legacy || (state & X87_BIT) != 0) {
            takeX87(true);
        } else {
            initX87();
        }
        cpu.mxcsr.value(getInt(24) & Mxcsr.MASK);
        if (!legacy && (state & SSE_BIT) == 0) {
            Arrays.fill(buffer, 160, 416, (byte) 0);
        }
        takeXmm(16);
        if ((state & AVX_BIT) == 0) {
            Arrays.fill(buffer, YMM, YMM + YMM_BYTES, (byte) 0);
        }
        takeYmm(16);
    }
}
