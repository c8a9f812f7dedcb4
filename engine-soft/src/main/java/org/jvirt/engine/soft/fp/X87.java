package org.jvirt.engine.soft.fp;

import static org.jvirt.engine.soft.fp.FpEnvironment.IE;
import static org.jvirt.engine.soft.fp.FpEnvironment.OE;
import static org.jvirt.engine.soft.fp.FpEnvironment.PRE;
import static org.jvirt.engine.soft.fp.FpEnvironment.UE;

/// The x87 floating-point unit of one virtual CPU, with the MMX registers that share its storage.
///
/// There is one method per kind of instruction. Memory operands are handed over as loaded bits. A store computes
/// first and changes nothing, so that the caller can write memory (which may fault) before the instruction
/// completes:
///
/// ```
/// if (x87.pending()) raise(MF);                           // every waiting instruction
/// if (x87.storeF64()) memory.write64(address, x87.stored());
/// x87.storeDone(pop);
/// ```
///
/// Responses to stack faults and to exceptions, masked and unmasked, happen inside. An unmasked exception leaves
/// what the manual says unchanged and makes [#pending] true: the next waiting instruction raises #MF.
///
/// The register stack is eight physical registers; `ST(i)` is physical register `(TOP + i) & 7`. Which instructions
/// are waiting (all but the FN… ones), the checks of CR0.EM and CR0.TS, and memory are the caller's. Not
/// thread-safe: called by the thread of the virtual CPU only.
///
/// Source: Intel SDM volume 1, chapter 8; volume 2 for the single instructions. Where the manual leaves a choice,
/// the behaviour of AMD's family 19h has been followed.
public final class X87 extends X87Registers {
    /// Operation numbers of [#arithmetic] and its relatives: `dst = dst op src`, the R forms `dst = src op dst`.
    public static final int ADD = 0;

    public static final int MUL = 1;
    public static final int SUB = 4;
    public static final int SUBR = 5;
    public static final int DIV = 6;
    public static final int DIVR = 7;

    /// Constants of [#loadConstant], in opcode order D9 E8 to D9 EE.
    public static final int ONE = 0;

    public static final int LOG2_10 = 1;
    public static final int LOG2_E = 2;
    public static final int PI = 3;
    public static final int LOG10_2 = 4;
    public static final int LN_2 = 5;
    public static final int ZERO = 6;

    private long stored;
    private int storedHigh;
    private boolean storeComplete;
    private int storeStatus;

    /// A unit as after FNINIT, registers zero.
    public X87() {}

    // ---------------------------------------------------------------- stack

    /// FINCSTP.
    public void fincstp() {
        top = top + 1 & 7;
        status &= ~C1;
    }

    /// FDECSTP.
    public void fdecstp() {
        top = top - 1 & 7;
        status &= ~C1;
    }

    /// FFREE, and FFREEP with pop.
    public void ffree(int i, boolean pop) {
        full &= ~(1 << (top + i & 7));
        status &= ~C1;
        if (pop) {
            pop();
        }
    }

    /// FXCH.
    public void fxch(int i) {
        if (isEmpty(0) || isEmpty(i)) {
            if (!underflow()) {
                return;
            }
            if (isEmpty(0)) {
                setIndefinite(0);
            }
            if (isEmpty(i)) {
                setIndefinite(i);
            }
        } else {
            status &= ~C1;
        }
        int a = top;
        int b = top + i & 7;
        long sig = significands[a];
        int se = signExponents[a];
        significands[a] = significands[b];
        signExponents[a] = signExponents[b];
        significands[b] = sig;
        signExponents[b] = se;
    }

    /// FCMOVcc: `condition` has been evaluated by the caller from EFLAGS.
    public void fcmov(int i, boolean condition) {
        if (isEmpty(0) || isEmpty(i)) {
            if (underflow()) {
                setIndefinite(0);
            }
            return;
        }
        if (condition) {
            set(0, stSignificand(i), stSignExponent(i));
        }
    }

    // ---------------------------------------------------------------- loads

    /// FLD m32fp.
    public void loadF32(int bits) {
        if (pushable()) {
            env.begin();
            Fp80Convert.fromF32(env, bits);
            push();
        }
    }

    /// FLD m64fp.
    public void loadF64(long bits) {
        if (pushable()) {
            env.begin();
            Fp80Convert.fromF64(env, bits);
            push();
        }
    }

    /// FLD m80fp: any bits, no exception.
    public void loadF80(long sig, int signExponent) {
        if (pushable()) {
            env.begin();
            env.result(sig, signExponent & 0xFFFF);
            push();
        }
    }

