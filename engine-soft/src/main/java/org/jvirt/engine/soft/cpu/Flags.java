package org.jvirt.engine.soft.cpu;

/// The six arithmetic flags OF, SF, ZF, AF, PF and CF of one vCPU, kept as the values they follow from.
///
/// An instruction notes three words; a flag is computed when something asks for it. Nothing remembers which kind of
/// instruction it was, so neither noting nor asking ever branches on it:
///
/// ```
/// result   the result, sign-extended to 64 bits       ZF = result is 0
/// carries  bit 63: carry out of the top bit           CF = bit 63
///          bit 62: carry into the top bit             OF = bit 63 xor bit 62
/// aux      bit 4: AF
///          bits 8-15: xored into the low byte of result before its parity is taken for PF
///          bit 31: xored into the sign of result for SF
/// ```
///
/// The last two are zero after arithmetic; they allow every combination that `POPF` and `SAHF` can load.
///
/// Methods for 8 and 16 bits ignore the upper bits of their arguments and return zero-extended results; those for
/// 32 bits take and return any `int`. Flags that the manual leaves undefined are cleared or follow the same
/// formula, as noted at each method. Not thread-safe: owned by the vCPU's thread.
public final class Flags {
    /// Bits of RFLAGS.
    public static final int CF = 1;
    public static final int PF = 1 << 2;
    public static final int AF = 1 << 4;
    public static final int ZF = 1 << 6;
    public static final int SF = 1 << 7;
    public static final int OF = 1 << 11;

    /// All flags that live here.
    public static final int MASK = OF | SF | ZF | AF | PF | CF;

    private static final long INTO_TOP = 1L << 62;

    private long result = 1;
    private long carries;
    private int aux = 1 << 8;

    /// All flags clear.
    public Flags() {}

    // ---- asking ----

    public boolean cf() {
        return carries < 0;
    }

    public boolean zf() {
        return result == 0;
    }

    public boolean sf() {
        return (result ^ aux) < 0;
    }

    public boolean of() {
        return (carries ^ (carries << 1)) < 0;
    }

    public boolean af() {
        return (aux & AF) != 0;
    }

    public boolean pf() {
        return (Integer.bitCount(((int) result ^ (aux >>> 8)) & 0xFF) & 1) == 0;
    }

    /// CF as 0 or 1.
    public int carry() {
        return (int) (carries >>> 63);
    }

    /// CF or ZF: unsigned "below or equal".
    public boolean belowOrEqual() {
        return carries < 0 || result == 0;
    }

    /// SF differs from OF: signed "less".
    public boolean less() {
        return (result ^ aux ^ carries ^ (carries << 1)) < 0;
    }

    /// ZF, or SF differs from OF: signed "less or equal".
    public boolean lessOrEqual() {
        return result == 0 || less();
    }

    /// Whether the condition holds that the low four bits of a `Jcc`, `SETcc` or `CMOVcc` opcode encode.
    public boolean condition(int code) {
        return switch (code & 15) {
            case 0 -> of();
            case 1 -> !of();
            case 2 -> cf();
            case 3 -> !cf();
            case 4 -> zf();
            case 5 -> !zf();
            case 6 -> belowOrEqual();
            case 7 -> !belowOrEqual();
            case 8 -> sf();
            case 9 -> !sf();
            case 10 -> pf();
            case 11 -> !pf();
            case 12 -> less();
            case 13 -> !less();
            case 14 -> lessOrEqual();
            default -> !lessOrEqual();
        };
    }

    /// The flags at their places in RFLAGS, all other bits zero.
    public int pack() {
        return (int) (carries >>> 63)
                | (pf() ? PF : 0)
                | (aux & AF)
                | (result == 0 ? ZF : 0)
                | (sf() ? SF : 0)
                | (of() ? OF : 0);
    }

    // ---- setting ----

