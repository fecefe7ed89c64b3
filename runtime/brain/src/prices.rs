//! Money and prices as people write them: decimals, read exactly.

use crate::runs::{Price, Prices};
use handbox_session::fold::Money;
use serde::de::{Deserialize, Deserializer, Visitor};
use std::collections::BTreeMap;
use std::fmt;

/// Decimals of a dollar that are a picodollar.
const DOLLAR_DECIMALS: u32 = 12;
/// Decimals of a dollar that are a picodollar for each of a million tokens.
const MILLION_DECIMALS: u32 = 6;
/// The most characters of a wrong amount that an error repeats.
const SHOWN_CHARS_MAX: usize = 40;
/// The members of a price.
const MEMBERS: [&str; 5] = ["input", "output", "cache_read", "cache_write_5m", "cache_write_1h"];

/// A text is no amount of money.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// It is no decimal.
    #[error("{0:?} is no amount in dollars, such as 0.50")]
    None(String),
    /// It is between two amounts.
    #[error("{0:?} has more decimals than the {1} that are kept")]
    TooFine(String, u32),
    /// It is beyond all amounts.
    #[error("{0:?} is more than can be counted")]
    TooMuch(String),
}

/// An amount in dollars, with at most 12 decimals.
///
/// # Errors
///
/// [`AmountError`]; nothing is rounded.
pub fn dollars(text: &str) -> Result<Money, AmountError> {
    decimal(text, DOLLAR_DECIMALS)
}

/// What a token costs, from an amount in dollars for a million of them, with at most 6 decimals.
///
/// # Errors
///
/// [`AmountError`]; nothing is rounded.
pub fn dollars_per_million(text: &str) -> Result<Money, AmountError> {
    decimal(text, MILLION_DECIMALS)
}

fn decimal(text: &str, decimals: u32) -> Result<Money, AmountError> {
    let shown = || text.chars().take(SHOWN_CHARS_MAX).collect::<String>();
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(part) {
        return Err(AmountError::None(shown()));
    }
    let part = part.trim_end_matches('0');
    let missing = (decimals as usize).checked_sub(part.len()).ok_or_else(|| AmountError::TooFine(shown(), decimals))?;
    let digits = format!("{whole}{part}{}", "0".repeat(missing));
    digits.parse().map(Money::from_picodollars).map_err(|_| AmountError::TooMuch(shown()))
}

impl Price {
    /// What tokens cost, where nothing is said of a cache: reading from it costs as much as reading, and reading into it
    /// twice that, which no provider asks more than.
    #[must_use]
    pub fn without_cache(input: Money, output: Money) -> Self {
        let written = input.plus(input);
        Self { input, output, cache_read: input, cache_write_5m: written, cache_write_1h: written }
    }
}

/// A table of prices as an operator writes it, in dollars for a million tokens; `*` is any model that has none.
///
/// ```toml
/// [claude-sonnet-4-5]
/// input = "3.00"
/// output = "15.00"
/// cache_read = "0.30"       # without it, as `input`
/// cache_write_5m = "3.75"   # without it, twice that
/// cache_write_1h = "6.00"
/// ```
///
/// Amounts are text, since a number would be read as the nearest float.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PriceTable(pub Prices);

impl<'de> Deserialize<'de> for PriceTable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let table = BTreeMap::<String, BTreeMap<String, Amount>>::deserialize(deserializer)?;
        let mut prices = BTreeMap::new();
        for (model, members) in table {
            let price = price(&members)
                .map_err(|what| serde::de::Error::custom(format!("the price of the model `{model}`: {what}")))?;
            prices.insert(model, price);
        }
        Ok(Self(Prices(prices)))
    }
}

fn price(members: &BTreeMap<String, Amount>) -> Result<Price, String> {
    if let Some(unknown) = members.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
        return Err(format!("`{unknown}` is nothing that has a price; there are {}", MEMBERS.join(", ")));
    }
    let read = |name: &str| match members.get(name) {
        None => Ok(None),
        Some(Amount::Text(text)) => dollars_per_million(text)
            .map(Some)
            .map_err(|error| format!("`{name}`: {error}; it is for a million tokens")),
        Some(Amount::Number(number)) => Err(format!("`{name}` is a number; write it as text: \"{number}\"")),
    };
    let needed = |name| read(name)?.ok_or_else(|| format!("`{name}` is missing"));
    let usual = Price::without_cache(needed("input")?, needed("output")?);
    Ok(Price {
        cache_read: read("cache_read")?.unwrap_or(usual.cache_read),
        cache_write_5m: read("cache_write_5m")?.unwrap_or(usual.cache_write_5m),
        cache_write_1h: read("cache_write_1h")?.unwrap_or(usual.cache_write_1h),
        ..usual
    })
}

