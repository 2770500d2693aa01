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
            let runs = [run];
            let options = PlotOptions { threshold, beside: plot::evaluations(&runs), ..PlotOptions::default() };
            Ok(plot::reward_curve(&runs, &options, own_folder::file(folder, "reward.png")?)?)
        }
        // No mean return was ever known: there is nothing to draw.
        Err(PlotError::NoValues { .. }) => Ok(()),
        Err(problem) => Err(problem.into()),
    }
}

#[cfg(not(feature = "pictures"))]
pub(super) fn draw(_folder: &Path, _threshold: Option<f64>) -> Result<()> {
    Ok(())
}
