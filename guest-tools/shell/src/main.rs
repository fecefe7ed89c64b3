//! The shell as a program of the machine, for tests.

fn main() {
    std::process::exit(handbox_shell::main());
}
