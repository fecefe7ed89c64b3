//! The shell as a program of the machine, for tests. The component is the library.

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    std::process::exit(handbox_shell::main());
}

#[cfg(target_arch = "wasm32")]
fn main() {}
