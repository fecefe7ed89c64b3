//! Permission bits as people write them: `755`, `u=rwx,go-w`.

/// What a mode changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mode(Vec<Change>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Change {
    sign: char,
    /// The bits of those who are meant.
    who: u32,
    /// Whether nobody was named, so that the mask of new files holds.
    nobody: bool,
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Bits(u32),
    /// Bits, and `x` for a folder or where somebody has it.
    BitsAndRun(u32),
    /// What these have: 6 for the user, 3 for the group, 0 for all others.
    Of(u32),
    /// An octal number of fewer than five digits, which leaves a folder its special bits.
    Number(u32),
}

const ALL: u32 = 0o7777;

/// Reads a mode. None if it is none.
pub(crate) fn parse(text: &str) -> Option<Mode> {
    if text.starts_with(|first: char| first.is_digit(8)) {
        let bits = octal(text)?;
        let what = if text.len() < 5 { What::Number(bits) } else { What::Bits(bits) };
        return Some(Mode(vec![Change { sign: '=', who: ALL, nobody: false, what }]));
    }
    let mut changes = Vec::new();
    for clause in text.split(',') {
        let signs = clause.find(['+', '-', '='])?;
        let mut who = 0;
        for letter in clause[..signs].chars() {
            who |= match letter {
                'u' => 0o4700,
                'g' => 0o2070,
                'o' => 0o1007,
                'a' => ALL,
                _ => return None,
            };
        }
        let mut rest = &clause[signs..];
        while let Some(sign) = rest.chars().next() {
            let end = rest[1..].find(['+', '-', '=']).map_or(rest.len(), |at| at + 1);
            let what = what(&rest[1..end])?;
            changes.push(Change { sign, who: if who == 0 { ALL } else { who }, nobody: who == 0, what });
            rest = &rest[end..];
        }
    }
    Some(Mode(changes))
}

fn octal(text: &str) -> Option<u32> {
    u32::from_str_radix(text, 8).ok().filter(|bits| *bits <= ALL)
}

fn what(text: &str) -> Option<What> {
    match text {
        "u" => return Some(What::Of(6)),
        "g" => return Some(What::Of(3)),
        "o" => return Some(What::Of(0)),
        _ if text.starts_with(|first: char| first.is_digit(8)) => return octal(text).map(What::Bits),
        _ => {}
    }
    let (mut bits, mut run) = (0, false);
    for letter in text.chars() {
        bits |= match letter {
            'r' => 0o444,
            'w' => 0o222,
            'x' => 0o111,
            's' => 0o6000,
            't' => 0o1000,
            'X' => {
                run = true;
                0
            }
            _ => return None,
        };
    }
    Some(if run { What::BitsAndRun(bits) } else { What::Bits(bits) })
}

impl Mode {
    /// The bits that a file has after this. `umask` counts where nobody is named.
    pub(crate) fn apply(&self, mode: u32, folder: bool, umask: u32) -> u32 {
        let mut mode = mode & ALL;
        for change in &self.0 {
            let mut who = change.who;
            let mut bits = match change.what {
                What::Bits(bits) => bits,
                What::BitsAndRun(bits) => bits | if folder || mode & 0o111 != 0 { 0o111 } else { 0 },
                What::Of(shift) => {
                    let three = (mode >> shift) & 7;
                    three << 6 | three << 3 | three
                }
                What::Number(bits) => {
                    if folder {
                        who &= !0o6000 | bits;
                    }
                    bits
                }
            };
            bits &= who;
            if change.nobody {
                bits &= !umask;
            }
            // A folder keeps its special bits, unless they are named.
            let kept = if folder && !matches!(change.what, What::Number(_)) { 0o6000 & !bits } else { 0 };
            mode = match change.sign {
                '+' => mode | bits,
                '-' => mode & !bits,
                _ => (mode & (!who | kept)) | bits,
            };
        }
        mode
    }
}

/// `rwxr-xr-x`.
pub(crate) fn letters(mode: u32) -> String {
    let mut out = String::with_capacity(9);
    for (shift, special, sign) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let set = mode >> shift;
        out.push(if set & 4 > 0 { 'r' } else { '-' });
        out.push(if set & 2 > 0 { 'w' } else { '-' });
        out.push(match (set & 1 > 0, mode & special > 0) {
            (true, true) => sign,
            (false, true) => sign.to_ascii_uppercase(),
            (true, false) => 'x',
            (false, false) => '-',
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{letters, parse};

    #[test]
    fn a_mode_changes_the_bits_that_it_names() {
        for (text, before, after) in [
            ("755", 0o644, 0o755),
            ("u+x,g-r", 0o644, 0o704),
            ("a=rw", 0o755, 0o666),
            ("+x", 0o644, 0o755),
            ("+w", 0o444, 0o644),
            ("g=u", 0o640, 0o660),
            ("u=rwX,go=rX", 0o600, 0o644),
            ("u=rwX,go=rX", 0o700, 0o755),
            ("o=", 0o777, 0o770),
            ("=", 0o777, 0),
            ("u+x+w-r", 0o400, 0o300),
        ] {
            assert_eq!(parse(text).unwrap().apply(before, false, 0o022), after, "{text}");
        }
    }

    #[test]
    fn what_is_no_mode_is_none() {
        for text in ["9", "", "u", "z+x", "u+q", "77777", "u+x,"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn bits_are_shown_as_letters() {
        assert_eq!(letters(0o754), "rwxr-xr--");
        assert_eq!(letters(0o4755), "rwsr-xr-x");
        assert_eq!(letters(0o1666), "rw-rw-rwT");
    }
}