    /// FLD ST(i).
    public void loadSt(int i) {
        if (isEmpty(i)) {
            // The push of an empty register is reported as underflow even when the stack is also full.
            if (underflow()) {
                top = top - 1 & 7;
                setIndefinite(0);
            }
            return;
        }
        loadF80(stSignificand(i), stSignExponent(i));
    }

    /// FILD of a sign-extended 16, 32 or 64-bit integer.
    public void loadInteger(long value) {
        if (pushable()) {
            env.begin();
            Fp80Convert.fromInteger(env, value);
            push();
        }
    }

    /// FBLD of eighteen packed digits and the sign byte.
    ///
    /// @param low bytes 0 to 7
    /// @param high bytes 8 and 9
    public void loadBcd(long low, int high) {
        if (pushable()) {
            env.begin();
            Fp80Convert.fromBcd(env, low, high);
            push();
        }
    }

    /// FLD1, FLDL2T, FLDL2E, FLDPI, FLDLG2, FLDLN2, FLDZ: see [#ONE] and the following.
    public void loadConstant(int which) {
        if (pushable()) {
            env.begin();
            Fp80Convert.constant(env, which);
            push();
        }
    }

    // ---------------------------------------------------------------- stores

    /// FST/FSTP m32fp, first half: whether [#stored] (low 32 bits) is to be written before [#storeDone].
    public boolean storeF32() {
        if (isEmpty(0)) {
            return storeUnderflow(0xFFC0_0000L, 0);
        }
        env.begin();
        return storeReady(Fp80Convert.toF32(env, stSignificand(0), stSignExponent(0)) & 0xFFFF_FFFFL);
    }

    /// FST/FSTP m64fp, first half.
    public boolean storeF64() {
        if (isEmpty(0)) {
            return storeUnderflow(0xFFF8_0000_0000_0000L, 0);
        }
        env.begin();
        return storeReady(Fp80Convert.toF64(env, stSignificand(0), stSignExponent(0)));
    }

    /// FSTP m80fp, first half; the significand is in [#stored], sign and exponent in [#storedHigh].
    public boolean storeF80() {
        if (isEmpty(0)) {
            return storeUnderflow(INDEFINITE, INDEFINITE_SE);
        }
        env.begin();
        storedHigh = stSignExponent(0);
        return storeReady(stSignificand(0));
    }

    /// FIST/FISTP/FISTTP, first half.
    ///
    /// @param bits 16, 32 or 64
    /// @param truncate round toward zero whatever the control word says (FISTTP)
    public boolean storeInteger(int bits, boolean truncate) {
        if (isEmpty(0)) {
            return storeUnderflow(Fp80Convert.integerIndefinite(bits), 0);
        }
        env.begin();
        return storeReady(Fp80Convert.toInteger(env, stSignificand(0), stSignExponent(0), bits, truncate));
    }

    /// FBSTP, first half; bytes 0 to 7 are in [#stored], bytes 8 and 9 in [#storedHigh].
    public boolean storeBcd() {
        if (isEmpty(0)) {
            return storeUnderflow(INDEFINITE, 0xFFFF);
        }
        env.begin();
        long low = Fp80Convert.toBcd(env, stSignificand(0), stSignExponent(0));
        storedHigh = env.signExponent;
        return storeReady(low);
    }

    /// The bits to be written by the store just prepared.
    public long stored() {
        return stored;
    }

    /// The upper two of ten bytes to be written.
    public int storedHigh() {
        return storedHigh;
    }

    /// Second half of a store, after memory has been written: exceptions and pop take effect.
    public void storeDone(boolean pop) {
        status = status & ~C1 | storeStatus;
        if (storeComplete && pop) {
            pop();
        }
    }

    private boolean storeUnderflow(long value, int high) {
        stored = value;
        storedHigh = high;
        storeStatus = IE | SF;
        storeComplete = (control & IE) != 0;
        return storeComplete;
    }

    private boolean storeReady(long value) {
        stored = value;
        storeStatus = env.raised | (env.roundedUp ? C1 : 0);
        storeComplete = (env.raised & ~control & (PRE | OE | UE)) == 0;
        return storeComplete;
    }

    /// FST/FSTP ST(i).
    public void storeSt(int i, boolean pop) {
        if (isEmpty(0)) {
            if (!underflow()) {
                return;
            }
            setIndefinite(i);
        } else {
            status &= ~C1;
            set(i, stSignificand(0), stSignExponent(0));
        }
        if (pop) {
            pop();
        }
    }

