//! Values of the TOML files as people write them, each with the place it stands at.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Unexpected, Visitor};
use toml::Spanned;

use crate::calendar::PriceDate;
use crate::calendar::{Span, TimeOfDay};
use crate::quantity::{Tokens, UsdPerGpuHour};

/// A value and the bytes of the file that hold it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) span: Range<usize>,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<T>::deserialize(deserializer)?;
        let span = spanned.span();
        Ok(Self {
            value: spanned.into_inner(),
            span,
        })
    }
}

impl<T: JsonSchema> JsonSchema for At<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }
    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// A whole number, at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Whole(pub(crate) u64);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WholeVisitor;
        impl Visitor<'_> for WholeVisitor {
            type Value = Whole;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number, at least 1")
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Whole, E> {
                match value {
                    0 => Err(E::invalid_value(Unexpected::Unsigned(0), &self)),
                    value => Ok(Whole(value)),
                }
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Whole, E> {
                match u64::try_from(value) {
                    Ok(value) => self.visit_u64(value),
                    Err(_) => Err(E::invalid_value(Unexpected::Signed(value), &self)),
                }
            }
        }
        deserializer.deserialize_any(WholeVisitor)
    }
}

impl JsonSchema for Whole {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Whole".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "integer", "minimum": 1})
    }
}

/// A finite number greater than zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Positive(pub(crate) f64);

/// Larger than any figure of a datasheet in the units of these files.
const MAX_POSITIVE: f64 = 1e9;

impl<'de> Deserialize<'de> for Positive {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PositiveVisitor;
        impl Visitor<'_> for PositiveVisitor {
            type Value = Positive;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number greater than 0 and at most 1e9")
            }
            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Positive, E> {
                // Below the smallest normal number a quotient could become infinite.
                if (1e-9..=MAX_POSITIVE).contains(&value) {
                    Ok(Positive(value))
                } else {
                    Err(E::invalid_value(Unexpected::Float(value), &self))
                }
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Positive, E> {
                self.visit_f64(value as f64)
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Positive, E> {
                self.visit_f64(value as f64)
            }
        }
        deserializer.deserialize_any(PositiveVisitor)
    }
}

/// A share of a whole, from 0 to 0.99.
#[derive(Debug, Clone, Copy, PartialEq, serde::Deserialize, JsonSchema)]
#[serde(try_from = "f64")]
pub(crate) struct Share(#[schemars(range(min = 0.0, max = 0.99))] pub(crate) f64);

impl TryFrom<f64> for Share {
    type Error = String;

    fn try_from(value: f64) -> Result<Self, Self::Error> {
        if (0.0..=0.99).contains(&value) {
            Ok(Self(value))
        } else {
            Err(format!("{value} is not a share from 0 to 0.99"))
        }
    }
}

/// A share of a whole that is some of it: above 0, up to all of it.
#[derive(Debug, Clone, Copy, PartialEq, serde::Deserialize, JsonSchema)]
#[serde(try_from = "f64")]
pub(crate) struct Portion(
    #[schemars(extend("exclusiveMinimum" = 0), range(max = 1.0))] pub(crate) f64,
);

impl TryFrom<f64> for Portion {
    type Error = String;

    fn try_from(value: f64) -> Result<Self, Self::Error> {
        if value > 0.0 && value <= 1.0 {
            Ok(Self(value))
        } else {
            Err(format!("{value} is not a share above 0 and up to 1"))
        }
    }
}

impl JsonSchema for Positive {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Positive".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "number", "exclusiveMinimum": 0, "maximum": MAX_POSITIVE})
    }
}

/// A type with a spelling for flags that the file may also write as a TOML number, boolean or
/// array of numbers.
pub(crate) trait Written: FromStr<Err: fmt::Display> {
    /// What is expected, with an example: the end of the sentence `expected …`.
    const EXPECTED: &'static str;
    /// JSON types that the file may use, beside a string.
    const TYPES: &'static [&'static str];
}

impl Written for Tokens {
    const EXPECTED: &'static str = "a number of tokens such as \"134B\", \"2Mi\" or 524288";
    const TYPES: &'static [&'static str] = &["string", "integer"];
}

impl Written for Span {
    const EXPECTED: &'static str = "a length of time such as \"14d\", \"36h\" or \"2w\"";
    const TYPES: &'static [&'static str] = &["string"];
}

