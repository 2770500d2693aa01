//! `metrics.jsonl`: an object a line, with the names of the columns of `metrics.csv`.

use std::io;

use serde::Serializer;
use serde::ser::SerializeMap;

use super::rows_file::RowsFile;
use super::{Make, Row, Sink};
use crate::Result;
use crate::metrics::Metrics;

pub(super) const ROW: Row = Row {
    name: "jsonl",
    summary: "a JSON object a line, with the names of the columns of metrics.csv; a number that does not exist is null",
    params: &[],
    make: Make { file: "metrics.jsonl", open: |_, path| Ok(Box::new(Jsonl(RowsFile::open(path)?))) },
};

/// An open `metrics.jsonl`.
struct Jsonl(RowsFile);

impl Sink for Jsonl {
    fn row(&mut self, metrics: &Metrics) -> Result<()> {
        self.0.append(|rows| write(rows, metrics))
    }

    fn sync(&mut self) -> Result<String> {
        Ok(self.0.sync()?.to_string())
    }

    fn resume(&mut self, mark: Option<&str>) -> Result<()> {
        self.0.keep_marked(mark)
    }

    fn take_notes(&mut self) -> Vec<String> {
        self.0.take_notes()
    }
}

/// Writes a line. JSON has neither NaN nor infinities: they become null.
fn write(rows: &mut Vec<u8>, metrics: &Metrics) -> io::Result<()> {
    let known = serde_json::to_value(metrics)?;
    let mut line = serde_json::Serializer::new(&mut *rows);
    let mut object = line.serialize_map(None)?;
    for name in Metrics::COLUMNS {
        object.serialize_entry(name, &known[name])?;
    }
    for (name, value) in &metrics.others {
        object.serialize_entry(name, value)?;
    }
    object.serialize_entry(Metrics::CLOCK, &metrics.steps_per_second)?;
    SerializeMap::end(object)?;
    rows.push(b'\n');
    Ok(())
}
