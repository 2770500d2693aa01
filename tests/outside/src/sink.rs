//! The returns alone, a line an update.

use std::fs;
use std::path::PathBuf;

use uphill::sink::{Make, Row};
use uphill::words::Param;
use uphill::{Error, Metrics, Result, Sink};

pub const ROW: Row = Row {
    name: "returns",
    summary: "the mean return after each update",
    params: &[Param::count("digits", (0, 9), "3", "digits after the point")],
    make: Make {
        file: "returns.txt",
        open: |args, path| {
            let lines = fs::read_to_string(path).unwrap_or_default().lines().map(Into::into).collect();
            Ok(Box::new(Returns { path: path.into(), digits: args.count("digits")?, lines }))
        },
    },
};

struct Returns {
    path: PathBuf,
    digits: usize,
    lines: Vec<String>,
}

impl Sink for Returns {
    fn row(&mut self, metrics: &Metrics) -> Result<()> {
        let digits = self.digits;
        self.lines.push(metrics.episode_return_mean.map_or_else(|| "-".into(), |mean| format!("{mean:.digits$}")));
        Ok(())
    }

    fn sync(&mut self) -> Result<String> {
        fs::write(&self.path, self.lines.join("\n") + "\n").map_err(Error::part)?;
        Ok(self.lines.len().to_string())
    }

    fn resume(&mut self, mark: Option<&str>) -> Result<()> {
        self.lines.truncate(mark.and_then(|mark| mark.parse().ok()).unwrap_or(0));
        Ok(())
    }
}