impl Written for TimeOfDay {
    const EXPECTED: &'static str = "a time of day in UTC such as \"11:30\"";
    const TYPES: &'static [&'static str] = &["string"];
}

impl Written for UsdPerGpuHour {
    const EXPECTED: &'static str = Self::EXPECTED;
    const TYPES: &'static [&'static str] = &["number", "string"];
}

/// The date of a price as it is shown: a day, a month, or `unknown`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PricedOn(pub(crate) String);

impl FromStr for PricedOn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text != "unknown" {
            text.parse::<PriceDate>()
                .map_err(|error| format!("{error}, or \"unknown\""))?;
        }
        Ok(Self(text.to_owned()))
    }
}

impl Written for PricedOn {
    const EXPECTED: &'static str =
        "the date of a price such as \"2026-01-21\" or \"2026-01\", or \"unknown\"";
    const TYPES: &'static [&'static str] = &["string"];
}

/// A [`Written`] value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spelled<T>(pub(crate) T);

impl<'de, T: Written> Deserialize<'de> for Spelled<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SpelledVisitor(PhantomData))
    }
}

struct SpelledVisitor<T>(PhantomData<T>);

impl<T: Written> SpelledVisitor<T> {
    fn accepts(json_type: &str) -> bool {
        T::TYPES.contains(&json_type)
    }
}

impl<'de, T: Written> Visitor<'de> for SpelledVisitor<T> {
    type Value = Spelled<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        text.parse().map(Spelled).map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Self::Value, E> {
        if Self::accepts("integer") || Self::accepts("number") {
            self.visit_str(&value.to_string())
        } else {
            Err(E::invalid_type(Unexpected::Signed(value), &self))
        }
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Self::Value, E> {
        if Self::accepts("integer") || Self::accepts("number") {
            self.visit_str(&value.to_string())
        } else {
            Err(E::invalid_type(Unexpected::Unsigned(value), &self))
        }
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Self::Value, E> {
        // `134e9` is a float to TOML and a count to people.
        let whole = value.is_finite() && value.fract() == 0.0;
        if Self::accepts("number") || (Self::accepts("integer") && whole) {
            self.visit_str(&value.to_string())
        } else {
            Err(E::invalid_type(Unexpected::Float(value), &self))
        }
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Self::Value, E> {
        if Self::accepts("boolean") {
            self.visit_str(if value { "on" } else { "off" })
        } else {
            Err(E::invalid_type(Unexpected::Bool(value), &self))
        }
    }

    /// A date without quotes, which TOML hands over as a map.
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let date = toml::value::Datetime::deserialize(MapAccessDeserializer::new(map))
            .map_err(|_| de::Error::invalid_type(Unexpected::Map, &self))?;
        self.visit_str(&date.to_string())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
        if !Self::accepts("array") {
            return Err(de::Error::invalid_type(Unexpected::Seq, &self));
        }
        let mut values = Vec::new();
        while let Some(Whole(value)) = sequence.next_element()? {
            values.push(value.to_string());
        }
        if values.is_empty() {
            return Err(de::Error::invalid_length(0, &self));
        }
        self.visit_str(&values.join(","))
    }
}

impl<T: Written> JsonSchema for Spelled<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Spelled".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // Every value can be written as flags spell it.
        let written = ["string"].iter().filter(|text| !T::TYPES.contains(text));
        let types: Vec<&str> = T::TYPES.iter().chain(written).copied().collect();
        let mut schema = json_schema!({"type": types, "description": T::EXPECTED});
        if T::TYPES.contains(&"array") {
            let items = serde_json::json!({"type": "integer", "minimum": 1});
            schema.insert("items".into(), items);
        }
        schema
    }
}

/// A table of named things, in the order of the file.
#[derive(Debug, Clone)]
pub(crate) struct Entries<T>(pub(crate) Vec<(At<String>, T)>);

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for EntriesVisitor<T> {
            type Value = Entries<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of named tables")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries: Vec<(At<String>, T)> = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                entries.sort_by_key(|(name, _)| name.span.start);
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(EntriesVisitor(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for Entries<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("Entries_of_{}", T::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let values = generator.subschema_for::<T>();
        json_schema!({"type": "object", "additionalProperties": values})
    }
}
