/*
 * Runs floating-point instructions on this machine's processor and prints what they do, one binary record each.
 *
 *   fp-oracle x87 SEED COUNT [OPCODE-HEX ...]     e.g. fp-oracle x87 1 1000 D9FE D8C1
 *   fp-oracle sse SEED COUNT [OPERATION ...]      operation numbers of enum sse_op
 *
 * Operands are random, with a bias to the values at which things change. See README.md for the record layouts.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

static uint64_t state;

static uint64_t next(void) {
    uint64_t z = (state += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}

static unsigned below(unsigned n) {
    return next() % n;
}

/* Random bits with long runs of equal bits as often as not. */
static uint64_t bits64(void) {
    uint64_t r = next();
    switch (below(7)) {
        case 0: return r << below(64);
        case 1: return ~0ull << below(64);
        case 2: return 1ull << below(64);
        case 3: return ~(1ull << below(64));
        case 4: return (~0ull << below(64)) ^ (1ull << below(64)) ^ (1ull << below(64));
        default: return r;
    }
}

static uint8_t *code;

/* ------------------------------------------------------------------ x87 */

#pragma pack(push, 1)
struct f80 { uint64_t sig; uint16_t se; };
struct x87_state { uint16_t cw, sw, tw; struct f80 reg[8]; struct f80 mem; uint16_t eflags; };
struct x87_record { uint8_t opcode, modrm; struct x87_state in, out; };
struct fsave { uint16_t cw, r0, sw, r1, tw, r2; uint32_t fip, fcs, fdp, fds; struct f80 st[8]; };
#pragma pack(pop)

static int is_valid(int op, int m) {
    int reg = m >> 3 & 7;
    if (m < 0xC0) {
        if ((m & 0xC7) != 6) return 0;
        switch (op) {
            case 0xD9: return reg == 0 || reg == 2 || reg == 3;
            case 0xDB: return reg != 4 && reg != 6;
            case 0xDD: return reg < 4;
            default: return 1;
        }
    }
    switch (op) {
        case 0xD9: return m < 0xD1 || (m >= 0xE0 && m != 0xE2 && m != 0xE3 && m != 0xE6 && m != 0xE7 && m != 0xEF);
        case 0xDA: return m < 0xE0 || m == 0xE9;
        case 0xDB: return m < 0xE0 || m == 0xE2 || m == 0xE3 || (m >= 0xE8 && m < 0xF8);
        case 0xDC: return m < 0xD0 || m >= 0xE0;
        case 0xDD: return (m < 0xC8 || m >= 0xD0) && m < 0xF0;
        case 0xDE: return m < 0xD0 || m == 0xD9 || m >= 0xE0;
        case 0xDF: return m < 0xC8 || (m >= 0xE8 && m < 0xF8);
        default: return 1;
    }
}

static struct f80 last;

static struct f80 random_f80(void) {
    struct f80 v;
    int sign = below(2) << 15;
    v.sig = bits64() | 1ull << 63;
    switch (below(26)) {
        case 0: v.sig = 0; v.se = 0; break;
        case 1: v.sig = 1ull << 63; v.se = 0x3FFF; break;
        case 2: v.sig = 1ull << 63; v.se = 0x7FFF; break;
        case 3: v.se = 0x7FFF; break;
        case 4: v.sig |= 1ull << 62; v.se = 0x7FFF; break;
        case 5: v.sig &= ~(1ull << 62); v.se = 0x7FFF; break;
        case 6: v.se = 0; v.sig >>= 1 + below(63); break;
        case 7: v.se = 0; break;
        case 8: v.sig &= ~(1ull << 63); v.se = below(0x8000); break;
        case 9: v.se = 1 + below(70); break;
        case 10: v.se = 0x7FFE - below(70); break;
        case 11: v.se = below(0x7FFF); break;
        case 12: case 13: v.se = 0x3FFF - 70 + below(140); break;
        case 14: v.sig = (uint64_t) (1 + below(100)); v.se = 0x3FFF + 63;
                 while (!(v.sig >> 63)) { v.sig <<= 1; v.se--; } break;
        case 15: v = last; v.sig += below(3) - 1; sign = v.se & 0x8000; if (below(2)) sign ^= 0x8000; break;
        case 16: v = last; v.se = (v.se & 0x7FFF) + below(5) - 2; break;
        case 17: v = last; v.se = (v.se & 0x7FFF) + below(140) - 70; break;
        case 18: v.se = 0x3FFF + 62 + below(4); break;
        case 19: v.se = 0x3FFF - 1023 - 60 + below(70); break;
        case 20: v.se = 0x3FFF - 127 - 30 + below(40); break;
        case 21: v.se = 0x3FFF + (below(2) ? 1023 : 127) - 1 + below(3); break;
        default: v.se = 0x3FFF - 5 + below(10); break;
    }
    v.se = (v.se & 0x7FFF) | sign;
    last = v;
    return v;
}

