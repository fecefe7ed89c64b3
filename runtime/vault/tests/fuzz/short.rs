//! What a fuzzer does, for a moment: changes known texts at random, and says how to do it again.

use crate::writers::Dice;
use std::collections::BTreeMap;
use std::path::Path;

/// Puts what was found in reach: the text can be added to the corpus, and a run repeated.
struct Case<'a> {
    target: &'a str,
    seed: u64,
    of: &'a str,
    text: &'a [u8],
}

impl Drop for Case<'_> {
    #[expect(clippy::print_stderr, reason = "it is said once, when a test has failed")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            let (seed, of, text) = (self.seed, self.of, self.text.escape_ascii());
            eprintln!(
                "{}: {text}\nmade of tests/corpus/{}/{of}; again with HANDBOX_FUZZ_SEED={seed}",
                self.target, self.target
            );
        }
    }
}

/// Bytes that readers disagree on.
const MARKS: &[u8] = b"%\\&=@:/.?#_- \t\r\n\0\xff0x[]";

/// Checks each text of a target's corpus, and so many that are made of them.
pub(crate) fn run(target: &str, cases: usize, check: impl Fn(&[u8])) {
    let seed =
        std::env::var("HANDBOX_FUZZ_SEED").map_or_else(|_| getrandom::u64().unwrap(), |seed| seed.parse().unwrap());
    let corpus = corpus(target);
    let texts: Vec<(&String, &Vec<u8>)> = corpus.iter().collect();
    for (name, text) in &texts {
        let _case = Case { target, seed, of: name, text };
        check(text);
    }
    let mut dice = Dice::new(seed);
    for _ in 0..cases {
        let (name, text) = texts[dice.roll(texts.len())];
        let text = changed(text, texts[dice.roll(texts.len())].1, &mut dice);
        let _case = Case { target, seed, of: name, text: &text };
        check(&text);
    }
}

fn corpus(target: &str) -> BTreeMap<String, Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(target);
    let files = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path());
    let texts = files.map(|path| (path.file_name().unwrap().display().to_string(), std::fs::read(path).unwrap()));
    let texts: BTreeMap<_, _> = texts.collect();
    assert!(!texts.is_empty(), "{} is empty", folder.display());
    texts
}

/// A text with some changes, of which some are parts of another.
fn changed(text: &[u8], other: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut text = text.to_vec();
    for _ in 0..=dice.roll(6) {
        let at = dice.roll(text.len() + 1);
        let end = (at + dice.roll(9)).min(text.len());
        let from = dice.roll(other.len() + 1);
        let part = match dice.roll(6) {
            0 => Vec::new(),
            1 => vec![dice.roll(256) as u8],
            2 => vec![MARKS[dice.roll(MARKS.len())]],
            3 => text[at..end].repeat(2),
            4 => text[at..end].iter().map(|byte| byte ^ 0x20).collect(),
            _ => other[from..(from + dice.roll(24)).min(other.len())].to_vec(),
        };
        // Put in, or in place of what stood there.
        let end = if dice.roll(2) == 0 { at } else { end };
        text.splice(at..end, part);
    }
    text
}
