//! `base64 -d`, which gives what stands before a fault too.

use crate::options::{Known, read};
use crate::{print, report};
use std::ffi::OsString;

/// Runs `base64` where it decodes; None where it does not.
pub(super) fn base64(args: &[OsString]) -> Option<u8> {
    let known = Known {
        letters: "diw:",
        names: &[("decode", 'd'), ("ignore-garbage", 'i'), ("wrap=", 'w')],
        ends_at_operand: false,
    };
    let given = read(args, &known).ok().filter(|given| given.has('d') && given.operands.len() < 2)?;
    let path = given.operands.first().map_or("-", String::as_str);
    let text = match crate::read(path) {
        Ok(text) => text,
        Err(reason) => {
            report("base64", &format!("{path}: {reason}"));
            return Some(1);
        }
    };
    let (bytes, sound) = decoded(&text, given.has('i'));
    let printed = print(&bytes);
    if !sound {
        report("base64", "invalid input");
    }
    Some(u8::from(!sound || !printed))
}

/// What a text stands for up to its end or a fault, and whether it is sound.
fn decoded(text: &[u8], ignore: bool) -> (Vec<u8>, bool) {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let mut group: Vec<u32> = Vec::with_capacity(4);
    let mut ended = 0;
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => Some(u32::from(byte - b'A')),
        b'a'..=b'z' => Some(u32::from(byte - b'a') + 26),
        b'0'..=b'9' => Some(u32::from(byte - b'0') + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    for byte in text.iter().copied().filter(|byte| *byte != b'\n') {
        match value(byte) {
            Some(value) if ended == 0 => {
                group.push(value);
                if group.len() == 4 {
                    flush(&mut out, &mut group);
                }
            }
            None if byte == b'=' && group.len() + ended < 4 && group.len() > 1 => {
                ended += 1;
                if group.len() + ended == 4 {
                    flush(&mut out, &mut group);
                    ended = 0;
                }
            }
            None if ignore && byte != b'=' => {}
            _ => {
                flush(&mut out, &mut group);
                return (out, false);
            }
        }
    }
    let sound = group.is_empty() && ended == 0;
    flush(&mut out, &mut group);
    (out, sound)
}

/// The whole bytes of a group.
fn flush(out: &mut Vec<u8>, group: &mut Vec<u32>) {
    let count = group.len().saturating_sub(1);
    let bits = group.iter().fold(0, |bits, value| bits << 6 | value) << (6 * (4 - group.len()));
    out.extend_from_slice(&bits.to_be_bytes()[1..=count]);
    group.clear();
}
