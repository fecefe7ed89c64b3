//! Values while they are read and written: nothing that is freed keeps a copy.
//!
//! In the file a value stands in Base64: text without escapes is read where it is, while `serde_json` unescapes into a
//! buffer of its own, which nobody overwrites. For the same reason no type that holds a value is an internally tagged or
//! flattened one: serde copies what is in those.

use crate::Secret;
use data_encoding::BASE64;
use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::io::Write;
use zeroize::{Zeroize as _, Zeroizing};

/// Writes one into the file.
pub(super) fn serialize<S: Serializer>(secret: &Secret, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&Zeroizing::new(BASE64.encode(secret.reveal())))
}

/// Reads one from the file.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
    struct Value;
    impl Visitor<'_> for Value {
        type Value = Secret;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a value")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Secret, E> {
            let bytes = BASE64.decode(text.as_bytes()).map(Zeroizing::new);
            // Neither error may quote what it is about.
            let bytes = bytes.map_err(|_| E::custom("a value is no Base64"))?;
            Secret::new(bytes.to_vec()).map_err(|_| E::custom("a value is no credential"))
        }
    }
    // Asked for as text, so that an error names what is expected and not what is there.
    from.deserialize_str(Value).map_err(|_| D::Error::custom("a value cannot be read"))
}

/// One of several.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct One(#[serde(with = "self")] pub(super) Secret);

/// The same for values that may be absent.
pub(super) mod maybe {
    use super::{Deserializer, One, Secret, Serializer};
    use serde::{Deserialize as _, Serialize as _};

    pub(in crate::keep) fn serialize<S: Serializer>(secret: &Option<Secret>, to: S) -> Result<S::Ok, S::Error> {
        secret.clone().map(One).serialize(to)
    }

    pub(in crate::keep) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Secret>, D::Error> {
        Ok(Option::<One>::deserialize(from)?.map(|one| one.0))
    }
}

/// A buffer that overwrites what it outgrows.
#[derive(Default)]
pub(super) struct Plain(Zeroizing<Vec<u8>>);

impl Plain {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Write for Plain {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let needed = self.0.len() + bytes.len();
        if needed > self.0.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(needed.next_power_of_two().max(4096)));
            larger.extend_from_slice(&self.0);
            self.0.zeroize();
            self.0 = larger;
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
