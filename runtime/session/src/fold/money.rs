//! Money and tokens, counted exactly.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Picodollars in a dollar.
const DOLLAR: u64 = 1_000_000_000_000;

/// Money in whole picodollars (10⁻¹² US dollars), at most 18.4 million dollars.
///
/// A token at a price of $1 a million costs a million picodollars, so every price that has at most six decimals a
/// million tokens is a whole number, and sums never round. In JSON it is a string of digits (`"1500000"`), since
/// many readers keep numbers only up to 2⁵³.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(u64);

impl Money {
    /// So many picodollars.
    #[must_use]
    pub const fn from_picodollars(picodollars: u64) -> Self {
        Self(picodollars)
    }

    /// In picodollars.
    #[must_use]
    pub const fn picodollars(self) -> u64 {
        self.0
    }

    /// The sum; the largest amount if there is none so large.
    #[must_use]
    pub const fn plus(self, more: Self) -> Self {
        Self(self.0.saturating_add(more.0))
    }

    /// In whole cents, as Managed Agents give amounts. Rounded up, so that never less is shown than was spent.
    #[must_use]
    pub const fn cents(self) -> u64 {
        self.0.div_ceil(DOLLAR / 100)
    }
}

/// Dollars with four decimals, rounded up: `$0.0123`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 > 0 && self.0 < DOLLAR / 10_000 {
            // What is so little is shown to its last digit: rounded it would be another amount.
            let digits = format!("{:012}", self.0);
            return write!(f, "$0.{}", digits.trim_end_matches('0'));
        }
        let parts = self.0.div_ceil(DOLLAR / 10_000);
        write!(f, "${}.{:04}", parts / 10_000, parts % 10_000)
    }
}

impl Serialize for Money {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        let wrong = || serde::de::Error::custom("money is a string of digits: whole picodollars, at most 2^64 - 1");
        // `parse` would also take a sign.
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(wrong());
        }
        text.parse().map(Self).map_err(|_| wrong())
    }
}

/// Tokens by kind, with the members that the `usage` of a Managed Agents session has. What is missing is 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tokens {
    /// Read by the model, neither from nor into its cache.
    pub input_tokens: u64,
    /// Written by the model.
    pub output_tokens: u64,
    /// Read from its cache.
    pub cache_read_input_tokens: u64,
    /// Read into its cache.
    pub cache_creation: CacheCreation,
}

/// Tokens that were read into a model's cache, by how long they stay there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CacheCreation {
    /// For five minutes.
    pub ephemeral_5m_input_tokens: u64,
    /// For an hour.
    pub ephemeral_1h_input_tokens: u64,
}

impl Tokens {
    /// The sum, each kind for itself.
    #[must_use]
    pub const fn plus(self, more: Self) -> Self {
        let (cache, more_cache) = (self.cache_creation, more.cache_creation);
        Self {
            input_tokens: self.input_tokens.saturating_add(more.input_tokens),
            output_tokens: self.output_tokens.saturating_add(more.output_tokens),
            cache_read_input_tokens: self.cache_read_input_tokens.saturating_add(more.cache_read_input_tokens),
            cache_creation: CacheCreation {
                ephemeral_5m_input_tokens: cache
                    .ephemeral_5m_input_tokens
                    .saturating_add(more_cache.ephemeral_5m_input_tokens),
                ephemeral_1h_input_tokens: cache
                    .ephemeral_1h_input_tokens
                    .saturating_add(more_cache.ephemeral_1h_input_tokens),
            },
        }
    }

    /// All of them together.
    #[must_use]
    pub const fn total(self) -> u64 {
        self.input_tokens
            .saturating_add(self.output_tokens)
            .saturating_add(self.cache_read_input_tokens)
            .saturating_add(self.cache_creation.ephemeral_5m_input_tokens)
            .saturating_add(self.cache_creation.ephemeral_1h_input_tokens)
    }
}