    /// Loads all six flags from their places in RFLAGS; other bits are ignored.
    public void unpack(int bits) {
        boolean zero = (bits & ZF) != 0;
        long newResult = zero ? 0 : 1;
        int newAux = bits & AF;
        if ((bits & SF) != 0) {
            newAux |= 0x8000_0000;
        }
        // parity of 0 is even (PF set), of 1 odd (PF clear)
        if (((bits & PF) != 0) != zero) {
            newAux |= 1 << 8;
        }
        result = newResult;
        aux = newAux;
        setCarryOverflow((bits & CF) != 0, (bits & OF) != 0);
    }

    /// Sets CF and leaves the others, OF included.
    public void setCf(boolean value) {
        if (cf() != value) {
            carries ^= 3L << 62;
        }
    }

    /// Sets CF and OF and leaves the others: the rotates.
    public void setCarryOverflow(boolean carry, boolean overflow) {
        carries = (carry ? Long.MIN_VALUE : 0) | (carry != overflow ? INTO_TOP : 0);
    }

    /// Sets OF and leaves the others: `ADOX`.
    public void setOf(boolean value) {
        setCarryOverflow(cf(), value);
    }

    /// Sets ZF and leaves the others: `CMPXCHG8B`, `LAR`, `VERR` and their like.
    public void setZf(boolean value) {
        if (zf() != value) {
            unpack(pack() & ~ZF | (value ? ZF : 0));
        }
    }

    /// Notes a result of which SF, ZF and PF follow, with explicit CF and OF; AF is cleared.
    ///
    /// @param signExtended the result, sign-extended to 64 bits
    public void note(long signExtended, boolean carry, boolean overflow) {
        result = signExtended;
        setCarryOverflow(carry, overflow);
        aux = 0;
    }

    /// As [#note], but AF is set: the shifts, where it is undefined and AMD's processors set it.
    public void noteShift(long signExtended, boolean carry, boolean overflow) {
        result = signExtended;
        setCarryOverflow(carry, overflow);
        aux = AF;
    }

    // ---- addition ----

    public int add8(int a, int b) {
        int r = a + b;
        result = (byte) r;
        carries = (long) ((a & b) | ((a | b) & ~r)) << 56;
        aux = (a ^ b ^ r) & AF;
        return r & 0xFF;
    }

    public int add16(int a, int b) {
        int r = a + b;
        result = (short) r;
        carries = (long) ((a & b) | ((a | b) & ~r)) << 48;
        aux = (a ^ b ^ r) & AF;
        return r & 0xFFFF;
    }

    public int add32(int a, int b) {
        int r = a + b;
        result = r;
        carries = (long) ((a & b) | ((a | b) & ~r)) << 32;
        aux = (a ^ b ^ r) & AF;
        return r;
    }

    public long add64(long a, long b) {
        long r = a + b;
        result = r;
        carries = (a & b) | ((a | b) & ~r);
        aux = (int) (a ^ b ^ r) & AF;
        return r;
    }

    public int adc8(int a, int b) {
        int r = a + b + carry();
        result = (byte) r;
        carries = (long) ((a & b) | ((a | b) & ~r)) << 56;
        aux = (a ^ b ^ r) & AF;
        return r & 0xFF;
    }

    public int adc16(int a, int b) {
        int r = a + b + carry();
        result = (short) r;
        carries = (long) ((a & b) | ((a | b) & ~r)) << 48;
        aux = (a ^ b ^ r) & AF;
        return r & 0xFFFF;
    }

    public int adc32(int a, int b) {
        int r = a + b + carry();
        result = r;
        carries = (long) ((a & b) | ((a | b) & ~r)) << 32;
        aux = (a ^ b ^ r) & AF;
        return r;
    }

    public long adc64(long a, long b) {
        long r = a + b + carry();
        result = r;
        carries = (a & b) | ((a | b) & ~r);
        aux = (int) (a ^ b ^ r) & AF;
        return r;
    }

    // ---- subtraction; the vector is that of the borrows ----

    public int sub8(int a, int b) {
        int r = a - b;
        result = (byte) r;
        carries = (long) ((~a & b) | ((~a | b) & r)) << 56;
        aux = (a ^ b ^ r) & AF;
        return r & 0xFF;
    }

    public int sub16(int a, int b) {
        int r = a - b;
        result = (short) r;
        carries = (long) ((~a & b) | ((~a | b) & r)) << 48;
        aux = (a ^ b ^ r) & AF;
        return r & 0xFFFF;
    }

