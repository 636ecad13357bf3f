//! The headers that columns are given in published tables.

mod model;
pub(super) mod recompute;
mod software;
mod speed;

use super::column::Column;

/// What a column holds: its canonical name, then other spellings, all as
/// [`super::column::normalised`].
pub(super) type Spelling = (Column, &'static str, &'static [&'static str]);

/// All of them.
pub(super) fn all() -> impl Iterator<Item = &'static Spelling> {
    model::MODEL
        .iter()
        .chain(software::SOFTWARE)
        .chain(speed::SPEED)
}