    // ---------------------------------------------------------------- arithmetic

    /// `ST(dst) = ST(dst) op ST(src)`, R forms the other way round, then perhaps a pop. One of the two is 0.
    public void arithmetic(int op, int dst, int src, boolean pop) {
        if (isEmpty(dst) || isEmpty(src)) {
            if (!underflow()) {
                return;
            }
            setIndefinite(dst);
            if (pop) {
                pop();
            }
            return;
        }
        env.begin();
        compute(op, stSignificand(dst), stSignExponent(dst), stSignificand(src), stSignExponent(src));
        if (finish(dst) && pop) {
            pop();
        }
    }

    /// `ST(0) = ST(0) op m32fp`.
    public void arithmeticF32(int op, int bits) {
        if (available(0)) {
            env.begin();
            Fp80Convert.fromF32Operand(env, bits);
            computeLoaded(op);
        }
    }

    /// `ST(0) = ST(0) op m64fp`.
    public void arithmeticF64(int op, long bits) {
        if (available(0)) {
            env.begin();
            Fp80Convert.fromF64Operand(env, bits);
            computeLoaded(op);
        }
    }

    /// `ST(0) = ST(0) op integer` (FIADD and its relatives), the operand sign-extended.
    public void arithmeticInteger(int op, long value) {
        if (available(0)) {
            env.begin();
            Fp80Convert.fromInteger(env, value);
            computeLoaded(op);
        }
    }

    private void computeLoaded(int op) {
        if (env.denormalLoaded && denormalMatters(op == DIVR)) {
            env.raise(FpEnvironment.DE);
            if (env.noResult()) {
                finish(0);
                return;
            }
        }
        compute(op, stSignificand(0), stSignExponent(0), env.significand, env.signExponent);
        finish(0);
    }

    /// A denormal memory operand goes unnoticed beside a NaN or an unsupported operand, or when zero divides it.
    private boolean denormalMatters(boolean divides) {
        long sig = stSignificand(0);
        int se = stSignExponent(0);
        return !Fp80.isNaN(sig, se) && !Fp80.isUnsupported(sig, se) && !(divides && Fp80.isZero(sig, se));
    }

    private void compute(int op, long as, int ae, long bs, int be) {
        switch (op) {
            case ADD -> Fp80.add(env, as, ae, bs, be);
            case MUL -> Fp80.mul(env, as, ae, bs, be);
            case SUB -> Fp80.sub(env, as, ae, bs, be);
            case SUBR -> Fp80.sub(env, bs, be, as, ae);
            case DIV -> Fp80.div(env, as, ae, bs, be);
            case DIVR -> Fp80.div(env, bs, be, as, ae);
            default -> throw new IllegalArgumentException("No x87 arithmetic operation has number " + op);
        }
    }

    /// FCHS.
    public void fchs() {
        if (available(0)) {
            status &= ~C1;
            signExponents[top] ^= 0x8000;
        }
    }

    /// FABS.
    public void fabs() {
        if (available(0)) {
            status &= ~C1;
            signExponents[top] &= 0x7FFF;
        }
    }

    /// FSQRT.
    public void fsqrt() {
        if (available(0)) {
            env.begin();
            Fp80.sqrt(env, stSignificand(0), stSignExponent(0));
            finish(0);
        }
    }

    /// FRNDINT.
    public void frndint() {
        if (available(0)) {
            env.begin();
            Fp80Remainder.roundToInteger(env, stSignificand(0), stSignExponent(0));
            finish(0);
        }
    }

    /// FSCALE.
    public void fscale() {
        if (bothAvailable(0)) {
            env.begin();
            Fp80Remainder.scale(env, stSignificand(0), stSignExponent(0), stSignificand(1), stSignExponent(1));
            finish(0);
        }
    }

    /// FXTRACT: the exponent replaces ST(0), the significand is pushed.
    public void fxtract() {
        if (splittable()) {
            env.begin();
            Fp80Remainder.extract(env, stSignificand(0), stSignExponent(0));
            finishAndPush();
        }
    }

    /// FPREM.
    public void fprem() {
        remainder(false);
    }

    /// FPREM1.
    public void fprem1() {
        remainder(true);
    }

    private void remainder(boolean nearest) {
        status &= ~C2;
        if (bothAvailable(0)) {
            env.begin();
            boolean divided = Fp80Remainder.remainder(
                    env, stSignificand(0), stSignExponent(0), stSignificand(1), stSignExponent(1), nearest);
            if (finish(0) && divided) {
                status = status & ~CC | env.conditions;
            }
        }
    }