/* Operands within the documented ranges of the transcendental instructions. */
static void transcendental_operands(int m, struct f80 *st0, struct f80 *st1) {
    int narrow = below(3);
    st0->sig = bits64() | 1ull << 63;
    st1->sig = bits64() | 1ull << 63;
    st0->se = st1->se = 0x3FFF;
    switch (m) {
        case 0xF0: /* f2xm1: |x| <= 1 */
            st0->se -= 1 + (narrow ? below(8) : below(80));
            if (below(20) == 0) { st0->sig = 1ull << 63; st0->se = 0x3FFF; }
            break;
        case 0xF1: /* fyl2x */
            st0->se += narrow ? (int) below(4) - 2 : (int) below(0x7FFE) - 0x3FFE;
            if (below(8) == 0) { st0->sig = (1ull << 63) + below(1000); st0->se = 0x3FFF; }
            if (below(8) == 0) { st0->sig = -1ull - below(1000); st0->se = 0x3FFE; }
            st1->se += (int) below(40) - 20;
            if (below(2)) st1->se |= 0x8000;
            return;
        case 0xF9: /* fyl2xp1: |x| < 1 - sqrt(1/2) */
            st0->se -= 3 + (narrow ? below(6) : below(90));
            st1->se += (int) below(40) - 20;
            break;
        case 0xF3: /* fpatan */
            st0->se += narrow ? (int) below(6) - 3 : (int) below(160) - 80;
            st1->se += narrow ? (int) below(6) - 3 : (int) below(160) - 80;
            break;
        default: /* fsin, fcos, fsincos, fptan */
            st0->se += narrow ? (int) below(7) - 4 : (int) below(140) - 72;
            if (below(8) == 0) { /* near a multiple of pi/2 */
                long double x = (long double) below(1000) * 1.5707963267948966192313216916397514L;
                memcpy(st0, &x, 10);
                st0->sig += below(9) - 4;
            }
            break;
    }
    if (below(2)) st0->se |= 0x8000;
    if (below(2)) st1->se |= 0x8000;
}

static struct f80 random_memory(int op, int reg) {
    struct f80 v = random_f80();
    int f32 = op == 0xD8 || op == 0xD9;
    int f64 = op == 0xDC || op == 0xDD;
    if (op == 0xDB && reg >= 4) return v;
    if (op == 0xDF && (reg == 4 || reg == 6)) {
        v.sig = 0;
        for (int i = 0; i < 16; i++) v.sig = v.sig << 4 | below(10);
        v.se = below(10) << 4 | below(10) | below(2) << 15;
        if (below(10) == 0) v.sig = 0;
        return v;
    }
    v.sig = bits64();
    if (f32 || f64) {
        int fraction = f32 ? 23 : 52;
        int width = f32 ? 32 : 64;
        uint64_t exponents = (1ull << (width - 1 - fraction)) - 1;
        uint64_t f = v.sig & ((1ull << fraction) - 1);
        uint64_t e;
        switch (below(10)) {
            case 0: e = 0; break;
            case 1: e = 0; f = 0; break;
            case 2: e = exponents; break;
            case 3: e = exponents; f = 0; break;
            case 4: e = next() & exponents; break;
            default: e = exponents / 2 - 4 + below(8); break;
        }
        v.sig = f | e << fraction | (uint64_t) below(2) << (width - 1);
    }
    return v;
}

