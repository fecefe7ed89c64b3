//! `test` and `[`.

use crate::shell::{Flow, Run, Shell};
use brush_parser::ast::{BinaryPredicate as B, UnaryPredicate as U};

/// An expression of more words would go too deep.
const ARGS_MAX: usize = 200;

pub(super) fn bracket(shell: &mut Shell, args: &[String]) -> Run {
    match args.split_last() {
        Some((last, args)) if last == "]" => test(shell, args),
        _ => {
            shell.complain("[: missing `]'");
            Ok(2)
        }
    }
}

pub(super) fn test(shell: &mut Shell, args: &[String]) -> Run {
    if args.len() > ARGS_MAX {
        shell.complain("[: too many arguments");
        return Ok(2);
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match decide(shell, &args) {
        Ok(answer) => Ok(i32::from(!answer)),
        Err(Flow::Discard(status)) => Ok(status),
        Err(flow) => Err(flow),
    }
}

/// By how many arguments there are, as POSIX says; more are read as an expression.
fn decide(shell: &mut Shell, args: &[&str]) -> Result<bool, Flow> {
    match args {
        [] => Ok(false),
        [one] => Ok(!one.is_empty()),
        ["!", one] => Ok(one.is_empty()),
        [op, operand] if unary(op).is_some() => one_operand(shell, op, operand),
        [op, _] => {
            shell.complain(&format!("[: {op}: unary operator expected"));
            Err(Flow::Discard(2))
        }
        [left, op, right] if binary(op).is_some() => two_operands(shell, left, op, right),
        [left, "-a", right] => Ok(!left.is_empty() && !right.is_empty()),
        [left, "-o", right] => Ok(!left.is_empty() || !right.is_empty()),
        ["!", rest @ ..] if rest.len() < 4 => Ok(!decide(shell, rest)?),
        ["(", inner, ")"] => Ok(!inner.is_empty()),
        ["(", inner @ .., ")"] if inner.len() == 2 => decide(shell, inner),
        [_, op, _] => {
            shell.complain(&format!("[: {op}: binary operator expected"));
            Err(Flow::Discard(2))
        }
        args => {
            let mut at = 0;
            let answer = any(shell, args, &mut at)?;
            if at < args.len() {
                shell.complain("[: too many arguments");
                return Err(Flow::Discard(2));
            }
            Ok(answer)
        }
    }
}

fn any(shell: &mut Shell, args: &[&str], at: &mut usize) -> Result<bool, Flow> {
    let mut answer = every(shell, args, at)?;
    while args.get(*at) == Some(&"-o") {
        *at += 1;
        answer |= every(shell, args, at)?;
    }
    Ok(answer)
}

fn every(shell: &mut Shell, args: &[&str], at: &mut usize) -> Result<bool, Flow> {
    let mut answer = term(shell, args, at)?;
    while args.get(*at) == Some(&"-a") {
        *at += 1;
        answer &= term(shell, args, at)?;
    }
    Ok(answer)
}

fn term(shell: &mut Shell, args: &[&str], at: &mut usize) -> Result<bool, Flow> {
    let rest = &args[(*at).min(args.len())..];
    match rest {
        [] => {
            shell.complain("[: argument expected");
            Err(Flow::Discard(2))
        }
        ["!", ..] => {
            *at += 1;
            Ok(!term(shell, args, at)?)
        }
        [left, op, right, ..] if binary(op).is_some() => {
            *at += 3;
            two_operands(shell, left, op, right)
        }
        ["(", ..] => {
            *at += 1;
            let answer = any(shell, args, at)?;
            *at += 1;
            Ok(answer)
        }
        [op, operand, ..] if unary(op).is_some() => {
            *at += 2;
            one_operand(shell, op, operand)
        }
        [one, ..] => {
            *at += 1;
            Ok(!one.is_empty())
        }
    }
}

fn one_operand(shell: &mut Shell, op: &str, operand: &str) -> Result<bool, Flow> {
    match unary(op) {
        Some(op) => shell.unary(&op, operand),
        None => Ok(false),
    }
}

fn two_operands(shell: &mut Shell, left: &str, op: &str, right: &str) -> Result<bool, Flow> {
    match binary(op) {
        Some(op) => shell.binary(&op, left, right, false),
        None => Ok(false),
    }
}

fn unary(op: &str) -> Option<U> {
    Some(match op {
        "-a" | "-e" => U::FileExists,
        "-b" => U::FileExistsAndIsBlockSpecialFile,
        "-c" => U::FileExistsAndIsCharSpecialFile,
        "-d" => U::FileExistsAndIsDir,
        "-f" => U::FileExistsAndIsRegularFile,
        "-g" => U::FileExistsAndIsSetgid,
        "-h" | "-L" => U::FileExistsAndIsSymlink,
        "-k" => U::FileExistsAndHasStickyBit,
        "-p" => U::FileExistsAndIsFifo,
        "-r" => U::FileExistsAndIsReadable,
        "-s" => U::FileExistsAndIsNotZeroLength,
        "-t" => U::FdIsOpenTerminal,
        "-u" => U::FileExistsAndIsSetuid,
        "-w" => U::FileExistsAndIsWritable,
        "-x" => U::FileExistsAndIsExecutable,
        "-G" => U::FileExistsAndOwnedByEffectiveGroupId,
        "-N" => U::FileExistsAndModifiedSinceLastRead,
        "-O" => U::FileExistsAndOwnedByEffectiveUserId,
        "-S" => U::FileExistsAndIsSocket,
        "-o" => U::ShellOptionEnabled,
        "-v" => U::ShellVariableIsSetAndAssigned,
        "-R" => U::ShellVariableIsSetAndNameRef,
        "-z" => U::StringHasZeroLength,
        "-n" => U::StringHasNonZeroLength,
        _ => return None,
    })
}

fn binary(op: &str) -> Option<B> {
    Some(match op {
        "=" | "==" => B::StringExactlyMatchesString,
        "!=" => B::StringDoesNotExactlyMatchString,
        "<" => B::LeftSortsBeforeRight,
        ">" => B::LeftSortsAfterRight,
        "-ef" => B::FilesReferToSameDeviceAndInodeNumbers,
        "-nt" => B::LeftFileIsNewerOrExistsWhenRightDoesNot,
        "-ot" => B::LeftFileIsOlderOrDoesNotExistWhenRightDoes,
        "-eq" => B::ArithmeticEqualTo,
        "-ne" => B::ArithmeticNotEqualTo,
        "-lt" => B::ArithmeticLessThan,
        "-le" => B::ArithmeticLessThanOrEqualTo,
        "-gt" => B::ArithmeticGreaterThan,
        "-ge" => B::ArithmeticGreaterThanOrEqualTo,
        _ => return None,
    })
}