    // ---------------------------------------------------------------- transcendental

    /// F2XM1.
    public void f2xm1() {
        if (available(0)) {
            env.begin();
            Fp80Exponential.f2xm1(env, stSignificand(0), stSignExponent(0));
            finish(0);
        }
    }

    /// FYL2X: `ST(1) = ST(1) * log2(ST(0))`, then a pop.
    public void fyl2x() {
        if (bothAvailable(1)) {
            env.begin();
            Fp80Exponential.fyl2x(env, stSignificand(0), stSignExponent(0), stSignificand(1), stSignExponent(1));
            finishAndPop();
        }
    }

    /// FYL2XP1: `ST(1) = ST(1) * log2(ST(0) + 1)`, then a pop.
    public void fyl2xp1() {
        if (bothAvailable(1)) {
            env.begin();
            Fp80Exponential.fyl2xp1(env, stSignificand(0), stSignExponent(0), stSignificand(1), stSignExponent(1));
            finishAndPop();
        }
    }

    /// FPATAN: `ST(1) = arctan(ST(1) / ST(0))`, then a pop.
    public void fpatan() {
        if (bothAvailable(1)) {
            env.begin();
            Fp80Trigonometry.fpatan(env, stSignificand(0), stSignExponent(0), stSignificand(1), stSignExponent(1));
            finishAndPop();
        }
    }

    /// FSIN. C2 is set and ST(0) unchanged from 2^63 on.
    public void fsin() {
        status &= ~C2;
        if (available(0)) {
            env.begin();
            Fp80Trigonometry.fsin(env, stSignificand(0), stSignExponent(0));
            finishReduced(false);
        }
    }

    /// FCOS.
    public void fcos() {
        status &= ~C2;
        if (available(0)) {
            env.begin();
            Fp80Trigonometry.fcos(env, stSignificand(0), stSignExponent(0));
            finishReduced(false);
        }
    }

    /// FSINCOS: the sine replaces ST(0), the cosine is pushed.
    public void fsincos() {
        status &= ~C2;
        if (splittable()) {
            env.begin();
            Fp80Trigonometry.fsincos(env, stSignificand(0), stSignExponent(0));
            finishReduced(true);
        }
    }

    /// FPTAN: the tangent replaces ST(0), 1.0 is pushed.
    public void fptan() {
        status &= ~C2;
        if (splittable()) {
            env.begin();
            Fp80Trigonometry.fptan(env, stSignificand(0), stSignExponent(0));
            finishReduced(true);
        }
    }

    private void finishReduced(boolean push) {
        if ((env.conditions & C2) != 0) {
            status = status & ~C1 | C2;
            return;
        }
        if (push) {
            finishAndPush();
        } else {
            finish(0);
        }
    }

    // ---------------------------------------------------------------- compares

    /// FCOM, FCOMP, FCOMPP and, with `quiet`, the FUCOM family.
    ///
    /// @param pops how many registers are popped: 0, 1 or 2
    public void compare(int i, boolean quiet, int pops) {
        if (isEmpty(0) || isEmpty(i)) {
            status |= C0 | C2 | C3;
            if (!underflow()) {
                return;
            }
        } else {
            env.begin();
            Fp80.compare(env, stSignificand(0), stSignExponent(0), stSignificand(i), stSignExponent(i), quiet);
            if (!finishCompare()) {
                return;
            }
        }
        for (int n = 0; n < pops; n++) {
            pop();
        }
    }

    /// FCOM/FCOMP m32fp.
    public void compareF32(int bits, boolean pop) {
        if (comparable(pop)) {
            env.begin();
            Fp80Convert.fromF32Operand(env, bits);
            compareLoaded(pop);
        }
    }

    /// FCOM/FCOMP m64fp.
    public void compareF64(long bits, boolean pop) {
        if (comparable(pop)) {
            env.begin();
            Fp80Convert.fromF64Operand(env, bits);
            compareLoaded(pop);
        }
    }

    /// FICOM/FICOMP, the operand sign-extended.
    public void compareInteger(long value, boolean pop) {
        if (comparable(pop)) {
            env.begin();
            Fp80Convert.fromInteger(env, value);
            compareLoaded(pop);
        }
    }

    private void compareLoaded(boolean pop) {
        if (env.denormalLoaded && denormalMatters(false)) {
            env.raise(FpEnvironment.DE);
        }
        Fp80.compare(env, stSignificand(0), stSignExponent(0), env.significand, env.signExponent, false);
        if (finishCompare() && pop) {
            pop();
        }
    }

