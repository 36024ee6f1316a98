// SPDX-License-Identifier: Apache-2.0
//! Divisions by powers of two, which code does itself where other divisions need a helper.
#![cfg(unix)]

use std::fmt::Write as _;
use std::process::Command;

const OPERATORS: &str = include_str!("../src/prelude_ops.h");

/// Types and helpers as generated code has them. A helper gives a result that no division here has.
const HEAD: &str = "#include <stdio.h>
typedef unsigned u32; typedef int i32; typedef unsigned long long u64; typedef long long i64; typedef int ctx;
#define INL static inline __attribute__((always_inline))
#define H(name) helper
static u64 helper(u64 a, u64 b) { return 0x5a5a5a5a5a5a5a5aull; }
#define CHECK(bits, b) do { for (unsigned i = 0; i < sizeof(DIVIDENDS) / 8; i++) { \\
    u##bits a = (u##bits)DIVIDENDS[i]; ctx *c = 0; \\
    if (i##bits##_div_u(c, a, b) != a / (u##bits)b || i##bits##_rem_u(c, a, b) != a % (u##bits)b || \\
        i##bits##_div_s(c, a, b) != (u##bits)((i##bits)a / (i##bits)b) || \\
        i##bits##_rem_s(c, a, b) != (u##bits)((i##bits)a % (i##bits)b)) \\
        printf(\"%llx / %llx of \" #bits \" bits\\n\", (u64)a, (u64)b); } } while (0)
#define HELPED(bits, b) if (i##bits##_div_s(0, 99, b) != (u##bits)0x5a5a5a5a5a5a5a5aull) printf(\"no helper for \" #b \"\\n\")
";

/// Returns what a program printed.
fn printed(program: &str, level: &str) -> String {
    let folder = std::env::temp_dir().join(format!("wisp-division-{}{level}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (source, binary) = (folder.join("division.c"), folder.join("division"));
    std::fs::write(&source, program).unwrap();
    let compiled = Command::new("cc").args(["-w", "-std=gnu11", level, "-o"]).arg(&binary).arg(&source).status();
    assert!(compiled.unwrap().success());
    let output = Command::new(&binary).output().unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn divisions_by_powers_of_two_round_as_all_others_do() {
    let start = OPERATORS.find("#define POWER").unwrap();
    let divide = &OPERATORS[start..start + OPERATORS[start..].find("#if DIV32").unwrap()];
    let mut program = format!("{HEAD}{divide}DIVIDE(32)\nDIVIDE(64)\nstatic const u64 DIVIDENDS[] = {{ ");
    let mut dividends: Vec<u64> = vec![0, 1, 0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210];
    dividends.extend((0..64).map(|bit| 1 << bit));
    let around = |a: &u64| [a.wrapping_sub(1), *a, a + 1, a.wrapping_neg(), a.wrapping_neg().wrapping_sub(1)];
    for dividend in dividends.iter().flat_map(around) {
        let _ = write!(program, "{dividend}ull, ");
    }
    program.push_str("};\nint main(void)\n{\n");
    (0..31).for_each(|bit| program.push_str(&format!("CHECK(32, {}u);\n", 1u32 << bit)));
    (0..63).for_each(|bit| program.push_str(&format!("CHECK(64, {}ull);\n", 1u64 << bit)));
    // the least integer as a signed divisor, no power, and a divisor that is not known
    program.push_str("volatile u32 four = 4;\nHELPED(32, 0x80000000u);\nHELPED(64, 0x8000000000000000ull);\n");
    program.push_str("HELPED(32, 12u);\nHELPED(64, 0u);\nHELPED(32, four);\nputs(\"done\");\nreturn 0;\n}\n");
    for level in ["-O1", "-O2", "-Os"] {
        assert_eq!(printed(&program, level), "done\n", "{level}");
    }
}
