//! Named things of one kind, in the order they were added, found by any of their spellings.

use super::name::normalised;
use crate::diagnostic::{Diagnostic, did_you_mean};

/// What has a canonical name.
pub(super) trait Named {
    fn name(&self) -> &str;
}

impl Named for crate::model::Model {
    fn name(&self) -> &str {
        &self.name
    }
}
impl Named for crate::hardware::Gpu {
    fn name(&self) -> &str {
        &self.name
    }
}
impl Named for crate::hardware::Cluster {
    fn name(&self) -> &str {
        &self.name
    }
}
impl Named for crate::product::Product {
    fn name(&self) -> &str {
        &self.name
    }
}
impl Named for crate::stack::Stack {
    fn name(&self) -> &str {
        &self.name
    }
}

#[derive(Debug, Clone)]
struct Item<T> {
    key: String,
    aliases: Vec<String>,
    value: T,
}

/// The things of one kind.
#[derive(Debug, Clone)]
pub(super) struct Shelf<T> {
    /// `model`, `GPU`, …
    what: &'static str,
    /// How `tminus presets` calls the kind.
    kind: &'static str,
    items: Vec<Item<T>>,
}

impl<T: Named> Shelf<T> {
    pub(super) fn new(what: &'static str, kind: &'static str) -> Self {
        Self {
            what,
            kind,
            items: Vec::new(),
        }
    }

    /// Adds a thing, in the place of one of the same name if there is one, whose aliases find it too:
    /// they are other names of what is now described otherwise.
    pub(super) fn put(&mut self, value: T, aliases: &[String]) {
        let mut item = Item {
            key: normalised(value.name()),
            aliases: aliases.iter().map(|alias| normalised(alias)).collect(),
            value,
        };
        match self.items.iter_mut().find(|old| old.key == item.key) {
            Some(old) => {
                item.aliases.append(&mut old.aliases);
                *old = item;
            }
            None => self.items.push(item),
        }
    }

    /// The thing of that name, or else the last added of that alias.
    pub(super) fn get(&self, name: &str) -> Option<&T> {
        self.position(name)
            .and_then(|index| self.items.get(index))
            .map(|item| &item.value)
    }

    pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut T> {
        self.position(name)
            .and_then(|index| self.items.get_mut(index))
            .map(|item| &mut item.value)
    }

    fn position(&self, name: &str) -> Option<usize> {
        let key = normalised(name);
        let by_name = self.items.iter().position(|item| item.key == key);
        by_name.or_else(|| {
            self.items
                .iter()
                .rposition(|item| item.aliases.contains(&key))
        })
    }

    /// As [`Shelf::get`].
    ///
    /// # Errors
    /// An unknown name, with the nearest ones and how to see them all.
    pub(super) fn find(&self, name: &str) -> Result<&T, Diagnostic> {
        self.get(name).ok_or_else(|| {
            let diagnostic = Diagnostic::new(format!("unknown {} `{name}`", self.what));
            did_you_mean(name, self.iter().map(Named::name))
                .into_iter()
                .fold(diagnostic, Diagnostic::help)
                .help(format!("`tminus presets {}` lists all", self.kind))
        })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.items.iter().map(|item| &item.value)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.items.iter_mut().map(|item| &mut item.value)
    }
}
