//! Names of sessions, their threads and events: sixteen bytes that sort by the time they were minted.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Base58 as Bitcoin writes it: no `0OIl`. Its digits are in ASCII order, so that text of one length sorts as its number.
const DIGITS: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
/// What 128 bits need: 58²² > 2¹²⁸.
const TEXT_LEN: usize = 22;
/// The lower bits are chance; those above are milliseconds since 1970.
const CHANCE_BITS: u32 = 80;

/// Text that is not an id of the kind that was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an id of a {kind}; one looks like {prefix}{}", "1".repeat(TEXT_LEN))]
pub struct IdError {
    text: String,
    kind: &'static str,
    prefix: &'static str,
}

fn to_text(prefix: &str, number: u128, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut text = [0; TEXT_LEN];
    let mut rest = number;
    for place in text.iter_mut().rev() {
        *place = DIGITS[(rest % 58) as usize];
        rest /= 58;
    }
    f.write_str(prefix)?;
    text.iter().try_for_each(|digit| fmt::Write::write_char(f, char::from(*digit)))
}

fn to_number(text: &str) -> Option<u128> {
    if text.len() != TEXT_LEN {
        return None;
    }
    text.bytes().try_fold(0_u128, |number, byte| {
        let digit = DIGITS.iter().position(|digit| *digit == byte)?;
        number.checked_mul(58)?.checked_add(digit as u128)
    })
}

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(u128);

        impl $name {
            /// From a time in milliseconds since 1970 (UTC; its lower 48 bits count) and ten random bytes.
            ///
            /// Mint ids of one process with [`Minter`], which keeps them in order within a millisecond.
            #[must_use]
            pub fn at(unix_ms: u64, chance: [u8; 10]) -> Self {
                let chance = chance.iter().fold(0_u128, |sum, byte| sum << 8 | u128::from(*byte));
                Self((u128::from(unix_ms & 0xffff_ffff_ffff) << CHANCE_BITS) | chance)
            }

            /// When it was minted, in milliseconds since 1970 (UTC), as its minter's clock said.
            #[must_use]
            pub fn unix_ms(self) -> u64 {
                u64::try_from(self.0 >> CHANCE_BITS).unwrap_or(u64::MAX)
            }

            /// The id as bytes that sort as it does.
            #[must_use]
            pub fn to_bytes(self) -> [u8; 16] {
                self.0.to_be_bytes()
            }

            /// What [`Self::to_bytes`] gave.
            #[must_use]
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(u128::from_be_bytes(bytes))
            }
        }

        impl From<u128> for $name {
            fn from(number: u128) -> Self {
                Self(number)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                to_text($prefix, self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let wrong = || IdError { text: text.escape_debug().take(64).collect(), kind: $kind, prefix: $prefix };
                text.strip_prefix($prefix).and_then(to_number).map(Self).ok_or_else(wrong)
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id_type! {
    /// Names a session: `sesn_` and 22 digits of base58.
    SessionId, "sesn_", "session"
}
id_type! {
    /// Names an event: `sevt_` and 22 digits of base58. Whoever makes the event mints it, and finds it again by it.
    EventId, "sevt_", "event"
}

id_type! {
    /// Names a thread of a session: `sthr_` and 22 digits of base58.
    ThreadId, "sthr_", "thread"
}

impl SessionId {
    /// The session's first thread, whose name follows from its own.
    #[must_use]
    pub fn first_thread(self) -> ThreadId {
        ThreadId(self.0)
    }
}

/// Mints ids that rise strictly, also within a millisecond and when the clock is set back.
#[derive(Debug, Default)]
pub struct Minter {
    last: u128,
}

impl Minter {
    /// The next id, for a time in milliseconds since 1970 and ten random bytes.
    pub fn mint<I: From<u128>>(&mut self, unix_ms: u64, chance: [u8; 10]) -> I {
        let fresh = u128::from_be_bytes(EventId::at(unix_ms, chance).to_bytes());
        self.last = if fresh > self.last { fresh } else { self.last.wrapping_add(1) };
        I::from(self.last)
    }
}