static void x87_case(int op, int m) {
    static uint8_t *stubs[8][256];
    struct x87_record r;
    struct fsave in, out;
    uint64_t flags;
    uint8_t **stub = &stubs[op & 7][m];
    if (!*stub) {
        uint8_t bytes[] = {0xFF, 0x31, 0x9D, 0xDD, 0x27, op, m, 0x9C, 0x8F, 0x01, 0xDD, 0x32, 0xC3};
        *stub = code;
        memcpy(code, bytes, sizeof bytes);
        code += 16;
    }
    memset(&r, 0, sizeof r);
    r.opcode = op;
    r.modrm = m;
    r.in.cw = 0x0040 | 0x3F | below(4) << 8 | below(4) << 10;
    if (below(2)) r.in.cw |= 0x300;
    if (below(4) == 0) r.in.cw = (r.in.cw & ~0x3F) | below(64);
    int top = below(8);
    r.in.sw = (next() & 0x4700) | top << 11 | (below(4) ? 0 : next() & 0x7F & (r.in.cw | 0x40));
    int full = 0x0F;
    for (int i = 4; i < 8; i++) if (below(3) == 0) full |= 1 << i;
    if (below(8)) full &= 0x7F;
    if (m >= 0xC0 && m < 0xF0 && below(8)) full |= 1 << (m & 7);
    if (below(10) == 0) full = below(256);
    for (int i = 0; i < 8; i++) {
        struct f80 v = {0x8000000000000000ull | i, 0x3FFF + i};
        if (i < 2 || (m >= 0xC0 && i == (m & 7))) v = random_f80();
        r.in.reg[(top + i) & 7] = v;
        in.st[i] = v;
    }
    int transcendental = op == 0xD9 && (m == 0xF0 || m == 0xF1 || m == 0xF2 || m == 0xF3 || m == 0xF9 || m >= 0xFE || m == 0xFB);
    if (transcendental && below(4)) {
        transcendental_operands(m, &in.st[0], &in.st[1]);
        r.in.reg[top] = in.st[0];
        r.in.reg[(top + 1) & 7] = in.st[1];
    } else if (op == 0xD9 && (m == 0xF2 || m >= 0xFE || m == 0xFB || m == 0xF0) && in.st[0].se & 0x7FFF && !(in.st[0].sig >> 63)) {
        in.st[0].sig |= 1ull << 63;
        r.in.reg[top] = in.st[0];
    }
    for (int i = 0; i < 8; i++) if (!(full >> i & 1)) r.in.tw |= 3 << 2 * ((top + i) & 7);
    r.in.mem = random_memory(op, m >> 3 & 7);
    r.in.eflags = below(2) | below(2) << 2 | below(2) << 6;
    in.cw = r.in.cw; in.sw = r.in.sw; in.tw = r.in.tw;
    in.r0 = in.r1 = in.r2 = 0xFFFF;
    in.fip = in.fcs = in.fdp = in.fds = 0;
    r.out.mem = r.in.mem;
    flags = r.in.eflags | 0x202;
    ((void (*)(void *, void *, void *, void *)) *stub)(&in, &r.out.mem, &out, &flags);
    r.out.cw = out.cw; r.out.sw = out.sw; r.out.tw = out.tw;
    r.out.eflags = flags & 0x8D5;
    int otop = out.sw >> 11 & 7;
    for (int i = 0; i < 8; i++) r.out.reg[(otop + i) & 7] = out.st[i];
    fwrite(&r, sizeof r, 1, stdout);
}

/* ------------------------------------------------------------------ SSE */

enum sse_op {
    ADD32, SUB32, MUL32, DIV32, MIN32, MAX32, SQRT32, ADD64, SUB64, MUL64, DIV64, MIN64, MAX64, SQRT64,
    F32_TO_F64, F64_TO_F32, UCOMI32, COMI32, UCOMI64, COMI64, CMP32, CMP64,
    I32_TO_F32, I64_TO_F32, I32_TO_F64, I64_TO_F64,
    F32_TO_I32, F32_TO_I64, F64_TO_I32, F64_TO_I64, F32_TRUNC_I32, F32_TRUNC_I64, F64_TRUNC_I32, F64_TRUNC_I64,
    ROUND32, ROUND64, F32_TO_F16, F16_TO_F32,
    FMA32, FMA64, SSE_OPS
};
/* imm of FMA32 and FMA64: bits 0-1 the form (0: 132, 1: 213, 2: 231), bit 2 negates the product, bit 3 the addend.
   Operand a is the first register operand, b the second, c the third. */

