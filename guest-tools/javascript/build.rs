//! Gives the component a stack of its own memory that is larger than the one the host runs it on, so that it is the host's
//! that ends first: `src/depth.rs` watches over both.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "wasi") {
        println!("cargo:rustc-link-arg-bins=-zstack-size=8388608");
    }
}
