//! Values of a job file, each with the place it stands in.

use std::ops::Range;

use super::keys::ModelKey;
use super::settings::{ModelChoice, SetAt, Sourced};
use crate::diagnostic::{Diagnostic, Origin};
use crate::preset::{At, Spelled, Whole};

/// Gives values of the file their place.
pub(super) struct Reader<'a> {
    pub(super) origin: &'a Origin,
}

impl Reader<'_> {
    pub(super) fn at<T>(&self, span: &Range<usize>, value: T) -> Sourced<T> {
        Sourced {
            value,
            place: SetAt::File {
                origin: self.origin.clone(),
                span: span.clone(),
            },
        }
    }

    pub(super) fn set<T: Clone>(&self, at: Option<&At<T>>) -> Option<Sourced<T>> {
        at.map(|at| self.at(&at.span, at.value.clone()))
    }

    pub(super) fn spelled<T: Clone>(&self, at: Option<&At<Spelled<T>>>) -> Option<Sourced<T>> {
        at.map(|at| self.at(&at.span, at.value.0.clone()))
    }

    pub(super) fn whole(&self, at: Option<&At<Whole>>) -> Option<Sourced<u64>> {
        at.map(|at| self.at(&at.span, at.value.0))
    }

    /// The model named or described.
    pub(super) fn model(&self, at: &At<ModelKey>) -> Result<Sourced<ModelChoice>, Diagnostic> {
        let choice = match &at.value {
            ModelKey::Named(name) => ModelChoice::Named(name.clone()),
            ModelKey::Inline(table) => {
                let name = At {
                    value: "custom".to_owned(),
                    span: at.span.clone(),
                };
                ModelChoice::Inline(Box::new(table.build(&name, self.origin)?))
            }
        };
        Ok(self.at(&at.span, choice))
    }

    pub(super) fn all(&self, names: &[At<String>]) -> Vec<Sourced<String>> {
        names
            .iter()
            .map(|name| self.at(&name.span, name.value.clone()))
            .collect()
    }
}
