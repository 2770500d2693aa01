//! A gallery with pictures.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::super::analysis::Analysis;
use super::super::pictures::{self, Caption};
use super::super::report::markdown::plain;
use super::super::results::Results;
use super::{FOLDER, Place, clear};
use crate::plot::{Picture, PlotError};
use crate::{Error, Result, own_folder, words};

/// All pictures that were made.
#[derive(Debug, Default)]
pub(in super::super) struct Gallery {
    folder: PathBuf,
    names: BTreeSet<String>,
    exhibits: Vec<Exhibit>,
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
    pub(in super::super) fn paint(results: &Results, analysis: &Analysis, folder: &Path) -> Result<Self> {
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
                let of = [task, algo].map(words::file_name).join("-");
                let (stem, alt) = (format!("curves-{name}-{of}"), format!("Learning curves, {name}, {what}"));
                gallery.hang(Place::Curves(stage), &stem, alt, picture)?;
            }
        }
        for rates in analysis.learning_rates.iter().filter(|rates| !rates.curves.is_empty()) {
            let (stem, what) = match &rates.pair {
                Some((task, algo)) => {
                    let of = [task, algo].map(|text| words::file_name(text)).join("-");
                    (format!("learning-rates-{of}"), format!("{task} with {algo}"))
                }
                None => ("learning-rates".to_string(), all.clone()),
            };
            let picture = pictures::learning_rates(rates, &Caption { results, stage: rates.stage, what: &what });
            gallery.hang(Place::LearningRates, &stem, format!("Sensitivity to the learning rate, {what}"), picture)?;
        }
        Ok(gallery)
    }

    /// The pictures of a place, as Markdown.
    pub(in super::super) fn at(&self, place: Place) -> String {
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
