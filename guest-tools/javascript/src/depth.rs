//! Ends a script that goes too deep before the sandbox does.
//!
//! A function of JavaScript that calls another takes no stack of the program. One that is called through the engine (by
//! `sort`, a getter, `toString`, a generator) does, and so do the engine's parser and `JSON`; nobody can ask the engine how
//! deep it is. But all of these allocate, so the allocator looks where the stack stands.

#[cfg(target_os = "wasi")]
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Brackets within brackets that a text may have. The parser goes deep before it allocates, so these are counted first.
const NESTING_MAX: usize = 80;
/// How much of the stack in memory may be used. The host's own stack, which is what runs out, then has a third left or more;
/// README.md says what was measured.
#[cfg(target_os = "wasi")]
const DEPTH_BYTES_MAX: usize = 176 << 10;
/// From where on nothing more is parsed: a text of the deepest nesting that is taken needs the rest.
const PARSE_BYTES_MAX: usize = 32 << 10;

/// Where the stack stood when the program began; 0 before that, and once the end has begun.
static BEGINNING: AtomicUsize = AtomicUsize::new(0);

#[cfg(target_os = "wasi")]
struct Watching;

#[cfg(target_os = "wasi")]
#[global_allocator]
static ALLOCATOR: Watching = Watching;

/// Begins to watch.
#[cfg(target_os = "wasi")]
pub(crate) fn watch() {
    BEGINNING.store(here(), Ordering::Relaxed);
}

fn here() -> usize {
    let place = 0_u8;
    std::ptr::from_ref(std::hint::black_box(&place)).addr()
}

/// Whether a text has more brackets within brackets than the parser has stack for. Those in strings and comments count too:
/// at worst a text is refused that only looks deep.
pub(crate) fn too_nested(text: &str) -> bool {
    let mut depth = 0_usize;
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > NESTING_MAX {
            return true;
        }
    }
    false
}

/// Parses, which is deep for a while and allocates on its way back: nobody looks meanwhile. None where the stack is too deep
/// already.
pub(crate) fn parse<T>(parse: impl FnOnce() -> T) -> Option<T> {
    let beginning = BEGINNING.load(Ordering::Relaxed);
    if beginning != 0 && beginning.saturating_sub(here()) > PARSE_BYTES_MAX {
        return None;
    }
    BEGINNING.store(0, Ordering::Relaxed);
    let result = parse();
    BEGINNING.store(beginning, Ordering::Relaxed);
    Some(result)
}

#[cfg(target_os = "wasi")]
fn look() {
    let beginning = BEGINNING.load(Ordering::Relaxed);
    if beginning != 0 && beginning.saturating_sub(here()) > DEPTH_BYTES_MAX {
        // What follows allocates too.
        BEGINNING.store(0, Ordering::Relaxed);
        crate::host::output::flush();
        eprintln!("Uncaught RangeError: Maximum call stack size exceeded");
        crate::leave(1);
    }
}

/// Where there is no more memory the program is about to be ended: what it wrote is let out.
#[cfg(target_os = "wasi")]
fn had(place: *mut u8) -> *mut u8 {
    if place.is_null() {
        crate::host::output::flush();
    }
    place
}

// Every call is handed on as it came.
#[cfg(target_os = "wasi")]
#[expect(unsafe_code, reason = "an allocator is the one place that the engine passes at every depth")]
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        look();
        // SAFETY: the caller's promises are those that the system's allocator asks for.
        had(unsafe { System.alloc(layout) })
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        look();
        // SAFETY: as above.
        had(unsafe { System.realloc(place, layout, size) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        look();
        // SAFETY: as above.
        had(unsafe { System.alloc_zeroed(layout) })
    }
}