/// An amount, or what was written instead of one.
enum Amount {
    Text(String),
    Number(String),
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Amount;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("dollars for a million tokens as text, such as \"3.00\"")
            }

            fn visit_str<E>(self, text: &str) -> Result<Amount, E> {
                Ok(Amount::Text(text.to_owned()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Amount, E> {
                Ok(Amount::Number(number.to_string()))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Amount, E> {
                Ok(Amount::Number(number.to_string()))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Amount, E> {
                Ok(Amount::Number(number.to_string()))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_or_none() {
        for (text, picodollars) in [
            ("0", 0),
            ("3", 3_000_000_000_000),
            ("0.50", 500_000_000_000),
            ("0.000000000001", 1),
            ("0.1234567891230000", 123_456_789_123),
            // What the nearest float is not.
            ("4503.599627370497", 4_503_599_627_370_497),
            ("18446744.073709551615", u64::MAX),
        ] {
            assert_eq!(dollars(text).map(Money::picodollars), Ok(picodollars), "{text}");
        }
        for none in [
            "", ".", ".5", "5.", "-1", "+1", "1e3", "1,5", "$1", " 1", "1 ", "1_0", "NaN", "inf", "0x1", "1.2.3",
            "\u{661}",
        ] {
            assert!(matches!(dollars(none), Err(AmountError::None(_))), "{none:?}");
        }
        assert!(matches!(dollars("0.0000000000001"), Err(AmountError::TooFine(_, 12))));
        assert!(matches!(dollars_per_million("0.0000001"), Err(AmountError::TooFine(_, 6))));
        assert!(matches!(dollars("18446744.073709551616"), Err(AmountError::TooMuch(_))));
        assert!(dollars(&"9".repeat(100_000)).unwrap_err().to_string().len() < 100);
    }

    #[test]
    fn a_table_is_read_from_toml_and_json_alike() {
        let text = r#"
            ["*"]
            input = "1"
            output = "5.000000"
            [claude-sonnet-4-5]
            input = "3.00"
            output = "15.00"
            cache_read = "0.30"
            cache_write_5m = "3.75"
            cache_write_1h = "6"
        "#;
        let PriceTable(prices) = toml::from_str(text).unwrap();
        let picodollars = |price: Price| {
            [price.input, price.output, price.cache_read, price.cache_write_5m, price.cache_write_1h]
                .map(Money::picodollars)
        };
        assert_eq!(picodollars(prices.of("claude-sonnet-4-5")), [3_000_000, 15_000_000, 300_000, 3_750_000, 6_000_000]);
        assert_eq!(picodollars(prices.of("another")), [1_000_000, 5_000_000, 1_000_000, 2_000_000, 2_000_000]);
        let json = serde_json::to_value(toml::from_str::<toml::Value>(text).unwrap()).unwrap();
        assert_eq!(serde_json::from_value::<PriceTable>(json).unwrap().0, prices);
        assert_eq!(toml::from_str::<PriceTable>("").unwrap(), PriceTable::default());
    }

    #[test]
    fn what_is_wrong_is_said_with_model_and_member() {
        for (members, said) in [
            (r#"input = "3""#, "`m`: `output` is missing"),
            (r#"input = 3.5"#, r#"`input` is a number; write it as text: "3.5""#),
            (r#"input = 3"#, r#"write it as text: "3""#),
            (r#"input = "3,00""#, r#"`m`: `input`: "3,00" is no amount in dollars, such as 0.50; it is for a million"#),
            (r#"input = "0.0000001""#, "more decimals than the 6"),
            (r#"inputs = "3""#, "`inputs` is nothing that has a price; there are input, output, cache_read"),
            (r#"input = true"#, "expected dollars for a million tokens as text"),
        ] {
            let error = toml::from_str::<PriceTable>(&format!("[m]\n{members}")).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
