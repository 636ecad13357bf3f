//! CSV, for spreadsheets: every field a column.

use csv::Writer;

use super::{Answer, Report, ReportError};

/// Comma-separated values with a header.
#[derive(Debug, Clone, Copy, Default)]
pub struct Csv;

impl Report for Csv {
    fn tells_all(&self) -> bool {
        false
    }

    fn render(&self, answer: &dyn Answer) -> Result<String, ReportError> {
        let records = answer.records();
        let mut writer = Writer::from_writer(Vec::new());
        writer.write_record(&records.header)?;
        for row in &records.rows {
            writer.write_record(row)?;
        }
        let bytes = writer
            .into_inner()
            .map_err(|error| csv::Error::from(error.into_error()))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}
