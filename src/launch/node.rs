//! Configuration files as values: whatever goes into one is written by a serialiser, which is the
//! only place that quotes.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::LaunchError;

/// A value of a configuration file; maps keep the order they are written in.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub(super) enum Node {
    Bool(bool),
    Count(u64),
    Real(f64),
    Text(String),
    List(Vec<Node>),
    Map(Map),
}

/// Keys and values, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Map(Vec<(String, Node)>);

impl Map {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// This map with one more key.
    pub(super) fn with(mut self, key: impl Into<String>, value: impl Into<Node>) -> Self {
        self.0.push((key.into(), value.into()));
        self
    }

    /// This map with one more key, if there is a value for it.
    pub(super) fn with_some(self, key: &str, value: Option<impl Into<Node>>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// This map, unless there is nothing in it.
    pub(super) fn filled(self) -> Option<Self> {
        (!self.is_empty()).then_some(self)
    }

    /// YAML that 1.1 and 1.2 parsers read alike.
    pub(super) fn yaml(&self) -> Result<String, LaunchError> {
        let options = serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX };
        serde_saphyr::to_string_with_options(self, options)
            .map_err(|error| LaunchError::Unwritable(error.to_string()))
    }

    /// Indented JSON.
    pub(super) fn json(&self) -> Result<String, LaunchError> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| LaunchError::Unwritable(error.to_string()))?;
        Ok(text + "\n")
    }
}

impl Serialize for Map {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl From<bool> for Node {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<u64> for Node {
    fn from(value: u64) -> Self {
        Self::Count(value)
    }
}

impl From<f64> for Node {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl From<&str> for Node {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Node {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<Map> for Node {
    fn from(value: Map) -> Self {
        Self::Map(value)
    }
}

impl<T: Into<Node>> From<Vec<T>> for Node {
    fn from(values: Vec<T>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}
