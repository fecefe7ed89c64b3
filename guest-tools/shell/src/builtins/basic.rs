//! The smallest ones.

use crate::shell::{Run, Shell};
use crate::state::XPG_ECHO;
use crate::text::{Escapes, unescape};

#[expect(clippy::unnecessary_wraps, reason = "it is a builtin")]
pub(super) fn nothing(_: &mut Shell, _: &[String]) -> Run {
    Ok(0)
}

#[expect(clippy::unnecessary_wraps, reason = "it is a builtin")]
pub(super) fn not(_: &mut Shell, _: &[String]) -> Run {
    Ok(1)
}

pub(super) fn echo(shell: &mut Shell, args: &[String]) -> Run {
    let (mut newline, mut escapes) = (true, shell.state.shopt(XPG_ECHO));
    let is_option =
        |arg: &&String| arg.len() > 1 && arg.starts_with('-') && arg[1..].chars().all(|c| "neE".contains(c));
    let options = args.iter().take_while(is_option).count();
    for c in args[..options].iter().flat_map(|arg| arg[1..].chars()) {
        match c {
            'n' => newline = false,
            'e' => escapes = true,
            _ => escapes = false,
        }
    }
    let mut text = args[options..].join(" ");
    if escapes {
        let unescaped = unescape(&text, Escapes::Echo);
        text = unescaped.text;
        newline &= !unescaped.ended;
    }
    if newline {
        text.push('\n');
    }
    shell.out(&text)
}

/// `let`.
pub(super) fn evaluate(shell: &mut Shell, args: &[String]) -> Run {
    if args.is_empty() {
        return shell.fail("let: expression expected");
    }
    let mut value = 0;
    for arg in args {
        match shell.arithmetic(arg) {
            Ok(result) => value = result,
            Err(crate::shell::Flow::Discard(status)) => return Ok(status),
            Err(flow) => return Err(flow),
        }
    }
    Ok(i32::from(value == 0))
}
