//! Names in quotes, as GNU's programs show them.

/// How a name is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Literal,
    /// As a shell reads it, quoted where it must be.
    Shell,
    ShellAlways,
    /// As a shell reads it, with `$'\n'` for what cannot be shown.
    ShellEscape,
    ShellEscapeAlways,
    C,
    Escape,
}

impl Style {
    /// By its name of `--quoting-style`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "literal" => Self::Literal,
            "shell" => Self::Shell,
            "shell-always" => Self::ShellAlways,
            "shell-escape" => Self::ShellEscape,
            "shell-escape-always" => Self::ShellEscapeAlways,
            "c" | "c-maybe" => Self::C,
            "escape" => Self::Escape,
            _ => return None,
        })
    }

    pub(crate) fn show(self, name: &str) -> String {
        match self {
            Self::Literal => name.to_owned(),
            Self::Shell => shell(name, false, false),
            Self::ShellAlways => shell(name, true, false),
            Self::ShellEscape => shell(name, false, true),
            Self::ShellEscapeAlways => shell(name, true, true),
            Self::C => format!("\"{}\"", escaped(name, '"')),
            Self::Escape => escaped(name, ' '),
        }
    }
}

/// In the quotes that messages have around names.
pub(crate) fn quoted(name: &str) -> String {
    Style::ShellEscapeAlways.show(name)
}

fn shell(name: &str, always: bool, escape: bool) -> String {
    let special = |c: char| " !\"#$&'()*;<=>?[\\]^`{|}~".contains(c) || c.is_control();
    // Some are nothing special inside of a word.
    let inner = |(at, c): (usize, char)| if "#~".contains(c) { at == 0 } else { special(c) && !"]{}".contains(c) };
    let must = name.is_empty() || matches!(name, "{" | "}") || name.char_indices().any(inner);
    if !must && !always {
        return name.to_owned();
    }
    let control = escape && name.chars().any(char::is_control);
    if !control {
        if name.contains('\'') && !name.contains(['"', '$', '`', '\\', '!']) {
            return format!("\"{name}\"");
        }
        return format!("'{}'", name.replace('\'', "'\\''"));
    }
    let mut out = String::from("'");
    let mut raw = false;
    for c in name.chars() {
        if c.is_control() != raw {
            out.push_str(if raw { "''" } else { "'$'" });
            raw = !raw;
        }
        match c {
            '\'' => out.push_str("'\\''"),
            c if c.is_control() => out.push_str(&backslashed(c)),
            c => out.push(c),
        }
    }
    out.push('\'');
    out
}

fn backslashed(c: char) -> String {
    match c {
        '\n' => "\\n".to_owned(),
        '\t' => "\\t".to_owned(),
        '\r' => "\\r".to_owned(),
        '\u{7}' => "\\a".to_owned(),
        '\u{8}' => "\\b".to_owned(),
        '\u{b}' => "\\v".to_owned(),
        '\u{c}' => "\\f".to_owned(),
        c => {
            let mut bytes = [0; 4];
            c.encode_utf8(&mut bytes).bytes().map(|byte| format!("\\{byte:03o}")).collect()
        }
    }
}

fn escaped(name: &str, also: char) -> String {
    let mut out = String::new();
    for c in name.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            c if c == also => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => out.push_str(&backslashed(c)),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::Style;

    #[test]
    fn names_are_quoted_as_a_shell_reads_them() {
        for (name, shown) in [
            ("plain", "plain"),
            ("a b", "'a b'"),
            ("c'd", "\"c'd\""),
            ("e\"f", "'e\"f'"),
            ("new\nline", "'new'$'\\n''line'"),
            ("", "''"),
        ] {
            assert_eq!(Style::ShellEscape.show(name), shown);
        }
        assert_eq!(Style::C.show("a\"b\tc"), "\"a\\\"b\\tc\"");
        assert_eq!(Style::Escape.show("a b\\"), "a\\ b\\\\");
    }
}
