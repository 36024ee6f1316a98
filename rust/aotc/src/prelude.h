// SPDX-License-Identifier: Apache-2.0
// First part of every generated file: types, and what the operators mean. Freestanding C11 for gcc and
// clang. The generator defines, before it:
//   SOFT32, SOFT64   floats of that width are computed by helpers of the runtime
//   DIV32, DIV64     so are divisions of that width
//   MISALIGNED       the target carries out misaligned accesses
//   STRICT           NaNs are quieted wherever the specification has it
//   SMALL            no instructions for counting bits, and the compiler's library has absolute tables
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char i8;
typedef short i16;
typedef int i32;
typedef long long i64;
typedef float f32;
typedef double f64;
typedef __UINTPTR_TYPE__ up;

#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define INL static inline __attribute__((always_inline))
#define SLOW static __attribute__((noinline, cold))
#define HID __attribute__((visibility("hidden"), used))
#define NORETURN __attribute__((noreturn))
#define MAY_ALIAS __attribute__((may_alias))
#define ANY __attribute__((may_alias, aligned(1)))
#define AT4 __attribute__((may_alias, aligned(4)))

typedef struct wisp_ctx ctx;
typedef struct {
	u32 (*function)(void *, u32 *, const void *);
	const void *env;
	up ty;
} import;
typedef struct {
	const u32 *elements;
	u32 size;
} table;
typedef struct {
	u32 entry, thunk;
	u16 ty, sites;
} function;

// accesses to linear memory: any alignment, and natural alignment
typedef u16 ANY a16;
typedef u32 ANY a32;
typedef u64 ANY a64;
typedef u16 MAY_ALIAS n16;
typedef u32 MAY_ALIAS n32;
typedef u64 AT4 n64;
// globals lie on multiples of four
typedef u32 MAY_ALIAS g32;
typedef u64 AT4 g64;

INL f32 asf32(u32 x) { union { u32 u; f32 f; } v = { .u = x }; return v.f; }
INL u32 asu32(f32 x) { union { f32 f; u32 u; } v = { .f = x }; return v.u; }
INL f64 asf64(u64 x) { union { u64 u; f64 f; } v = { .u = x }; return v.f; }
INL u64 asu64(f64 x) { union { f64 f; u64 u; } v = { .f = x }; return v.u; }

#if MISALIGNED
INL u32 ld16(const u8 *p) { return *(const a16 *)p; }
INL u32 ld32(const u8 *p) { return *(const a32 *)p; }
INL u64 ld64(const u8 *p) { return *(const a64 *)p; }
INL void st16(u8 *p, u32 x) { *(a16 *)p = (u16)x; }
INL void st32(u8 *p, u32 x) { *(a32 *)p = x; }
INL void st64(u8 *p, u64 x) { *(a64 *)p = x; }
#define ld16n ld16
#define ld32n ld32
#define ld64n ld64
#define st16n st16
#define st32n st32
#define st64n st64
#else
// the slow forms take bytes one by one; the address is tested first
SLOW u32 slow_ld32(const u8 *p) { return p[0] | p[1] << 8 | p[2] << 16 | (u32)p[3] << 24; }
SLOW void slow_st32(u8 *p, u32 x) { p[0] = x; p[1] = x >> 8; p[2] = x >> 16; p[3] = x >> 24; }
INL u32 ld16(const u8 *p) { return p[0] | (u32)p[1] << 8; }
INL void st16(u8 *p, u32 x) { p[0] = x; p[1] = x >> 8; }
INL u32 ld32(const u8 *p) { return slow_ld32(p); }
INL void st32(u8 *p, u32 x) { slow_st32(p, x); }
INL u64 ld64(const u8 *p) { return ld32(p) | (u64)ld32(p + 4) << 32; }
INL void st64(u8 *p, u64 x) { st32(p, (u32)x); st32(p + 4, x >> 32); }
#define ODD(p, n) UNLIKELY((up)(p) & (n - 1))
INL u32 ld16n(const u8 *p) { return ODD(p, 2) ? ld16(p) : *(const n16 *)p; }
INL u32 ld32n(const u8 *p) { return ODD(p, 4) ? ld32(p) : *(const n32 *)p; }
INL u64 ld64n(const u8 *p) { return ODD(p, 4) ? ld64(p) : *(const n64 *)p; }
INL void st16n(u8 *p, u32 x) { if (ODD(p, 2)) st16(p, x); else *(n16 *)p = (u16)x; }
INL void st32n(u8 *p, u32 x) { if (ODD(p, 4)) st32(p, x); else *(n32 *)p = x; }
INL void st64n(u8 *p, u64 x) { if (ODD(p, 4)) st64(p, x); else *(n64 *)p = x; }
#endif
// the address is known to be aligned
INL u32 ld16k(const u8 *p) { return *(const n16 *)p; }
INL u32 ld32k(const u8 *p) { return *(const n32 *)p; }
INL u64 ld64k(const u8 *p) { return *(const n64 *)p; }
INL void st16k(u8 *p, u32 x) { *(n16 *)p = (u16)x; }
INL void st32k(u8 *p, u32 x) { *(n32 *)p = x; }
INL void st64k(u8 *p, u64 x) { *(n64 *)p = x; }

INL u32 i32_rotl(u32 x, u32 n) { n &= 31; return x << n | x >> (-n & 31); }
INL u32 i32_rotr(u32 x, u32 n) { n &= 31; return x >> n | x << (-n & 31); }
INL u64 i64_rotl(u64 x, u64 n) { n &= 63; return x << n | x >> (-n & 63); }
INL u64 i64_rotr(u64 x, u64 n) { n &= 63; return x >> n | x << (-n & 63); }
#if SMALL
SLOW u32 clz_(u32 x)
{
	u32 n = 32;
	for (; x; x >>= 1)
		n--;
	return n;
}
INL u32 i32_clz(u32 x) { return clz_(x); }
INL u32 i32_ctz(u32 x) { return x ? 31 - clz_(x & -x) : 32; }
#else
INL u32 i32_clz(u32 x) { return x ? (u32)__builtin_clz(x) : 32; }
INL u32 i32_ctz(u32 x) { return x ? (u32)__builtin_ctz(x) : 32; }
#endif
INL u64 i64_clz(u64 x) { return x >> 32 ? i32_clz(x >> 32) : 32 + i32_clz((u32)x); }
INL u64 i64_ctz(u64 x) { return (u32)x ? i32_ctz((u32)x) : 32 + i32_ctz(x >> 32); }
INL u32 i32_popcnt(u32 x)
{
	x -= x >> 1 & 0x55555555u;
	x = (x & 0x33333333u) + (x >> 2 & 0x33333333u);
	return ((x + (x >> 4)) & 0x0f0f0f0fu) * 0x01010101u >> 24;
}
INL u64 i64_popcnt(u64 x) { return i32_popcnt((u32)x) + i32_popcnt(x >> 32); }
