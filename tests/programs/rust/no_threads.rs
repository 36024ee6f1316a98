// SPDX-License-Identifier: Apache-2.0
// memory: 65536
// stdout: no threads: Not supported (os error 58)

fn main() {
    match std::thread::Builder::new().spawn(|| 1) {
        Ok(_) => println!("a thread"),
        Err(error) => println!("no threads: {error}"),
    }
}
