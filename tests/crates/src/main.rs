// SPDX-License-Identifier: Apache-2.0
//! Tells the host the checksum.
#![cfg_attr(target_arch = "wasm32", no_std, no_main)]

#[cfg(target_arch = "wasm32")]
mod guest {
    use core::convert::Infallible;

    #[link(wasm_import_module = "test")]
    extern "C" {
        #[link_name = "checksum"]
        fn tell(value: u32);
    }

    fn run() -> Result<(), Infallible> {
        // SAFETY: takes any number and has no preconditions.
        unsafe { tell(readings::checksum()) };
        Ok(())
    }

    wisp_guest::main!(run);
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    println!("{:08x}", readings::checksum());
}
