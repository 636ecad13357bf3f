//! JSON, for programs.

use super::{Answer, Report, ReportError};

/// Indented JSON; `tminus schema` describes it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Json;

impl Report for Json {
    fn render(&self, answer: &dyn Answer) -> Result<String, ReportError> {
        let mut text = answer.json()?;
        text.push('\n');
        Ok(text)
    }
}