    /// FTST.
    public void ftst() {
        if (comparable(false)) {
            env.begin();
            Fp80.compare(env, stSignificand(0), stSignExponent(0), 0, 0, false);
            finishCompare();
        }
    }

    /// FCOMI, FCOMIP and, with `quiet`, FUCOMI, FUCOMIP.
    ///
    /// EFLAGS is written even when the exception is unmasked, as AMD's processors do; only the pop is left out.
    ///
    /// @return the new ZF (bit 6), PF (bit 2) and CF (bit 0); the caller clears OF, SF and AF as well
    public int compareToFlags(int i, boolean quiet, boolean pop) {
        int conditions = C0 | C2 | C3;
        boolean complete;
        if (isEmpty(0) || isEmpty(i)) {
            complete = underflow();
        } else {
            env.begin();
            Fp80.compare(env, stSignificand(0), stSignExponent(0), stSignificand(i), stSignExponent(i), quiet);
            status |= env.raised;
            complete = !env.noResult();
            conditions = env.conditions;
        }
        if (pop && complete) {
            pop();
        }
        return (conditions & C3) >>> 8 | (conditions & C2) >>> 8 | (conditions & C0) >>> 8;
    }

    /// FXAM: classifies ST(0), also an empty one.
    public void fxam() {
        int se = signExponents[top];
        int sign = (se & 0x8000) != 0 ? C1 : 0;
        int type = isEmpty(0) ? C3 | C0 : Fp80.examine(significands[top], se);
        status = status & ~CC | sign | type;
    }

    private boolean comparable(boolean pop) {
        if (!isEmpty(0)) {
            return true;
        }
        status |= C0 | C2 | C3;
        if (underflow() && pop) {
            pop();
        }
        return false;
    }

    private boolean finishCompare() {
        status = status & ~CC | env.raised | env.conditions;
        return !env.noResult();
    }

    // ---------------------------------------------------------------- helpers

    /// Reports a stack underflow; whether it is masked.
    private boolean underflow() {
        status = status & ~C1 | IE | SF;
        return (control & IE) != 0;
    }

    /// Whether ST(0) holds a value; if not, underflow has been dealt with.
    private boolean available(int i) {
        if (!isEmpty(i)) {
            return true;
        }
        if (underflow()) {
            setIndefinite(0);
        }
        return false;
    }

    /// Whether ST(0) and ST(1) hold values; if not, underflow has been dealt with.
    ///
    /// @param pops 1 when the result goes to ST(1) and ST(0) is popped
    private boolean bothAvailable(int pops) {
        if (!isEmpty(0) && !isEmpty(1)) {
            return true;
        }
        if (underflow()) {
            setIndefinite(pops);
            if (pops == 1) {
                pop();
            }
        }
        return false;
    }

    /// Whether ST(0) holds a value and a second result can be pushed.
    private boolean splittable() {
        if (isEmpty(0)) {
            if (underflow()) {
                setIndefinite(0);
                top = top - 1 & 7;
                setIndefinite(0);
            }
            return false;
        }
        if (!isEmpty(-1)) {
            status |= IE | SF | C1;
            if ((control & IE) != 0) {
                setIndefinite(0);
                top = top - 1 & 7;
                setIndefinite(0);
            }
            return false;
        }
        return true;
    }

    /// Whether a push finds room; if not, overflow has been dealt with.
    private boolean pushable() {
        if (isEmpty(-1)) {
            return true;
        }
        status |= IE | SF | C1;
        if ((control & IE) != 0) {
            top = top - 1 & 7;
            setIndefinite(0);
        }
        return false;
    }

    /// Pushes the environment's result, unless an unmasked invalid operation forbids it; a denormal is loaded.
    private void push() {
        status = status & ~C1 | env.raised | (env.roundedUp ? C1 : 0);
        if ((env.raised & ~control & IE) == 0) {
            top = top - 1 & 7;
            set(0, env.significand, env.signExponent);
        }
    }

    /// Writes the environment's result to ST(i), unless an unmasked exception forbids it.
    private boolean finish(int i) {
        status = status & ~C1 | env.raised | (env.roundedUp ? C1 : 0);
        if (env.noResult()) {
            return false;
        }
        set(i, env.significand, env.signExponent);
        return true;
    }

    private void finishAndPop() {
        if (finish(1)) {
            pop();
        }
    }

    private void finishAndPush() {
        if (finish(0)) {
            top = top - 1 & 7;
            set(0, env.pushedSignificand, env.pushedSignExponent);
        }
    }
}
