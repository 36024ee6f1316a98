// SPDX-License-Identifier: Apache-2.0
// memory: 32768
// stderr: leaving with 7

struct Noisy(&'static str);
impl Drop for Noisy {
    fn drop(&mut self) {
        println!("drop {}", self.0);
    }
}

fn main() {
    let _kept = Noisy("never: exit runs no destructors");
    {
        let _inner = Noisy("inner");
        let _other = Noisy("other");
    }
    print!("no line end");
    eprintln!("leaving with {}", 7);
    std::process::exit(7);
}
