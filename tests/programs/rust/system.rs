// SPDX-License-Identifier: Apache-2.0
// memory: 65536
// args: -v "two words"
// env: ROOM=attic

use std::time::{Duration, Instant, SystemTime};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    println!(
        "{args:?} {:?} {:?}",
        std::env::var("ROOM"),
        std::env::var("NO_SUCH").is_err()
    );
    let start = Instant::now();
    std::thread::sleep(Duration::from_millis(20));
    println!(
        "{} {}",
        start.elapsed() >= Duration::from_millis(20),
        start.elapsed() < Duration::from_secs(30)
    );
    println!(
        "{}",
        SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap()
            .as_secs()
            > 1_000_000_000
    );
    println!(
        "{:?} {:?}",
        Duration::from_micros(1500),
        Duration::from_secs(90).as_secs_f32()
    );
    println!("{}", std::fs::read("no such file").is_err());
    let mut line = String::new();
    println!("{:?}", std::io::stdin().read_line(&mut line).unwrap());
}
