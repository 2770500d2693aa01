//! `reward.png`: the reward curve of a run that has ended, with its evaluations. Without the feature `pictures` there is none.

use std::path::Path;

use crate::Result;
use crate::metrics::History;

/// Whether a run that has ended has a picture.
pub(super) fn is_due(history: &History) -> bool {
    cfg!(feature = "pictures") && history.episodes() > 0
}

/// Draws what the folder's `metrics.csv` and `evaluations.csv` hold.
#[cfg(feature = "pictures")]
pub(super) fn draw(folder: &Path, threshold: Option<f64>) -> Result<()> {
    use crate::own_folder;
    use crate::plot::{self, PlotError, PlotOptions};

    match plot::RecordedRun::read(folder) {
        Ok(run) => {
            let options = PlotOptions { threshold, beside: evaluations(folder), ..PlotOptions::default() };
            Ok(plot::reward_curve(&[run], &options, own_folder::file(folder, "reward.png")?)?)
        }
        // No mean return was ever known: there is nothing to draw.
        Err(PlotError::NoValues { .. }) => Ok(()),
        Err(problem) => Err(problem.into()),
    }
}

/// The mean returns of the evaluations, with a standard deviation of their episodes to either side; none where no mean is known
/// or someone made the file unreadable.
#[cfg(feature = "pictures")]
fn evaluations(folder: &Path) -> Option<crate::plot::Series> {
    use crate::plot::Series;
    use crate::sink::EVALUATIONS;
    use crate::stats::Interval;

    #[derive(serde::Deserialize)]
    struct Row {
        env_steps: u64,
        episodes: u64,
        return_mean: Option<f64>,
        return_std: Option<f64>,
    }

    let rows = csv::Reader::from_path(folder.join(EVALUATIONS.make.file)).ok()?;
    let rows: Vec<Row> = rows.into_deserialize().collect::<Result<_, _>>().ok()?;
    let label = format!("evaluation, mean ± s.d. of {}", uphill_envs::counted(rows.first()?.episodes, "episode"));
    let point = |row: Row| {
        let (point, std) = (row.return_mean?, row.return_std?);
        Some((row.env_steps as f64, Interval { point, low: point - std, high: point + std }))
    };
    Some(Series { label, points: rows.into_iter().filter_map(point).collect() })
        .filter(|series| !series.points.is_empty())
}

#[cfg(not(feature = "pictures"))]
pub(super) fn draw(_folder: &Path, _threshold: Option<f64>) -> Result<()> {
    Ok(())
}
