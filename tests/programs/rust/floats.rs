// SPDX-License-Identifier: Apache-2.0
// memory: 32768

fn main() {
    for value in [
        0.0,
        -0.0,
        1.0,
        0.1,
        0.1 + 0.2,
        -2.5,
        1e21,
        1e-7,
        123456.789,
        f64::MAX,
        f64::MIN_POSITIVE,
        5e-324,
    ] {
        println!("{value} {value:?} {value:e} {value:.2} {value:10.3}| {value:+}");
    }
    for value in [0.1f32, 3.4e38, 1e-45, 16777217.0] {
        println!("{value} {value:?} {value:e} {value:.3}");
    }
    println!(
        "{} {} {:?} {}",
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        1.0 / 3.0
    );
    println!(
        "{:.6} {:.6} {:.6} {:.6}",
        2f64.sqrt(),
        1f64.exp(),
        0.5f64.sin(),
        10f64.ln()
    );
    println!(
        "{:.6} {:.6} {:.6}",
        2f64.powf(0.5),
        1f64.atan2(2.0),
        3f64.hypot(4.0)
    );
    println!(
        "{} {} {} {}",
        2.5f64.round(),
        -2.5f64.round(),
        2.7f64.trunc(),
        -2.1f64.floor()
    );
    println!("{} {} {}", 300.7 as u8, -1.0 as u32, f64::NAN as i32);
    println!(
        "{} {}",
        f64::from_bits(0x4009_21fb_5444_2d18),
        1.5f32.to_bits()
    );
    println!(
        "{:?} {:?}",
        1.0f64.partial_cmp(&f64::NAN),
        1.0f64.total_cmp(&2.0)
    );
    println!("{:.50}", 0.1);
}
