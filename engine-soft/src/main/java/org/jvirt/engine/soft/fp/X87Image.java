package org.jvirt.engine.soft.fp;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/// The memory images of the x87 unit: FNSTENV and FLDENV, FNSAVE and FRSTOR, the x87 part of FXSAVE and XSAVE.
///
/// An image is written to and read from the start of an array that the caller owns and copies to or from guest
/// memory. The saving instructions change the unit once memory has been written: FNSTENV ends with [X87#maskAll],
/// FNSAVE with [X87#fninit].
///
/// ```
/// 32-bit protected      32-bit real             16-bit protected  16-bit real
///  0 control             0 control               0 control         0 control
///  4 status              4 status                2 status          2 status
///  8 tags                8 tags                  4 tags            4 tags
/// 12 FIP                12 FIP 15..0             6 FIP             6 FIP 15..0
/// 16 FOP<<16 | FCS      16 FIP 31..16<<12 | FOP  8 FCS             8 FIP 19..16<<12 | FOP
/// 20 FDP                20 FDP 15..0            10 FDP            10 FDP 15..0
/// 24 FDS                24 FDP 31..16<<12       12 FDS            12 FDP 19..16<<12
/// ```
///
/// Source: Intel SDM volume 1, figures 8-9 to 8-12 and table 10-2.
public final class X87Image {
    /// Bytes of the registers that follow the environment in FNSAVE's image.
    public static final int REGISTERS_BYTES = 80;

    /// Bytes of FXSAVE's image up to the end of the x87 registers.
    public static final int FXSAVE_BYTES = 160;

    private static final VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final int RESERVED = 0xFFFF_0000;

    private X87Image() {}

    /// Bytes of the environment: 28 with 32-bit operand size, else 14.
    public static int environmentBytes(boolean wide) {
        return wide ? 28 : 14;
    }

    /// FNSTENV.
    ///
    /// @param wide operand size 32 (or 64) instead of 16
    /// @param real real-address or virtual-8086 mode
    public static void storeEnvironment(X87 x, byte[] image, boolean wide, boolean real) {
        long fip = x.instructionPointer();
        long fdp = x.dataPointer();
        if (real) {
            fip += (long) x.codeSelector() << 4;
            fdp += (long) x.dataSelector() << 4;
        }
        int ip = (int) fip;
        int dp = (int) fdp;
        if (wide) {
            INT.set(image, 0, RESERVED | x.control());
            INT.set(image, 4, RESERVED | x.status());
            INT.set(image, 8, RESERVED | x.tags());
            INT.set(image, 12, real ? ip & 0xFFFF : ip);
            INT.set(image, 16, real ? ip >>> 16 << 12 | x.opcode() : x.opcode() << 16 | x.codeSelector() & 0xFFFF);
            INT.set(image, 20, real ? dp & 0xFFFF : dp);
            INT.set(image, 24, real ? dp >>> 16 << 12 : RESERVED | x.dataSelector() & 0xFFFF);
        } else {
            SHORT.set(image, 0, (short) x.control());
            SHORT.set(image, 2, (short) x.status());
            SHORT.set(image, 4, (short) x.tags());
            SHORT.set(image, 6, (short) ip);
            SHORT.set(image, 8, (short) (real ? ip >>> 16 << 12 | x.opcode() : x.codeSelector()));
            SHORT.set(image, 10, (short) dp);
            SHORT.set(image, 12, (short) (real ? dp >>> 16 << 12 : x.dataSelector()));
        }
    }

    /// FLDENV. In the real-mode formats the pointers are linear addresses, and the selectors become zero.
    public static void loadEnvironment(X87 x, byte[] image, boolean wide, boolean real) {
        int unit = wide ? 4 : 2;
        x.control(word(image, 0));
        x.status(word(image, unit));
        x.tags(word(image, 2 * unit));
        int fip = wide && !real ? (int) INT.get(image, 12) : word(image, 3 * unit);
        int code = wide ? (int) INT.get(image, 16) : word(image, 8);
        int fdp = wide && !real ? (int) INT.get(image, 20) : word(image, 5 * unit);
        int data = wide ? (int) INT.get(image, 24) : word(image, 12);
        if (real) {
            x.pointers(code, 0, fip | (code >>> 12 & 0xFFFFL) << 16, 0, fdp | (data >>> 12 & 0xFFFFL) << 16);
        } else {
            x.pointers(
                    wide ? code >>> 16 : x.opcode(),
                    code & 0xFFFF,
                    fip & 0xFFFF_FFFFL,
                    data & 0xFFFF,
                    fdp & 0xFFFF_FFFFL);
        }
    }

    /// FNSAVE: the environment, then ST(0) to ST(7) with ten bytes each.
    public static void save(X87 x, byte[] image, boolean wide, boolean real) {
        storeEnvironment(x, image, wide, real);
        int at = environmentBytes(wide);
        for (int i = 0; i < 8; i++, at += 10) {
            LONG.set(image, at, x.stSignificand(i));
            SHORT.set(image, at + 8, (short) x.stSignExponent(i));
        }
    }

    /// FRSTOR.
    public static void restore(X87 x, byte[] image, boolean wide, boolean real) {
        loadEnvironment(x, image, wide, real);
        int at = environmentBytes(wide);
        for (int i = 0; i < 8; i++, at += 10) {
            x.st(i, (long) LONG.get(image, at), word(image, at + 8));
        }
    }

    /// FXSAVE's bytes 0 to 23 and 32 to 159; the MXCSR fields between them are left alone.
    ///
    /// @param rexW pointers of 64 bits without selectors
    public static void fxsave(X87 x, byte[] image, boolean rexW) {
        SHORT.set(image, 0, (short) x.control());
        SHORT.set(image, 2, (short) x.status());
        SHORT.set(image, 4, (short) x.fullRegisters());
        SHORT.set(image, 6, (short) x.opcode());
        if (rexW) {
            LONG.set(image, 8, x.instructionPointer());
            LONG.set(image, 16, x.dataPointer());
        } else {
            LONG.set(image, 8, x.instructionPointer() & 0xFFFF_FFFFL | (x.codeSelector() & 0xFFFFL) << 32);
            LONG.set(image, 16, x.dataPointer() & 0xFFFF_FFFFL | (x.dataSelector() & 0xFFFFL) << 32);
        }
        for (int i = 0; i < 8; i++) {
            LONG.set(image, 32 + 16 * i, x.stSignificand(i));
            LONG.set(image, 40 + 16 * i, (long) x.stSignExponent(i));
        }
    }

    /// FXRSTOR's x87 part.
    public static void fxrstor(X87 x, byte[] image, boolean rexW) {
        x.control(word(image, 0));
        x.status(word(image, 2));
        x.fullRegisters(word(image, 4));
        long ip = (long) LONG.get(image, 8);
        long dp = (long) LONG.get(image, 16);
        if (rexW) {
            x.pointers(word(image, 6), 0, ip, 0, dp);
        } else {
            x.pointers(
                    word(image, 6),
                    (int) (ip >>> 32) & 0xFFFF,
                    ip & 0xFFFF_FFFFL,
                    (int) (dp >>> 32) & 0xFFFF,
                    dp & 0xFFFF_FFFFL);
        }
        for (int i = 0; i < 8; i++) {
            x.st(i, (long) LONG.get(image, 32 + 16 * i), word(image, 40 + 16 * i));
        }
    }

    private static int word(byte[] image, int at) {
        return (short) SHORT.get(image, at) & 0xFFFF;
    }
}
