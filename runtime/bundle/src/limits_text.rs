//! Limits as people write them, on the command line and in TOML.

use crate::error::{BundleError, shown};
use crate::limit_field::Field;
use crate::limits::{Limits, LimitsPatch, Profile};
use serde::de::{self, DeserializeSeed, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::str::FromStr;

impl LimitsPatch {
    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// This patch, with what `over` names taken from there.
    #[must_use]
    pub fn overlaid_with(mut self, over: &Self) -> Self {
        for field in Field::ALL {
            if let Some(amount) = field.get(over) {
                field.set(&mut self, amount);
            }
        }
        self
    }

    /// As [`Limits::validate`], for the limits that are named.
    ///
    /// # Errors
    ///
    /// [`BundleError::Invalid`] for the first bad amount.
    pub fn validate(&self) -> Result<(), BundleError> {
        let mut named = Field::ALL.iter().filter_map(|field| Some((field, field.get(self)?)));
        named.try_for_each(|(field, amount)| field.check(amount))
    }

    fn set_once(&mut self, field: Field, text: &str) -> Result<(), BundleError> {
        if field.get(self).is_some() {
            let message = format!("limit `{}` is given twice", field.name());
            return Err(BundleError::invalid(message, "keep one of them"));
        }
        field.set(self, field.read(text)?);
        Ok(())
    }
}

impl FromStr for LimitsPatch {
    type Err = BundleError;

    /// Reads `memory=64MiB,time=30s`.
    fn from_str(text: &str) -> Result<Self, BundleError> {
        let mut patch = Self::default();
        for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (name, amount) = pair.split_once('=').ok_or_else(|| {
                let message = format!("`{}` is not a limit", shown(pair));
                BundleError::invalid(message, "write NAME=AMOUNT, separated by commas: memory=64MiB,time=30s")
            })?;
            patch.set_once(Field::named(name.trim())?, amount)?;
        }
        Ok(patch)
    }
}

impl fmt::Display for LimitsPatch {
    /// Prints what [`LimitsPatch::from_str`] reads.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Field::ALL.iter().filter_map(|field| Some((field, field.get(self)?)));
        for (index, (field, amount)) in named.enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{}={:#}", field.name(), field.unit().show(amount))?;
        }
        Ok(())
    }
}

impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        LimitsPatch::from(*self).fmt(f)
    }
}

impl<'de> Deserialize<'de> for LimitsPatch {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(PatchVisitor)
    }
}

struct PatchVisitor;

impl<'de> Visitor<'de> for PatchVisitor {
    type Value = LimitsPatch;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of limits")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LimitsPatch, A::Error> {
        let mut patch = LimitsPatch::default();
        while let Some(field) = map.next_key::<Field>()? {
            map.next_value_seed(Entry(field, &mut patch))?;
        }
        Ok(patch)
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = String::deserialize(from)?;
        Self::named(&name).map_err(|error| de::Error::custom(format!("{error}; {}", error.hint())))
    }
}

/// Reads the value of one key, so that the error carries the place of that value.
struct Entry<'p>(Field, &'p mut LimitsPatch);

impl<'de> DeserializeSeed<'de> for Entry<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl Visitor<'_> for Entry<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.unit().example())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        let done = self.1.set_once(self.0, text);
        done.map_err(|error| E::custom(format!("{error}; {}", error.hint())))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<(), E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<(), E> {
        self.visit_str(&number.to_string())
    }
}

impl Profile {
    /// Every profile, narrowest first.
    pub const ALL: [Self; 3] = [Self::Strict, Self::Standard, Self::Roomy];

    /// The name in configuration and on the command line: `strict`, `default` or `roomy`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Standard => "default",
            Self::Roomy => "roomy",
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Profile {
    type Err = BundleError;

    fn from_str(name: &str) -> Result<Self, BundleError> {
        let found = Self::ALL.into_iter().find(|profile| profile.name() == name);
        found.ok_or_else(|| {
            let message = format!("there is no profile `{}`", shown(name));
            BundleError::invalid(message, "known profiles: strict, default, roomy")
        })
    }
}

impl<'de> Deserialize<'de> for Profile {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = String::deserialize(from)?;
        name.parse().map_err(|error: BundleError| de::Error::custom(format!("{error}; {}", error.hint())))
    }
}
