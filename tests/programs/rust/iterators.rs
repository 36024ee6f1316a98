// SPDX-License-Identifier: Apache-2.0
// memory: 32768

fn primes() -> impl Iterator<Item = u32> {
    (2..).filter(|n| (2..).take_while(|d| d * d <= *n).all(|d| n % d != 0))
}

fn main() {
    println!("{:?}", primes().take(10).collect::<Vec<_>>());
    let v = [1, 2, 3, 4, 5, 6, 7];
    println!(
        "{:?} {:?}",
        v.chunks(3).collect::<Vec<_>>(),
        v.windows(2).map(|w| w[0] * w[1]).collect::<Vec<_>>()
    );
    println!(
        "{} {}",
        v.iter()
            .zip(v.iter().skip(1))
            .map(|(a, b)| a * b)
            .sum::<i32>(),
        v.iter().product::<i32>()
    );
    println!(
        "{:?}",
        v.iter()
            .scan(0, |sum, n| {
                *sum += n;
                Some(*sum)
            })
            .collect::<Vec<_>>()
    );
    let (even, odd): (Vec<i32>, Vec<i32>) = v.iter().partition(|n| *n % 2 == 0);
    println!(
        "{even:?} {odd:?} {:?}",
        v.iter().max_by_key(|n| (*n - 4).abs())
    );
    println!(
        "{:?}",
        ["ab", "cd"]
            .iter()
            .flat_map(|s| s.chars())
            .enumerate()
            .collect::<Vec<_>>()
    );
    println!(
        "{:?}",
        v.iter()
            .rev()
            .step_by(2)
            .copied()
            .fold(String::new(), |s, n| s + &n.to_string())
    );
    println!(
        "{:?} {:?}",
        v.iter().position(|n| *n == 4),
        v.iter().any(|n| *n > 7)
    );
    let mut it = v.iter().peekable();
    let mut groups = Vec::new();
    while let Some(n) = it.next() {
        if let Some(next) = it.peek() {
            groups.push(n * 10 + **next);
        }
    }
    println!("{groups:?}");
    println!(
        "{:?}",
        "3 x 4"
            .split(' ')
            .map(str::parse::<i32>)
            .collect::<Result<Vec<_>, _>>()
            .is_err()
    );
}
