//! How large a picture is.

/// A factor on the size of a picture and of all that is in it.
#[derive(clap::Args)]
pub(super) struct Scale {
    /// Make everything this many times larger, 0.5 to 8: 2 is sharp on screens of high density
    #[arg(long = "scale", value_name = "FACTOR", default_value_t = 1.0)]
    pub(super) factor: f64,
}

impl Scale {
    /// The pixels that so many become.
    pub(super) fn of(&self, pixels: u32) -> u32 {
        (f64::from(pixels) * self.factor).round() as u32
    }
}