#pragma pack(push, 1)
struct sse_record { uint16_t op, imm; uint32_t mxcsr_in; uint64_t a, b, c, result; uint32_t mxcsr_out; uint32_t extra; };
#pragma pack(pop)

static volatile int faulted;
static volatile uint32_t fault_mxcsr;
static uint8_t *ret_stub;

static void on_fpe(int sig, siginfo_t *info, void *context) {
    ucontext_t *u = context;
    (void) sig; (void) info;
    faulted = 1;
    fault_mxcsr = u->uc_mcontext.fpregs->mxcsr;
    u->uc_mcontext.fpregs->mxcsr = 0x1F80;
    u->uc_mcontext.gregs[REG_RIP] = (greg_t) ret_stub;
}

static uint8_t *p;
static void emit(int n, ...) {
    __builtin_va_list l;
    __builtin_va_start(l, n);
    while (n--) *p++ = __builtin_va_arg(l, int);
    __builtin_va_end(l);
}

static uint8_t *sse_stub(int op, int imm) {
    static uint8_t *stubs[SSE_OPS][256];
    uint8_t **stub = &stubs[op][imm];
    if (*stub) return *stub;
    static const uint8_t arith[] = {0x58, 0x5C, 0x59, 0x5E, 0x5D, 0x5F, 0x51};
    p = *stub = code;
    emit(3, 0x0F, 0xAE, 0x17);                                     /* ldmxcsr [rdi] */
    emit(4, 0xF3, 0x0F, 0x7E, 0x06);                               /* movq xmm0,[rsi] */
    emit(5, 0xF3, 0x0F, 0x7E, 0x4E, 8);                            /* movq xmm1,[rsi+8] */
    emit(5, 0xF3, 0x0F, 0x7E, 0x56, 16);                           /* movq xmm2,[rsi+16] */
    emit(3, 0x48, 0x8B, 0x06);                                     /* mov rax,[rsi] */
    int to_integer = 0;
    switch (op) {
        case SQRT32: emit(4, 0xF3, 0x0F, 0x51, 0xC0); break;
        case SQRT64: emit(4, 0xF2, 0x0F, 0x51, 0xC0); break;
        case F32_TO_F64: emit(4, 0xF3, 0x0F, 0x5A, 0xC0); break;
        case F64_TO_F32: emit(4, 0xF2, 0x0F, 0x5A, 0xC0); break;
        case UCOMI32: emit(3, 0x0F, 0x2E, 0xC1); break;
        case COMI32: emit(3, 0x0F, 0x2F, 0xC1); break;
        case UCOMI64: emit(4, 0x66, 0x0F, 0x2E, 0xC1); break;
        case COMI64: emit(4, 0x66, 0x0F, 0x2F, 0xC1); break;
        case CMP32: emit(5, 0xC5, 0xFA, 0xC2, 0xC1, imm); break;
        case CMP64: emit(5, 0xC5, 0xFB, 0xC2, 0xC1, imm); break;
        case I32_TO_F32: emit(4, 0xF3, 0x0F, 0x2A, 0xC0); break;
        case I64_TO_F32: emit(5, 0xF3, 0x48, 0x0F, 0x2A, 0xC0); break;
        case I32_TO_F64: emit(4, 0xF2, 0x0F, 0x2A, 0xC0); break;
        case I64_TO_F64: emit(5, 0xF2, 0x48, 0x0F, 0x2A, 0xC0); break;
        case F32_TO_I32: case F64_TO_I32: case F32_TRUNC_I32: case F64_TRUNC_I32:
            emit(4, op == F32_TO_I32 || op == F32_TRUNC_I32 ? 0xF3 : 0xF2, 0x0F, op >= F32_TRUNC_I32 ? 0x2C : 0x2D, 0xC0);
            to_integer = 1;
            break;
        case F32_TO_I64: case F64_TO_I64: case F32_TRUNC_I64: case F64_TRUNC_I64:
            emit(5, op == F32_TO_I64 || op == F32_TRUNC_I64 ? 0xF3 : 0xF2, 0x48, 0x0F, op >= F32_TRUNC_I32 ? 0x2C : 0x2D, 0xC0);
            to_integer = 1;
            break;
        case ROUND32: emit(6, 0x66, 0x0F, 0x3A, 0x0A, 0xC0, imm); break;
        case ROUND64: emit(6, 0x66, 0x0F, 0x3A, 0x0B, 0xC0, imm); break;
        case F32_TO_F16: emit(6, 0xC4, 0xE3, 0x79, 0x1D, 0xC0, imm); break;
        case F16_TO_F32: emit(5, 0xC4, 0xE2, 0x79, 0x13, 0xC0); break;
        case FMA32: case FMA64: {
            static const uint8_t form[] = {0x90, 0xA0, 0xB0};
            int o = form[imm & 3] + 9 + (imm & 4 ? 4 : 0) + (imm & 8 ? 2 : 0);
            emit(5, 0xC4, 0xE2, op == FMA32 ? 0x71 : 0xF1, o, 0xC2);
            break;
        }
        default: emit(4, op < ADD64 ? 0xF3 : 0xF2, 0x0F, arith[op % 7], 0xC1); break;
    }
    emit(4, 0x9C, 0x8F, 0x46, 32);                                 /* pushf; pop [rsi+32] */
    if (to_integer) emit(4, 0x48, 0x89, 0x46, 24);                 /* mov [rsi+24],rax */
    else emit(5, 0x66, 0x0F, 0xD6, 0x46, 24);                      /* movq [rsi+24],xmm0 */
    emit(4, 0x0F, 0xAE, 0x1F, 0xC3);                               /* stmxcsr [rdi]; ret */
    code = (uint8_t *) (((uintptr_t) p + 15) & ~15ull);
    return *stub;
}

