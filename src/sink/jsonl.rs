//! `metrics.jsonl`: an object a line, with the names of the columns of `metrics.csv`.

use std::io;

use serde::Serializer;
use serde::ser::SerializeMap;

use super::to_file::ToFile;
use super::{Make, Row};
use crate::metrics::Metrics;

pub(super) const ROW: Row = Row {
    name: "jsonl",
    summary: "a JSON object a line, with the names of the columns of metrics.csv; a number that does not exist is null",
    params: &[],
    make: Make { file: "metrics.jsonl", open: |_, path| ToFile::of_updates(path, write) },
};

/// Writes a line. JSON has neither NaN nor infinities: they become null.
fn write(rows: &mut Vec<u8>, metrics: &Metrics, _: bool) -> io::Result<()> {
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
