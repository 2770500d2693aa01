//! The picture of a search.

use std::path::Path;

use super::found::Found;
use super::home;
use super::space::{Space, text_of};
use super::trial::{State, Trial};
use crate::plot::{Mark, PictureOptions, PlotError, SearchAxis, SearchPoint, search};
use crate::{Error, Result, own_folder};

/// Draws it; where there is no room for it, or nothing to draw, there is none.
pub(super) fn draw(found: &Found, folder: &Path) -> Result<()> {
    let (env, algo) = found.search.what()?;
    let seeds = usize::try_from(found.search.seeds.count()).unwrap_or(usize::MAX);
    let protocol = format!("mean {} of each trial", found.search.objective.name());
    let options = PictureOptions::new(format!("{env} with {algo}"), seeds, protocol);
    let axes = found.search.ranges.iter().map(|(name, space)| axis(name, space)).collect::<Vec<_>>();
    let points: Vec<SearchPoint> = found.trials.iter().map(|trial| point(trial, found)).collect();
    let paths = home::PICTURES.map(|name| own_folder::file(folder, name));
    let picture = match search(&axes, &points, found.search.objective.name(), &options).map_err(Error::from) {
        Ok(picture) => picture,
        Err(error) => {
            return match error.cause() {
                Some(PlotError::Picture { .. } | PlotError::Size { .. }) => Ok(()),
                _ => Err(error),
            };
        }
    };
    paths.into_iter().try_for_each(|path| Ok(picture.save(path?)?))
}

fn axis(name: &str, space: &Space) -> SearchAxis {
    match space {
        Space::Real { log, .. } | Space::Whole { log, .. } => SearchAxis::Numbers { name: name.into(), log: *log },
        Space::Choices(choices) => {
            SearchAxis::Choices { name: name.into(), choices: choices.iter().map(text_of).collect() }
        }
    }
}

fn point(trial: &Trial, found: &Found) -> SearchPoint {
    let place = |(value, (_, space)): (&toml::Value, &(String, Space))| match space {
        Space::Choices(choices) => choices.iter().position(|choice| choice == value).unwrap_or_default() as f64,
        _ => value.as_float().or(value.as_integer().map(|x| x as f64)).unwrap_or_default(),
    };
    SearchPoint {
        values: trial.values.iter().zip(&found.search.ranges).map(place).collect(),
        score: trial.score,
        mark: match trial.state {
            State::Complete => Mark::Complete,
            State::Pruned => Mark::Pruned,
            State::Diverged => Mark::Diverged,
        },
        is_best: found.best().is_some_and(|best| best.number == trial.number),
    }
}
