//! Loops while it is instantiated, before anything is called.

use handbox_tool::{Fault, tool};

#[used]
#[expect(unsafe_code, reason = "the linker's list of what runs at the start")]
#[unsafe(link_section = ".init_array")]
static START: extern "C" fn() = spin;

extern "C" fn spin() {
    let mut turns = 0_u64;
    loop {
        turns = std::hint::black_box(turns.wrapping_add(1));
    }
}

/// Is never reached.
#[tool]
fn attack() -> Result<String, Fault> {
    Ok("started after all".to_owned())
}

handbox_tool::export!(attack);
