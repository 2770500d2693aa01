//! A gallery without pictures, as there are none without the feature `pictures`.

use std::path::Path;

use super::super::analysis::Analysis;
use super::super::results::Results;
use super::{FOLDER, Place, clear};
use crate::Result;

/// No pictures.
pub(in super::super) struct Gallery;

impl Gallery {
    /// Removes the pictures of an earlier report.
    pub(in super::super) fn paint(_: &Results, _: &Analysis, folder: &Path) -> Result<Self> {
        clear(&folder.join(FOLDER))?;
        Ok(Self)
    }

    /// Nothing stands anywhere.
    pub(in super::super) fn at(&self, _: Place) -> String {
        String::new()
    }
}