static uint64_t last_ieee;

static uint64_t random_ieee(int fraction, int width) {
    uint64_t exponents = (1ull << (width - 1 - fraction)) - 1;
    uint64_t f = bits64() & ((1ull << fraction) - 1);
    uint64_t e = exponents / 2;
    uint64_t sign = (uint64_t) below(2) << (width - 1);
    switch (below(24)) {
        case 0: e = 0; break;
        case 1: e = 0; f = 0; break;
        case 2: e = 0; f = next() & ((1ull << fraction) - 1); break;
        case 3: e = exponents; break;
        case 4: e = exponents; f = 0; break;
        case 5: case 6: e = next() & exponents; break;
        case 7: f = 0; break;
        case 8: e = 1 + below(2); break;
        case 9: e = exponents - 1; break;
        case 10: e = exponents / 2 + fraction - 2 + below(4); break;
        case 11: e = exponents / 2 + (below(2) ? 31 : 63) - 2 + below(4); break;
        case 12: return last_ieee = (last_ieee + below(3) - 1) & (~0ull >> (64 - width));
        case 13: e = (last_ieee >> fraction) - fraction + below(2 * fraction); break;
        case 14: e = exponents - (last_ieee >> fraction & exponents) + below(4); break;
        case 15: e = exponents / 2 + (fraction == 52 ? 127 : fraction == 23 ? 15 : 0) - 2 + below(4); break;
        case 16: e = exponents / 2 - (fraction == 52 ? 127 : fraction == 23 ? 15 : 0) - 26 + below(32); break;
        case 17: e = exponents / 2 - fraction / 2 - below(30); break;
        case 18: e = (exponents / 2 + (last_ieee >> fraction & exponents)) / 2; break;
        default: e = exponents / 2 - 4 + below(8); break;
    }
    e &= exponents;
    return last_ieee = f | e << fraction | sign;
}