    public int sub32(int a, int b) {
        int r = a - b;
        result = r;
        carries = (long) ((~a & b) | ((~a | b) & r)) << 32;
        aux = (a ^ b ^ r) & AF;
        return r;
    }

    public long sub64(long a, long b) {
        long r = a - b;
        result = r;
        carries = (~a & b) | ((~a | b) & r);
        aux = (int) (a ^ b ^ r) & AF;
        return r;
    }

    public int sbb8(int a, int b) {
        int r = a - b - carry();
        result = (byte) r;
        carries = (long) ((~a & b) | ((~a | b) & r)) << 56;
        aux = (a ^ b ^ r) & AF;
        return r & 0xFF;
    }

    public int sbb16(int a, int b) {
        int r = a - b - carry();
        result = (short) r;
        carries = (long) ((~a & b) | ((~a | b) & r)) << 48;
        aux = (a ^ b ^ r) & AF;
        return r & 0xFFFF;
    }

    public int sbb32(int a, int b) {
        int r = a - b - carry();
        result = r;
        carries = (long) ((~a & b) | ((~a | b) & r)) << 32;
        aux = (a ^ b ^ r) & AF;
        return r;
    }

    public long sbb64(long a, long b) {
        long r = a - b - carry();
        result = r;
        carries = (~a & b) | ((~a | b) & r);
        aux = (int) (a ^ b ^ r) & AF;
        return r;
    }

    public int neg8(int a) {
        return sub8(0, a);
    }

    public int neg16(int a) {
        return sub16(0, a);
    }

    public int neg32(int a) {
        return sub32(0, a);
    }

    public long neg64(long a) {
        return sub64(0, a);
    }

    // ---- increment and decrement: CF stays ----

    public int inc8(int a) {
        int r = a + 1;
        result = (byte) r;
        keepCarry((long) (~a & r) << 56);
        aux = (a ^ 1 ^ r) & AF;
        return r & 0xFF;
    }

    public int inc16(int a) {
        int r = a + 1;
        result = (short) r;
        keepCarry((long) (~a & r) << 48);
        aux = (a ^ 1 ^ r) & AF;
        return r & 0xFFFF;
    }

    public int inc32(int a) {
        int r = a + 1;
        result = r;
        keepCarry((long) (~a & r) << 32);
        aux = (a ^ 1 ^ r) & AF;
        return r;
    }

    public long inc64(long a) {
        long r = a + 1;
        result = r;
        keepCarry(~a & r);
        aux = (int) (a ^ 1 ^ r) & AF;
        return r;
    }

    public int dec8(int a) {
        int r = a - 1;
        result = (byte) r;
        keepCarry((long) (a & ~r) << 56);
        aux = (a ^ 1 ^ r) & AF;
        return r & 0xFF;
    }

    public int dec16(int a) {
        int r = a - 1;
        result = (short) r;
        keepCarry((long) (a & ~r) << 48);
        aux = (a ^ 1 ^ r) & AF;
        return r & 0xFFFF;
    }

    public int dec32(int a) {
        int r = a - 1;
        result = r;
        keepCarry((long) (a & ~r) << 32);
        aux = (a ^ 1 ^ r) & AF;
        return r;
    }

    public long dec64(long a) {
        long r = a - 1;
        result = r;
        keepCarry(a & ~r);
        aux = (int) (a ^ 1 ^ r) & AF;
        return r;
    }

    /// Keeps CF; OF becomes the top bit of `overflow`.
    private void keepCarry(long overflow) {
        carries = (carries & Long.MIN_VALUE) | (((carries ^ overflow) >>> 1) & INTO_TOP);
    }

    // ---- AND, OR, XOR, TEST: CF and OF clear; AF, undefined, is cleared as processors do ----

    public int logic8(int r) {
        result = (byte) r;
        carries = 0;
        aux = 0;
        return r & 0xFF;
    }

    public int logic16(int r) {
        result = (short) r;
        carries = 0;
        aux = 0;
        return r & 0xFFFF;
    }

