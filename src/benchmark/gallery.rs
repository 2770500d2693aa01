//! The pictures of a comparison, as PNG and SVG.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::analysis::Analysis;
use super::cell::Stage;
use super::pictures::{self, Caption};
use super::report::markdown::plain;
use super::results::Results;
use crate::plot::{Picture, PlotError};
use crate::{Error, Result, own_folder, whole_file};

/// The folder of the pictures, in the folder of the comparison.
pub(super) const FOLDER: &str = "pictures";

/// All pictures that were made.
#[derive(Debug, Default)]
pub(super) struct Gallery {
    folder: PathBuf,
    names: BTreeSet<String>,
    exhibits: Vec<Exhibit>,
}

/// Where in the report a picture stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Scores(Stage),
    Profiles(Stage),
    Improvement(Stage),
    Cost(Stage),
    Curves(Stage),
    LearningRates,
}

#[derive(Debug)]
struct Exhibit {
    place: Place,
    /// What it shows, in words.
    alt: String,
    /// The file's name without its ending, or why there is none.
    name: Result<String, String>,
    /// What is to be said of its letters.
    note: Option<String>,
}

impl Gallery {
    /// Draws all pictures into the folder of a comparison.
    ///
    /// A picture for which there is no room (a hundred optimizers, say) is left out, and the report says why.
    pub(super) fn paint(results: &Results, analysis: &Analysis, folder: &Path) -> Result<Self> {
        let folder = folder.join(FOLDER);
        std::fs::create_dir_all(&folder).map_err(Error::io(&folder))?;
        clear(&folder)?;
        let mut gallery = Self { folder, ..Self::default() };
        let all = pictures::whole(&results.grid);
        for comparison in analysis.comparisons.iter().filter(|comparison| comparison.algo.is_none()) {
            let (stage, name) = (comparison.stage, comparison.stage.name());
            let caption = Caption { results, stage, what: &all };
            let picture = pictures::scores(comparison, &caption);
            gallery.hang(Place::Scores(stage), &format!("scores-{name}"), format!("Scores, {name}"), picture)?;
            let (stem, alt) = (format!("profiles-{name}"), format!("Performance profiles, {name}"));
            gallery.hang(Place::Profiles(stage), &stem, alt, pictures::profiles(comparison, &caption))?;
            if comparison.standings.len() > 1 {
                let (stem, alt) = (format!("improvement-{name}"), format!("Probability of improvement, {name}"));
                gallery.hang(Place::Improvement(stage), &stem, alt, pictures::improvement(comparison, &caption))?;
            }
            let (stem, alt) = (format!("cost-{name}"), format!("Quality against cost, {name}"));
            gallery.hang(Place::Cost(stage), &stem, alt, pictures::cost(comparison, &caption))?;
            for (task, algo) in results.grid.pairs() {
                let what = format!("{task} with {algo}");
                let picture = pictures::curves(task, algo, &Caption { what: &what, ..caption });
                let (stem, alt) = (format!("curves-{name}-{task}-{algo}"), format!("Learning curves, {name}, {what}"));
                gallery.hang(Place::Curves(stage), &stem, alt, picture)?;
            }
        }
        for rates in analysis.learning_rates.iter().filter(|rates| !rates.curves.is_empty()) {
            let (stem, what) = match &rates.pair {
                Some((task, algo)) => (format!("learning-rates-{task}-{algo}"), format!("{task} with {algo}")),
                None => ("learning-rates".to_string(), all.clone()),
            };
            let picture = pictures::learning_rates(rates, &Caption { results, stage: rates.stage, what: &what });
            gallery.hang(Place::LearningRates, &stem, format!("Sensitivity to the learning rate, {what}"), picture)?;
        }
        Ok(gallery)
    }

    /// The pictures of a place, as Markdown.
    pub(super) fn at(&self, place: Place) -> String {
        let shown = |exhibit: &Exhibit| match &exhibit.name {
            Ok(name) => {
                let note = exhibit.note.as_ref();
                let note = note.map(|note| format!("\n*{}: [as SVG]({FOLDER}/{name}.svg).*\n", plain(note)));
                format!("![{}]({FOLDER}/{name}.png)\n{}", plain(&exhibit.alt), note.unwrap_or_default())
            }
            Err(reason) => format!("*{}: not drawn, as {}.*\n", plain(&exhibit.alt), plain(reason)),
        };
        let own: Vec<String> = self.exhibits.iter().filter(|exhibit| exhibit.place == place).map(shown).collect();
        own.join("\n")
    }

    fn hang(&mut self, place: Place, stem: &str, alt: String, picture: Result<Picture>) -> Result<()> {
        let (name, note) = match picture {
            Ok(picture) => {
                let name = self.free(stem);
                for ending in ["png", "svg"] {
                    picture.save(own_folder::file(&self.folder, &format!("{name}.{ending}"))?)?;
                }
                let note = picture.note(format!("{name}.png"));
                (Ok(name), note)
            }
            Err(error) => match error.cause() {
                Some(PlotError::Picture { .. } | PlotError::Size { .. }) => (Err(error.to_string()), None),
                _ => return Err(error),
            },
        };
        self.exhibits.push(Exhibit { place, alt, name, note });
        Ok(())
    }

    /// A file name of plain characters that no other picture has.
    fn free(&mut self, stem: &str) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
        let stem: String = stem.chars().map(plain).collect();
        let numbered = (2..).map(|number| format!("{stem}-{number}"));
        let mut names = std::iter::once(stem.clone()).chain(numbered);
        let name = names.find(|name| !self.names.contains(name)).unwrap_or(stem);
        self.names.insert(name.clone());
        name
    }
}

/// What the names of pictures begin with.
const KINDS: [&str; 6] = ["scores-", "profiles-", "improvement-", "cost-", "curves-", "learning-rates"];

/// Removes the pictures of an earlier report, of a task that is no longer there, say, and what a kill left of them.
pub(super) fn clear(folder: &Path) -> Result<()> {
    whole_file::remove_leftovers(folder);
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    let ours = |name: &str| {
        let stem = name.strip_suffix(".png").or_else(|| name.strip_suffix(".svg"));
        stem.is_some_and(|stem| KINDS.iter().any(|kind| stem.starts_with(kind)))
    };
    for entry in entries.flatten() {
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_file && entry.file_name().to_str().is_some_and(ours) {
            std::fs::remove_file(entry.path()).map_err(Error::io(entry.path()))?;
        }
    }
    Ok(())
}
