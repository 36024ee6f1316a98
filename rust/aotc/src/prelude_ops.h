/* SPDX-License-Identifier: Apache-2.0 */
// Second part, after the record and the helpers: operators that may need helpers.
#define H(name) (c->helpers->name)
// A divisor that is a power of two and positive needs no helper. ADDED makes a signed quotient round towards zero.
#define POWER(b) (__builtin_constant_p(b) && b && !(b & (b - 1)) && b << 1)
#define ADDED(bits, a, b) ((u##bits)((i##bits)a >> (bits - 1)) & (b - 1))
#define LOG2(b) __builtin_ctzll(b)
#define DIVIDE(bits) \
	INL u##bits i##bits##_div_s(ctx *c, u##bits a, u##bits b) \
	{ \
		return POWER(b) ? (u##bits)((i##bits)(a + ADDED(bits, a, b)) >> LOG2(b)) : H(i##bits##_div_s)(a, b); \
	} \
	INL u##bits i##bits##_div_u(ctx *c, u##bits a, u##bits b) \
	{ \
		return POWER(b) ? a >> LOG2(b) : H(i##bits##_div_u)(a, b); \
	} \
	INL u##bits i##bits##_rem_s(ctx *c, u##bits a, u##bits b) \
	{ \
		return POWER(b) ? a - ((a + ADDED(bits, a, b)) & -b) : H(i##bits##_rem_s)(a, b); \
	} \
	INL u##bits i##bits##_rem_u(ctx *c, u##bits a, u##bits b) \
	{ \
		return POWER(b) ? a & (b - 1) : H(i##bits##_rem_u)(a, b); \
	}
#if DIV32
DIVIDE(32)
#else
INL u32 i32_div_s(ctx *c, u32 a, u32 b) { return (u32)((i32)a / (i32)b); }
INL u32 i32_div_u(ctx *c, u32 a, u32 b) { return a / b; }
INL u32 i32_rem_s(ctx *c, u32 a, u32 b) { return b == ~0u ? 0 : (u32)((i32)a % (i32)b); }
INL u32 i32_rem_u(ctx *c, u32 a, u32 b) { return a % b; }
#endif
#if DIV64
DIVIDE(64)
#else
INL u64 i64_div_s(ctx *c, u64 a, u64 b) { return (u64)((i64)a / (i64)b); }
INL u64 i64_div_u(ctx *c, u64 a, u64 b) { return a / b; }
INL u64 i64_rem_s(ctx *c, u64 a, u64 b) { return b == ~0ull ? 0 : (u64)((i64)a % (i64)b); }
INL u64 i64_rem_u(ctx *c, u64 a, u64 b) { return a % b; }
#endif

#if SOFT32
#define F32_2(name, op) INL f32 name(ctx *c, f32 a, f32 b) { return asf32(H(name)(asu32(a), asu32(b))); }
INL f32 f32_sqrt(ctx *c, f32 a) { return asf32(H(f32_sqrt)(asu32(a))); }
INL u32 f32_eq(ctx *c, f32 a, f32 b) { return H(f32_eq)(asu32(a), asu32(b)); }
INL u32 f32_lt(ctx *c, f32 a, f32 b) { return H(f32_lt)(asu32(a), asu32(b)); }
INL u32 f32_le(ctx *c, f32 a, f32 b) { return H(f32_le)(asu32(a), asu32(b)); }
INL f32 f32_convert_i32_s(ctx *c, u32 a) { return asf32(H(f32_convert_i32_s)(a)); }
INL f32 f32_convert_i32_u(ctx *c, u32 a) { return asf32(H(f32_convert_i32_u)(a)); }
#else
#define F32_2(name, op) INL f32 name(ctx *c, f32 a, f32 b) { return a op b; }
INL f32 f32_sqrt(ctx *c, f32 a) { return __builtin_sqrtf(a); }
INL u32 f32_eq(ctx *c, f32 a, f32 b) { return a == b; }
INL u32 f32_lt(ctx *c, f32 a, f32 b) { return a < b; }
INL u32 f32_le(ctx *c, f32 a, f32 b) { return a <= b; }
INL f32 f32_convert_i32_s(ctx *c, u32 a) { return (f32)(i32)a; }
INL f32 f32_convert_i32_u(ctx *c, u32 a) { return (f32)a; }
#endif
F32_2(f32_add, +)
F32_2(f32_sub, -)
F32_2(f32_mul, *)
F32_2(f32_div, /)
#if SOFT64
#define F64_2(name, op) INL f64 name(ctx *c, f64 a, f64 b) { return asf64(H(name)(asu64(a), asu64(b))); }
INL f64 f64_sqrt(ctx *c, f64 a) { return asf64(H(f64_sqrt)(asu64(a))); }
INL u32 f64_eq(ctx *c, f64 a, f64 b) { return H(f64_eq)(asu64(a), asu64(b)); }
INL u32 f64_lt(ctx *c, f64 a, f64 b) { return H(f64_lt)(asu64(a), asu64(b)); }
INL u32 f64_le(ctx *c, f64 a, f64 b) { return H(f64_le)(asu64(a), asu64(b)); }
INL f64 f64_convert_i32_s(ctx *c, u32 a) { return asf64(H(f64_convert_i32_s)(a)); }
INL f64 f64_convert_i32_u(ctx *c, u32 a) { return asf64(H(f64_convert_i32_u)(a)); }
INL f32 f32_convert_i64_s(ctx *c, u64 a) { return asf32(H(f32_convert_i64_s)(a)); }
INL f32 f32_convert_i64_u(ctx *c, u64 a) { return asf32(H(f32_convert_i64_u)(a)); }
INL f64 f64_convert_i64_s(ctx *c, u64 a) { return asf64(H(f64_convert_i64_s)(a)); }
INL f64 f64_convert_i64_u(ctx *c, u64 a) { return asf64(H(f64_convert_i64_u)(a)); }
INL f32 f32_demote_f64(ctx *c, f64 a) { return asf32(H(f32_demote_f64)(asu64(a))); }
INL f64 f64_promote_f32(ctx *c, f32 a) { return asf64(H(f64_promote_f32)(asu32(a))); }
#else
#define F64_2(name, op) INL f64 name(ctx *c, f64 a, f64 b) { return a op b; }
INL f64 f64_sqrt(ctx *c, f64 a) { return __builtin_sqrt(a); }
INL u32 f64_eq(ctx *c, f64 a, f64 b) { return a == b; }
INL u32 f64_lt(ctx *c, f64 a, f64 b) { return a < b; }
INL u32 f64_le(ctx *c, f64 a, f64 b) { return a <= b; }
INL f64 f64_convert_i32_s(ctx *c, u32 a) { return (f64)(i32)a; }
INL f64 f64_convert_i32_u(ctx *c, u32 a) { return (f64)a; }
INL f32 f32_convert_i64_s(ctx *c, u64 a) { return (f32)(i64)a; }
INL f32 f32_convert_i64_u(ctx *c, u64 a) { return (f32)a; }
INL f64 f64_convert_i64_s(ctx *c, u64 a) { return (f64)(i64)a; }
INL f64 f64_convert_i64_u(ctx *c, u64 a) { return (f64)a; }
INL f32 f32_demote_f64(ctx *c, f64 a) { return (f32)a; }
#if STRICT
// gcc takes a promotion and a demotion for nothing even where it is told of signalling NaNs
INL f64 f64_promote_f32(ctx *c, f32 a) { u64 x = asu64((f64)a); __asm__("" : "+r"(x)); return asf64(x); }
#else
INL f64 f64_promote_f32(ctx *c, f32 a) { return (f64)a; }
#endif
#endif
F64_2(f64_add, +)
F64_2(f64_sub, -)
F64_2(f64_mul, *)
F64_2(f64_div, /)

// Rounding, minimum and maximum by their bits: the same everywhere, and no mathematics library.
#define SIGN32 0x80000000u
#define SIGN64 0x8000000000000000ull
#define NAN32(x) (((x) & ~SIGN32) > 0x7f800000u)
#define NAN64(x) (((x) & ~SIGN64) > 0x7ff0000000000000ull)
INL f32 f32_abs(f32 a) { return asf32(asu32(a) & ~SIGN32); }
INL f32 f32_neg(f32 a) { return asf32(asu32(a) ^ SIGN32); }
INL f32 f32_copysign(f32 a, f32 b) { return asf32((asu32(a) & ~SIGN32) | (asu32(b) & SIGN32)); }
INL f64 f64_abs(f64 a) { return asf64(asu64(a) & ~SIGN64); }
INL f64 f64_neg(f64 a) { return asf64(asu64(a) ^ SIGN64); }
INL f64 f64_copysign(f64 a, f64 b) { return asf64((asu64(a) & ~SIGN64) | (asu64(b) & SIGN64)); }

// The lesser of two numbers, or the greater if `flip` is all ones; a NaN wins, quieted.
static u32 least32(u32 a, u32 b, u32 flip)
{
	if (NAN32(a))
		return a | 0x00400000u;
	if (NAN32(b))
		return b | 0x00400000u;
	i32 x = (i32)((a ^ ((u32)((i32)a >> 31) >> 1)) ^ flip);
	i32 y = (i32)((b ^ ((u32)((i32)b >> 31) >> 1)) ^ flip);
	return x < y ? a : b;
}
static u64 least64(u64 a, u64 b, u64 flip)
{
	if (NAN64(a))
		return a | 0x0008000000000000ull;
	if (NAN64(b))
		return b | 0x0008000000000000ull;
	i64 x = (i64)((a ^ ((u64)((i64)a >> 63) >> 1)) ^ flip);
	i64 y = (i64)((b ^ ((u64)((i64)b >> 63) >> 1)) ^ flip);
	return x < y ? a : b;
}
INL f32 f32_min(f32 a, f32 b) { return asf32(least32(asu32(a), asu32(b), 0)); }
INL f32 f32_max(f32 a, f32 b) { return asf32(least32(asu32(a), asu32(b), ~0u)); }
INL f64 f64_min(f64 a, f64 b) { return asf64(least64(asu64(a), asu64(b), 0)); }
INL f64 f64_max(f64 a, f64 b) { return asf64(least64(asu64(a), asu64(b), ~0ull)); }

// Rounds to an integer: 0 down, 1 up, 2 towards zero, 3 to the nearest, ties to even.
#define ROUND(name, U, SIGN, NAN, QUIET, MANT, BIAS) \
	static U name(U x, int mode) \
	{ \
		U sign = x & SIGN; \
		int e = (int)((x & ~SIGN) >> MANT) - BIAS; \
		if (NAN(x)) \
			return x | QUIET; \
		if (e >= MANT || (x & ~SIGN) == 0) \
			return x; \
		if (e < 0) { \
			int up = mode == 0 ? sign != 0 : mode == 1 ? sign == 0 : \
				 mode == 3 && (x & ~SIGN) > (U)(BIAS - 1) << MANT; \
			return sign | (up ? (U)BIAS << MANT : 0); \
		} \
		U unit = (U)1 << (MANT - e), part = x & (unit - 1), low = x & ~(unit - 1); \
		int up = part && (mode == 0 ? sign != 0 : mode == 1 ? sign == 0 : \
			mode == 3 && (part > unit / 2 || (part == unit / 2 && (low & unit || e == 0)))); \
		return up ? low + unit : low; \
	}
ROUND(round32, u32, SIGN32, NAN32, 0x00400000u, 23, 127)
ROUND(round64, u64, SIGN64, NAN64, 0x0008000000000000ull, 52, 1023)
INL f32 f32_floor(f32 a) { return asf32(round32(asu32(a), 0)); }
INL f32 f32_ceil(f32 a) { return asf32(round32(asu32(a), 1)); }
INL f32 f32_trunc(f32 a) { return asf32(round32(asu32(a), 2)); }
INL f32 f32_nearest(f32 a) { return asf32(round32(asu32(a), 3)); }
INL f64 f64_floor(f64 a) { return asf64(round64(asu64(a), 0)); }
INL f64 f64_ceil(f64 a) { return asf64(round64(asu64(a), 1)); }
INL f64 f64_trunc(f64 a) { return asf64(round64(asu64(a), 2)); }
INL f64 f64_nearest(f64 a) { return asf64(round64(asu64(a), 3)); }

// Conversions to integers. The magnitude, and 0, 9 for NaN or 7 where it does not even fit 64 bits.
static u32 magnitude64(u64 x, u64 *out)
{
	int e = (int)(x >> 52 & 0x7ff) - 1023;
	u64 m = (x & 0x000fffffffffffffull) | 0x0010000000000000ull;
	*out = e < 0 ? 0 : e <= 52 ? m >> (52 - e) : e < 64 ? m << (e - 52) : ~0ull;
	return NAN64(x) ? 9 : e >= 64 ? 7 : 0;
}
static u32 magnitude32(u32 x, u64 *out)
{
	int e = (int)(x >> 23 & 0xff) - 127;
	u64 m = (x & 0x007fffffu) | 0x00800000u;
	*out = e < 0 ? 0 : e <= 23 ? m >> (23 - e) : e < 64 ? m << (e - 23) : ~0ull;
	return NAN32(x) ? 9 : e >= 64 ? 7 : 0;
}
// Gives 0 and the integer, or the number of the trap and the integer nearest to the number (0 for NaN).
static u32 to_integer(u32 code, int negative, u64 m, u64 below, u64 above, u64 *out)
{
	if (code == 9)
		m = 0;
	else if (negative ? m > below : m > above || code)
		code = 7, m = negative ? below : above;
	else
		code = 0;
	*out = negative ? -m : m;
	return code;
}
#define TRUNC(name, R, F, bits, mag, SIGN, below, above) \
	INL u32 name(F x, R *r) \
	{ \
		u64 m, v; \
		u32 code = mag(bits(x), &m); \
		code = to_integer(code, (bits(x) & SIGN) != 0, m, below, above, &v); \
		*r = (R)v; \
		return code; \
	}
TRUNC(i32_trunc_f32_s, u32, f32, asu32, magnitude32, SIGN32, 0x80000000ull, 0x7fffffffull)
TRUNC(i32_trunc_f32_u, u32, f32, asu32, magnitude32, SIGN32, 0, 0xffffffffull)
TRUNC(i32_trunc_f64_s, u32, f64, asu64, magnitude64, SIGN64, 0x80000000ull, 0x7fffffffull)
TRUNC(i32_trunc_f64_u, u32, f64, asu64, magnitude64, SIGN64, 0, 0xffffffffull)
TRUNC(i64_trunc_f32_s, u64, f32, asu32, magnitude32, SIGN32, SIGN64, ~SIGN64)
TRUNC(i64_trunc_f32_u, u64, f32, asu32, magnitude32, SIGN32, 0, ~0ull)
TRUNC(i64_trunc_f64_s, u64, f64, asu64, magnitude64, SIGN64, SIGN64, ~SIGN64)
TRUNC(i64_trunc_f64_u, u64, f64, asu64, magnitude64, SIGN64, 0, ~0ull)
#define SAT(name, trunc, R, F) INL R name(F x) { R r; trunc(x, &r); return r; }
SAT(i32_trunc_sat_f32_s, i32_trunc_f32_s, u32, f32)
SAT(i32_trunc_sat_f32_u, i32_trunc_f32_u, u32, f32)
SAT(i32_trunc_sat_f64_s, i32_trunc_f64_s, u32, f64)
SAT(i32_trunc_sat_f64_u, i32_trunc_f64_u, u32, f64)
SAT(i64_trunc_sat_f32_s, i64_trunc_f32_s, u64, f32)
SAT(i64_trunc_sat_f32_u, i64_trunc_f32_u, u64, f32)
SAT(i64_trunc_sat_f64_s, i64_trunc_f64_s, u64, f64)
SAT(i64_trunc_sat_f64_u, i64_trunc_f64_u, u64, f64)

#if defined(__riscv)
INL up stack_pointer(void) { up s; __asm__("mv %0, sp" : "=r"(s)); return s; }
#elif defined(__arm__)
INL up stack_pointer(void) { up s; __asm__("mov %0, sp" : "=r"(s)); return s; }
#else
INL up stack_pointer(void) { up s; __asm__("mov %%rsp, %0" : "=r"(s)); return s; }
#endif
