//! What is wrong with a picture, found before the work that it shows.

use crate::plot::{DescentOptions, DescentPanel, DescentPath, Goal, Landscape, descent};
use crate::{Error, Result};

/// Lays out panels of paths over a surface, with nothing on it yet.
pub(super) fn rehearse(labels: &[String], panels: usize, options: &DescentOptions) -> Result<()> {
    let plane = Landscape::sample((0.0, 1.0), (0.0, 1.0), (2, 2), Goal::Lowest, |x, _| Ok::<f64, Error>(x))?;
    let path = |label: &String| DescentPath { label: label.clone(), points: vec![(0.0, 0.0)], values: vec![0.0] };
    let panel = || DescentPanel { title: String::new(), paths: labels.iter().map(path).collect() };
    let panels: Vec<DescentPanel> = std::iter::repeat_with(panel).take(panels).collect();
    descent(&plane, &panels, options)?;
    Ok(())
}
