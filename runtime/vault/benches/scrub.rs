//! What scrubbing costs, beside copying the same bytes and looking for one byte in them, in the same run.
//!
//! `cargo bench -p handbox-vault --bench scrub`; with `-- 64K` or `-- json` a part.

#![expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "a benchmark prints figures for people")]

use bytes::Bytes;
use handbox_vault::{Needles, Scrubber, Secret};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// What one figure is measured over, at least.
const MEASURED: Duration = Duration::from_millis(300);
/// A body comes in pieces of about this size.
const PIECE_BYTES: usize = 16 * 1024;

/// Random numbers, the same in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }

    fn text(&mut self, length: usize, alphabet: &[u8]) -> String {
        (0..length).map(|_| char::from(alphabet[self.roll(alphabet.len())])).collect()
    }
}

const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const WORDS: [&str; 16] = [
    "the", "vault", "answers", "requests", "with", "a", "token", "and", "nothing", "leaves", "Session", "of", "hands",
    "is", "model", "stream",
];

/// Records as an API gives them.
fn json(dice: &mut Dice) -> String {
    let words = (0..12).map(|_| WORDS[dice.roll(16)]).collect::<Vec<_>>().join(" ");
    let (id, amount) = (dice.text(24, &BASE64[26..62]), dice.roll(100_000));
    format!("{{\"id\":\"msg_{id}\",\"type\":\"text_delta\",\"text\":\"{words}\",\"amount\":{amount},\"ok\":true}},\n")
}

/// An image in an answer.
fn base64(dice: &mut Dice) -> String {
    dice.text(4096, BASE64)
}

/// JSON in a JSON string, links in HTML.
fn escapes(dice: &mut Dice) -> String {
    let word = |dice: &mut Dice| WORDS[dice.roll(16)];
    let (one, two, three) = (word(dice), word(dice), word(dice));
    format!(
        "{{\\\"{one}\\\":\\\"{two}\\n\\u00e9{three}\\\"}}&lt;a href=&quot;/?q={one}%20{two}%2F{three}&amp;x=%41&quot;&gt;\\n"
    )
}

fn body(unit: fn(&mut Dice) -> String, length: usize) -> Bytes {
    let mut dice = Dice(7);
    // Random text is slow to make: a megabyte of it again and again.
    let mut text = String::with_capacity(length + 4096);
    while text.len() < length.min(1 << 20) {
        text.push_str(&unit(&mut dice));
    }
    let mut bytes = text.into_bytes();
    while bytes.len() < length {
        bytes.extend_from_within(..(length - bytes.len()).min(1 << 20));
    }
    bytes.truncate(length);
    bytes.into()
}

fn needles(count: usize) -> Needles {
    let mut dice = Dice(11);
    let secrets: Vec<Secret> = (0..count)
        .map(|_| Secret::new(format!("sk-ant-api03-{}", dice.text(80, &BASE64[..62]))).expect("a secret"))
        .collect();
    Needles::new(secrets.iter())
}

/// Gigabytes a second.
fn rate(body: &Bytes, mut work: impl FnMut(Bytes)) -> f64 {
    let start = Instant::now();
    let mut bytes = 0;
    while start.elapsed() < MEASURED {
        let mut rest = body.clone();
        while !rest.is_empty() {
            work(rest.split_to(rest.len().min(PIECE_BYTES)));
        }
        bytes += body.len();
    }
    bytes as f64 / start.elapsed().as_secs_f64() / 1e9
}

fn main() {
    let parts: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    println!(
        "GB/s; a body comes in pieces of 16 KiB; copy and one byte: the same pieces copied, and searched for one byte"
    );
    println!(
        "{:>8} {:>8} {:>6} {:>10} {:>10} {:>8} {:>10}",
        "text", "size", "copy", "one byte", "1 secret", "10", "100"
    );
    let (one, ten, hundred) = (needles(1), needles(10), needles(100));
    for (name, unit) in [("json", json as fn(&mut Dice) -> String), ("base64", base64), ("escapes", escapes)] {
        for (size, length) in [("1K", 1 << 10), ("64K", 64 << 10), ("1M", 1 << 20), ("100M", 100 << 20)] {
            if !parts.is_empty() && !parts.iter().any(|part| part == name || part == size) {
                continue;
            }
            let body = body(unit, length);
            let copy = rate(&body, |piece| {
                black_box(piece.to_vec());
            });
            let byte = rate(&body, |piece| {
                black_box(piece.contains(&1));
            });
            let scrub = |needles: &Needles| {
                rate(&body, |piece| {
                    let mut scrubber = Scrubber::new(needles);
                    black_box(scrubber.push(piece));
                    black_box(scrubber.finish());
                })
            };
            let (one, ten, hundred) = (scrub(&one), scrub(&ten), scrub(&hundred));
            println!("{name:>8} {size:>8} {copy:>6.1} {byte:>10.1} {one:>10.2} {ten:>8.2} {hundred:>10.2}");
        }
    }
}
