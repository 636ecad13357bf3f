//! Keys of the job file that may be written in more than one way.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};

use super::Word;
use crate::preset::{At, ClusterTable, Entries, ModelTable};

/// `model = "gpt-7b"`, or a `[model]` table with a shape.
#[derive(Debug, Clone)]
pub(super) enum ModelKey {
    Named(String),
    Inline(Box<ModelTable>),
}

impl<'de> Deserialize<'de> for ModelKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ModelVisitor;
        impl<'de> Visitor<'de> for ModelVisitor {
            type Value = ModelKey;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a model's name such as \"gpt-7b\", or a table with its shape")
            }
            fn visit_str<E: de::Error>(self, name: &str) -> Result<ModelKey, E> {
                Ok(ModelKey::Named(name.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ModelKey, A::Error> {
                ModelTable::deserialize(MapAccessDeserializer::new(map))
                    .map(|table| ModelKey::Inline(Box::new(table)))
            }
        }
        deserializer.deserialize_any(ModelVisitor)
    }
}

impl JsonSchema for ModelKey {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "ModelKey".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<ModelTable>();
        json_schema!({"anyOf": [{"type": "string"}, table]})
    }
}

/// A name that schedulers take, or an array of such names: these are as one with commas between them.
#[derive(Debug, Clone)]
pub(super) struct WordOrWords(pub(super) Word);

impl<'de> Deserialize<'de> for WordOrWords {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordsVisitor;
        impl<'de> Visitor<'de> for WordsVisitor {
            type Value = WordOrWords;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name such as \"ana\", or an array of names")
            }
            fn visit_str<E: de::Error>(self, name: &str) -> Result<WordOrWords, E> {
                let word = Word::try_from(name.to_owned()).map_err(E::custom)?;
                Ok(WordOrWords(word))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<WordOrWords, A::Error> {
                let mut words: Vec<String> = Vec::new();
                while let Some(word) = names.next_element::<Word>()? {
                    words.push(word.as_str().to_owned());
                }
                if words.is_empty() {
                    return Err(de::Error::invalid_length(0, &"at least one name"));
                }
                self.visit_str(&words.join(","))
            }
        }
        deserializer.deserialize_any(WordsVisitor)
    }
}

impl JsonSchema for WordOrWords {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "WordOrWords".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let word = generator.subschema_for::<Word>();
        json_schema!({
            "anyOf": [word, {"type": "array", "items": word, "minItems": 1}],
        })
    }
}

/// One name or a list of them.
#[derive(Debug, Clone)]
pub(super) enum Names {
    One(String),
    Many(Vec<At<String>>),
}

impl Names {
    /// The names, each with its own place; `whole` is where the key's value stands.
    pub(super) fn each(&self, whole: &std::ops::Range<usize>) -> Vec<At<String>> {
        match self {
            Self::One(value) => vec![At {
                value: value.clone(),
                span: whole.clone(),
            }],
            Self::Many(names) => names.clone(),
        }
    }
}

/// Names, or the tables that `[clusters.<name>]` writes: the two share a key.
#[derive(Debug, Clone)]
pub(super) enum NamesOrTables {
    Names(Names),
    Tables(Entries<ClusterTable>),
}

struct NamesVisitor {
    tables: bool,
}

impl<'de> Visitor<'de> for NamesVisitor {
    type Value = NamesOrTables;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name or an array of names")?;
        if self.tables {
            f.write_str(", or tables `[clusters.<name>]`")?;
        }
        Ok(())
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<NamesOrTables, E> {
        Ok(NamesOrTables::Names(Names::One(name.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<NamesOrTables, A::Error> {
        let mut names = Vec::new();
        while let Some(name) = sequence.next_element()? {
            names.push(name);
        }
        if names.is_empty() {
            return Err(de::Error::invalid_length(0, &"at least one name"));
        }
        Ok(NamesOrTables::Names(Names::Many(names)))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<NamesOrTables, A::Error> {
        if !self.tables {
            return Err(de::Error::invalid_type(de::Unexpected::Map, &self));
        }
        Entries::deserialize(MapAccessDeserializer::new(map)).map(NamesOrTables::Tables)
    }
}

impl<'de> Deserialize<'de> for NamesOrTables {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NamesVisitor { tables: true })
    }
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_any(NamesVisitor { tables: false })? {
            NamesOrTables::Names(names) => Ok(names),
            NamesOrTables::Tables(_) => Err(de::Error::custom("expected names")),
        }
    }
}

impl JsonSchema for Names {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Names".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "array"],
            "items": {"type": "string"},
            "minItems": 1,
        })
    }
}

impl JsonSchema for NamesOrTables {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "NamesOrTables".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let names = Names::json_schema(generator);
        let tables = Entries::<ClusterTable>::json_schema(generator);
        json_schema!({"anyOf": [names, tables]})
    }
}
