// SPDX-License-Identifier: Apache-2.0
// First part of every generated file: types, and what the operators mean. Freestanding C11 for gcc and
// clang. The generator defines, before it:
//   SOFT32, SOFT64   floats of that width are computed by helpers of the runtime
//   DIV32, DIV64     so are divisions of that width
//   MISALIGNED       the target carries out misaligned accesses
//   ASSERT_ALIGNED   an access that is taken to be aligned and is not ends the process
//   STRICT           NaNs are quieted wherever the specification has it
//   COMPACT          small code is wanted rather than fast code
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
	void (*direct)(void);
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
// Accesses whose address may be odd: functions that leave all registers but the first and the link as they
// are, so that code around them is as good as without.
#if defined(__arm__)
#define OUT_OF_LINE(name) ".balign 2\n.type " #name ", %function\n.thumb_func\n" #name ":\n"
__asm__(".pushsection .text.wisp_odd,\"ax\",%progbits\n.syntax unified\n.thumb\n"
	OUT_OF_LINE(wisp_any_ld32)
	"push {r1, r2, lr}\nmovs r1, #3\ntst r1, r0\nbne 1f\nldr r0, [r0]\npop {r1, r2, pc}\n"
	OUT_OF_LINE(wisp_odd_ld32)
	"push {r1, r2, lr}\n1: ldrb r1, [r0]\nldrb r2, [r0, #1]\nlsls r2, r2, #8\norrs r1, r2\nldrb r2, [r0, #2]\n"
	"lsls r2, r2, #16\norrs r1, r2\nldrb r2, [r0, #3]\nlsls r2, r2, #24\norrs r1, r2\nmovs r0, r1\n"
	"pop {r1, r2, pc}\n"
	OUT_OF_LINE(wisp_any_st32)
	"push {r1, r2, lr}\nmovs r2, #3\ntst r2, r0\nbne 1f\nstr r1, [r0]\npop {r1, r2, pc}\n"
	OUT_OF_LINE(wisp_odd_st32)
	"push {r1, r2, lr}\n1: strb r1, [r0]\nlsrs r1, r1, #8\nstrb r1, [r0, #1]\nlsrs r1, r1, #8\nstrb r1, [r0, #2]\n"
	"lsrs r1, r1, #8\nstrb r1, [r0, #3]\npop {r1, r2, pc}\n"
	".popsection\n");
#define FIRST "r0"
#define SECOND "r1"
#define LINK "lr"
#define CALL(name) "bl " #name
#else
#define OUT_OF_LINE(name) ".type " #name ", @function\n" #name ":\n"
__asm__(".pushsection .text.wisp_odd,\"ax\",@progbits\n.balign 4\n"
	OUT_OF_LINE(wisp_any_ld32)
	"addi sp, sp, -16\nsw t1, 0(sp)\nsw t2, 4(sp)\nandi t1, a0, 3\nbnez t1, 1f\nlw a0, 0(a0)\nj 2f\n"
	OUT_OF_LINE(wisp_odd_ld32)
	"addi sp, sp, -16\nsw t1, 0(sp)\nsw t2, 4(sp)\n1: lbu t1, 0(a0)\nlbu t2, 1(a0)\nslli t2, t2, 8\nor t1, t1, t2\n"
	"lbu t2, 2(a0)\nslli t2, t2, 16\nor t1, t1, t2\nlbu t2, 3(a0)\nslli t2, t2, 24\nor a0, t1, t2\n"
	"2: lw t1, 0(sp)\nlw t2, 4(sp)\naddi sp, sp, 16\njr t0\n"
	OUT_OF_LINE(wisp_any_st32)
	"addi sp, sp, -16\nsw t1, 0(sp)\nandi t1, a0, 3\nbnez t1, 1f\nsw a1, 0(a0)\nj 2f\n"
	OUT_OF_LINE(wisp_odd_st32)
	"addi sp, sp, -16\nsw t1, 0(sp)\n1: sb a1, 0(a0)\nsrli t1, a1, 8\nsb t1, 1(a0)\nsrli t1, a1, 16\nsb t1, 2(a0)\n"
	"srli t1, a1, 24\nsb t1, 3(a0)\n2: lw t1, 0(sp)\naddi sp, sp, 16\njr t0\n"
	".popsection\n");
