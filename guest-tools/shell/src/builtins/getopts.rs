//! `getopts`.

use crate::shell::{Run, Shell};

pub(super) fn getopts(shell: &mut Shell, args: &[String]) -> Run {
    let [options, name, rest @ ..] = args else {
        shell.complain("getopts: usage: getopts optstring name [arg ...]");
        return Ok(2);
    };
    let words = if rest.is_empty() { shell.state.args.to_vec() } else { rest.to_vec() };
    let mut at: usize = shell.var("OPTIND").and_then(|at| at.parse().ok()).unwrap_or(1).max(1);
    let silent = options.starts_with(':');
    let word = words.get(at - 1).cloned().unwrap_or_default();
    let inside = shell.state.getopts_at;
    if inside == 0 && (!word.starts_with('-') || word == "-" || word == "--") {
        if word == "--" {
            at += 1;
        }
        shell.set_own("OPTIND", at.to_string());
        shell.set_own(name, "?");
        shell.vars().remove("OPTARG");
        return Ok(1);
    }
    let letters: Vec<char> = word.chars().collect();
    let place = inside.max(1);
    let letter = letters.get(place).copied().unwrap_or('?');
    let more = place + 1 < letters.len();
    let (mut next_inside, mut found) = (if more { place + 1 } else { 0 }, letter.to_string());
    let known = options.trim_start_matches(':').find(letter).filter(|_| letter != ':');
    let wants =
        known.is_some_and(|known| options.trim_start_matches(':')[known + letter.len_utf8()..].starts_with(':'));
    if !more {
        at += 1;
    }
    shell.vars().remove("OPTARG");
    if known.is_none() {
        report(shell, silent, &mut found, "?", &format!("illegal option -- {letter}"));
    } else if wants {
        if more {
            shell.set_own("OPTARG", letters[place + 1..].iter().collect::<String>());
            at += 1;
        } else if let Some(value) = words.get(at - 1) {
            shell.set_own("OPTARG", value.clone());
            at += 1;
        } else {
            report(
                shell,
                silent,
                &mut found,
                if silent { ":" } else { "?" },
                &format!("option requires an argument -- {letter}"),
            );
        }
        next_inside = 0;
    }
    shell.state.getopts_at = next_inside;
    shell.set_own("OPTIND", at.to_string());
    shell.set_own(name, found);
    Ok(0)
}

fn report(shell: &mut Shell, silent: bool, found: &mut String, sign: &str, what: &str) {
    if silent {
        shell.set_own("OPTARG", found.clone());
    } else if shell.var("OPTERR").as_deref() != Some("0") {
        let name = shell.state.name.clone();
        shell.err(&format!("{name}: {what}\n"));
    }
    sign.clone_into(found);
}
