// SPDX-License-Identifier: Apache-2.0
// memory: 65536

fn main() {
    match std::fs::read("/no such file") {
        Ok(bytes) => println!("{}", bytes.len()),
        Err(error) => println!("no file: {:?}", error.kind()),
    }
    println!(
        "{:?}",
        std::fs::write("/no such folder/file", "text").is_err()
    );
}