    public int logic32(int r) {
        result = r;
        carries = 0;
        aux = 0;
        return r;
    }

    public long logic64(long r) {
        result = r;
        carries = 0;
        aux = 0;
        return r;
    }

    // ---- shifts by an already masked count that is not zero; AF, undefined, is set as AMD's processors do ----
    // OF, defined for a count of one, follows the same formula for others.

    /// Notes a left shift; `carryAtTop` has the last bit shifted out at bit 63.
    private void noteLeft(long signExtended, long carryAtTop) {
        result = signExtended;
        long carry = carryAtTop & Long.MIN_VALUE;
        // OF = CF xor sign, so the carry into the top bit is the sign itself
        carries = carry | ((signExtended >>> 1) & INTO_TOP);
        aux = AF;
    }

    /// @param count 1 to 31; from 8 on the result is zero
    public int shl8(int a, int count) {
        long wide = (a & 0xFFL) << count;
        noteLeft((byte) wide, wide << 55);
        return (int) wide & 0xFF;
    }

    /// @param count 1 to 31
    public int shl16(int a, int count) {
        long wide = (a & 0xFFFFL) << count;
        noteLeft((short) wide, wide << 47);
        return (int) wide & 0xFFFF;
    }

    /// @param count 1 to 31
    public int shl32(int a, int count) {
        long wide = (long) a << count;
        noteLeft((int) wide, wide << 31);
        return (int) wide;
    }

    /// @param count 1 to 63
    public long shl64(long a, int count) {
        long r = a << count;
        noteLeft(r, a << (count - 1));
        return r;
    }

    /// Notes a logical right shift; `lowOut` has the last bit shifted out at bit 0, `alignedResult` the result's
    /// top bit at bit 63.
    private void noteRight(long signExtended, long lowOut, long alignedResult) {
        result = signExtended;
        // OF = top bit xor the bit below it
        long overflow = alignedResult ^ (alignedResult << 1);
        long carry = lowOut << 63;
        carries = carry | (((carry ^ overflow) >>> 1) & INTO_TOP);
        aux = AF;
    }

    /// @param count 1 to 31
    public int shr8(int a, int count) {
        int out = (a & 0xFF) >>> (count - 1);
        int r = out >>> 1;
        noteRight((byte) r, out, (long) r << 56);
        return r;
    }

    /// @param count 1 to 31
    public int shr16(int a, int count) {
        int out = (a & 0xFFFF) >>> (count - 1);
        int r = out >>> 1;
        noteRight((short) r, out, (long) r << 48);
        return r;
    }

    /// @param count 1 to 31
    public int shr32(int a, int count) {
        int out = a >>> (count - 1);
        int r = out >>> 1;
        noteRight(r, out, (long) r << 32);
        return r;
    }

    /// @param count 1 to 63
    public long shr64(long a, int count) {
        long out = a >>> (count - 1);
        long r = out >>> 1;
        noteRight(r, out, r);
        return r;
    }

    /// Notes an arithmetic right shift, whose OF is always clear; `lowOut` has the last bit shifted out at bit 0.
    private void noteArithmeticRight(long signExtended, long lowOut) {
        result = signExtended;
        // both carries alike: CF without OF
        carries = -(lowOut & 1);
        aux = AF;
    }

    /// @param count 1 to 31
    public int sar8(int a, int count) {
        int out = (byte) a >> (count - 1);
        int r = out >> 1;
        noteArithmeticRight(r, out);
        return r & 0xFF;
    }

    /// @param count 1 to 31
    public int sar16(int a, int count) {
        int out = (short) a >> (count - 1);
        int r = out >> 1;
        noteArithmeticRight(r, out);
        return r & 0xFFFF;
    }

    /// @param count 1 to 31
    public int sar32(int a, int count) {
        int out = a >> (count - 1);
        int r = out >> 1;
        noteArithmeticRight(r, out);
        return r;
    }

    /// @param count 1 to 63
    public long sar64(long a, int count) {
        long out = a >> (count - 1);
        long r = out >> 1;
        noteArithmeticRight(r, out);
        return r;
    }
}