static void sse_case(int op) {
    struct sse_record r;
    struct { uint64_t a, b, c, result, flags; } m;
    uint32_t mxcsr;
    memset(&r, 0, sizeof r);
    r.op = op;
    if (op == CMP32 || op == CMP64) r.imm = below(32);
    if (op == ROUND32 || op == ROUND64) r.imm = below(16);
    if (op == F32_TO_F16) r.imm = below(8);
    if (op >= FMA32) r.imm = below(3) | below(4) << 2;
    r.mxcsr_in = 0x1F80;
    if (below(3)) r.mxcsr_in |= below(4) << 13 | (below(3) == 0) << 15 | (below(3) == 0) << 6;
    if (below(6) == 0) r.mxcsr_in = (r.mxcsr_in & ~0x1F80) | below(64) << 7;
    if (below(6) == 0) r.mxcsr_in |= below(64) & (r.mxcsr_in >> 7);
    if (below(6) == 0) r.mxcsr_in |= 0x20 & (r.mxcsr_in >> 7);
    int f64 = op == F64_TO_F32 || (op >= ADD64 && op <= SQRT64) || op == UCOMI64 || op == COMI64 || op == CMP64 || op == ROUND64
        || op == FMA64 || op == F64_TO_I32 || op == F64_TO_I64 || op == F64_TRUNC_I32 || op == F64_TRUNC_I64;
    int fraction = op == F16_TO_F32 ? 10 : f64 ? 52 : 23;
    int width = op == F16_TO_F32 ? 16 : f64 ? 64 : 32;
    if (op >= I32_TO_F32 && op <= I64_TO_F64) {
        r.a = bits64() >> below(64);
        if (below(2)) r.a = -r.a;
    } else {
        r.a = random_ieee(fraction, width);
        r.b = random_ieee(fraction, width);
        r.c = random_ieee(fraction, width);
        if (op >= FMA32 && below(4) == 0) { /* addend near the product, for cancellation */
            if (f64) { double x, y, z; memcpy(&x, &r.a, 8); memcpy(&y, &r.b, 8); z = -x * y; memcpy(&r.c, &z, 8); }
            else { float x, y, z; memcpy(&x, &r.a, 4); memcpy(&y, &r.b, 4); z = -x * y; r.c = 0; memcpy(&r.c, &z, 4); }
            if ((r.c & (f64 ? 0x7FF0000000000000ull : 0x7F800000)) != (f64 ? 0x7FF0000000000000ull : 0x7F800000)) r.c ^= below(3);
        }
    }
    m.a = r.a; m.b = r.b; m.c = r.c; m.result = 0; m.flags = 0;
    mxcsr = r.mxcsr_in;
    faulted = 0;
    ((void (*)(void *, void *)) sse_stub(op, r.imm))(&mxcsr, &m);
    r.mxcsr_out = faulted ? fault_mxcsr : mxcsr;
    r.result = faulted ? 0 : m.result;
    r.extra = faulted ? 0x80000000u : m.flags & 0x8D5;
    uint32_t normal = 0x1F80;
    __asm__ volatile("ldmxcsr %0" : : "m"(normal));
    fwrite(&r, sizeof r, 1, stdout);
}

int main(int argc, char **argv) {
    if (argc < 4) return 2;
    state = strtoull(argv[2], 0, 0);
    long count = strtol(argv[3], 0, 0);
    code = mmap(0, 1 << 20, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code == MAP_FAILED) return 3;
    ret_stub = code;
    *code = 0xC3;
    code += 16;
    struct sigaction sa = {.sa_sigaction = on_fpe, .sa_flags = SA_SIGINFO};
    sigaction(SIGFPE, &sa, 0);
    if (!strcmp(argv[1], "sse")) {
        for (long n = 0; n < count; n++) sse_case(argc > 4 ? atoi(argv[4 + n % (argc - 4)]) : n % SSE_OPS);
        return 0;
    }
    for (long n = 0; n < count; ) {
        int op = 0xD8 + below(8), m = below(4) ? 0xC0 | below(64) : below(8) << 3 | 6;
        if (below(6) == 0) { op = 0xD9; m = 0xE0 | below(32); }
        if (argc > 4) { int x = strtol(argv[4 + n % (argc - 4)], 0, 16); op = x >> 8; m = x & 255; }
        if (!is_valid(op, m)) continue;
        x87_case(op, m);
        n++;
    }
    return 0;
}
