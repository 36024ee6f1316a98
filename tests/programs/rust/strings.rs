// SPDX-License-Identifier: Apache-2.0
// memory: 65536

fn main() {
    let text = "Grüße, Welt! 🦀";
    println!(
        "{} {} {}",
        text.len(),
        text.chars().count(),
        text.to_uppercase()
    );
    println!(
        "{:?}",
        text.split(|c: char| !c.is_alphanumeric())
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
    );
    println!(
        "[{:>8}] [{:<8}] [{:^8}] [{:*^9}] [{:.3}]",
        "right", "left", "mid", "fill", "cut off"
    );
    println!(
        "{:#x} {:#010b} {:o} {:X} {:+} {:05}",
        255, 5, 8, 48879, 7, -42
    );
    println!(
        "{:?} {:?} {:?}",
        "tab\t\"quote\"",
        'x',
        Some(vec!["a", "b"])
    );
    println!("{:#?}", (1, "two", [3.0, 4.5]));
    println!(
        "{:?} {:?} {:?}",
        "42".parse::<u8>(),
        "-1".parse::<u8>(),
        "1.5e3".parse::<f64>()
    );
    println!(
        "{:?} {:?}",
        "x".parse::<i32>().map_err(|e| e.to_string()),
        "".parse::<bool>().is_err()
    );
    let joined: String = ["one", "two", "three"].join("-");
    println!(
        "{joined} {} {:?}",
        joined.replace("two", "2"),
        joined.find("three")
    );
    println!("{}", text.chars().rev().collect::<String>());
    println!("{:?}", String::from_utf8_lossy(&[72, 105, 0xff, 33]));
    println!(
        "{:?}",
        "a=1;b=2"
            .split(';')
            .filter_map(|pair| pair.split_once('='))
            .collect::<Vec<_>>()
    );
    let width = 7;
    println!("[{:width$.2}] [{:>1$}]", 3.14159, 6);
}