#define FIRST "a0"
#define SECOND "a1"
#define LINK "t0"
#define CALL(name) "jal t0, " #name
#endif
typedef struct { u8 bytes[4]; } MAY_ALIAS four;
#define LOAD(name) \
	INL u32 name(const u8 *p) \
	{ \
		register u32 x __asm__(FIRST) = (u32)p; \
		__asm__(CALL(wisp_##name) : "+r"(x) : "m"(*(const four *)p) : LINK, "cc"); \
		return x; \
	}
#define STORE(name) \
	INL void name(u8 *p, u32 value) \
	{ \
		register u32 at __asm__(FIRST) = (u32)p; \
		register u32 x __asm__(SECOND) = value; \
		__asm__(CALL(wisp_##name) : "=m"(*(four *)p) : "r"(at), "r"(x) : LINK, "cc"); \
	}
LOAD(odd_ld32)
STORE(odd_st32)
LOAD(any_ld32)
STORE(any_st32)
INL u32 ld16(const u8 *p) { return p[0] | (u32)p[1] << 8; }
INL void st16(u8 *p, u32 x) { p[0] = x; p[1] = x >> 8; }
#if COMPACT
INL u32 ld32(const u8 *p) { return odd_ld32(p); }
INL void st32(u8 *p, u32 x) { odd_st32(p, x); }
INL u64 ld64(const u8 *p) { return odd_ld32(p) | (u64)odd_ld32(p + 4) << 32; }
INL void st64(u8 *p, u64 x) { odd_st32(p, (u32)x); odd_st32(p + 4, x >> 32); }
#define ld16n ld16
#define st16n st16
INL u32 ld32n(const u8 *p) { return any_ld32(p); }
INL void st32n(u8 *p, u32 x) { any_st32(p, x); }
INL u64 ld64n(const u8 *p) { return any_ld32(p) | (u64)any_ld32(p + 4) << 32; }
INL void st64n(u8 *p, u64 x) { any_st32(p, (u32)x); any_st32(p + 4, x >> 32); }
#else
// no promise: byte for byte. A promise: one access, and the function if it is broken.
INL u32 ld32(const u8 *p) { return *(const a32 *)p; }
INL void st32(u8 *p, u32 x) { *(a32 *)p = x; }
INL u64 ld64(const u8 *p) { return *(const a64 *)p; }
INL void st64(u8 *p, u64 x) { *(a64 *)p = x; }
#define ODD(p, n) UNLIKELY((up)(p) & (n - 1))
INL u32 ld16n(const u8 *p) { return ODD(p, 2) ? ld16(p) : *(const n16 *)p; }
INL u32 ld32n(const u8 *p) { return ODD(p, 4) ? odd_ld32(p) : *(const n32 *)p; }
INL u64 ld64n(const u8 *p)
{
	return ODD(p, 4) ? odd_ld32(p) | (u64)odd_ld32(p + 4) << 32 : *(const n64 *)p;
}
INL void st16n(u8 *p, u32 x) { if (ODD(p, 2)) st16(p, x); else *(n16 *)p = (u16)x; }
INL void st32n(u8 *p, u32 x) { if (ODD(p, 4)) odd_st32(p, x); else *(n32 *)p = x; }
INL void st64n(u8 *p, u64 x)
{
	if (ODD(p, 4)) {
		odd_st32(p, (u32)x);
		odd_st32(p + 4, x >> 32);
	} else {
		*(n64 *)p = x;
	}
}
#endif
#endif
// the address is known to be aligned; for eight bytes, to four
#if ASSERT_ALIGNED
#define KNOWN(p, n) if ((up)(p) & (n - 1)) __builtin_trap()
#else
#define KNOWN(p, n)
#endif
INL u32 ld16k(const u8 *p) { KNOWN(p, 2); return *(const n16 *)p; }
INL u32 ld32k(const u8 *p) { KNOWN(p, 4); return *(const n32 *)p; }
INL u64 ld64k(const u8 *p) { KNOWN(p, 4); return *(const n64 *)p; }
INL void st16k(u8 *p, u32 x) { KNOWN(p, 2); *(n16 *)p = (u16)x; }
INL void st32k(u8 *p, u32 x) { KNOWN(p, 4); *(n32 *)p = x; }
INL void st64k(u8 *p, u64 x) { KNOWN(p, 4); *(n64 *)p = x; }

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
