// SPDX-License-Identifier: Apache-2.0
// memory: 32768

fn main() {
    let big: u128 = (1u128 << 100) + 12345;
    println!(
        "{big} {:x} {} {}",
        big,
        big / 1_000_000_007,
        big % 1_000_000_007
    );
    println!("{} {}", i128::MIN, i128::MAX / -3);
    println!(
        "{:?} {:?} {:?}",
        200u8.checked_add(100),
        i32::MIN.checked_abs(),
        7i32.checked_rem(0)
    );
    println!(
        "{} {} {}",
        250u8.wrapping_add(10),
        250u8.saturating_add(10),
        i64::MAX.wrapping_add(1)
    );
    println!(
        "{:?} {:?}",
        u32::MAX.overflowing_mul(2),
        5u32.overflowing_sub(6)
    );
    println!(
        "{} {} {} {}",
        40u32.leading_zeros(),
        40u64.trailing_zeros(),
        u64::MAX.count_ones(),
        1u8.rotate_right(1)
    );
    println!(
        "{} {} {}",
        (-7i32).rem_euclid(3),
        -7 / 2,
        (-7i32).div_euclid(2)
    );
    println!("{} {} {}", 300i32 as u8, -1i8 as u32, u64::MAX as i16);
    println!("{} {}", 2u64.pow(40), 10i32.pow(9));
    println!(
        "{:?} {:?}",
        258u16.to_be_bytes(),
        u32::from_le_bytes([1, 2, 3, 4])
    );
    println!("{:?} {:?}", u8::try_from(300), i8::try_from(-128i64));
    println!(
        "{} {}",
        u64::from_str_radix("ff", 16).unwrap(),
        i32::from_str_radix("-101", 2).unwrap()
    );
    println!(
        "{} {}",
        1_000_003u64.wrapping_mul(u64::MAX / 3),
        (u64::MAX / 7) as f64
    );
    println!("{} {}", 99u32.isqrt(), 12u32.abs_diff(20));
}
