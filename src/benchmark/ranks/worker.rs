//! Every rank but the first.

use std::time::Duration;

use super::hands::Hands;
use super::{Answer, Report, Terms, read, written};
use crate::{Catalogue, Config, Error, MpiWorld, Result, Threads};

/// How soon a rank with nothing to do asks again.
const ASKS: Duration = Duration::from_millis(50);
/// How soon a rank that is at work says so again, and several times within the patience.
const SPEAKS: Duration = Duration::from_secs(1);

/// Does runs of the first rank's comparison until there are no more; these are the [terms](super::Manager::terms).
///
/// # Errors
/// [`Error::Config`] for a run of another program; where the first rank does not answer.
pub(crate) fn work(world: &MpiWorld, terms: &str, catalogue: &Catalogue) -> Result<()> {
    let Terms { version, threads, measure } = read(terms.as_bytes())?;
    let own = env!("CARGO_PKG_VERSION");
    if version != own {
        return Err(Error::Config(format!("this is version {own}, and that of the first rank is {version}")));
    }
    let mut hands = Hands::new(Threads::new(threads)?.count(), measure)?;
    let (mut done, speaks) = (Vec::new(), SPEAKS.min(world.patience() / 4));
    loop {
        let report = Report { idle: hands.idle(), done: std::mem::take(&mut done) };
        world.tell(0, &written(&report)?);
        let Answer { ends, runs } = read(&world.hear(0)?)?;
        if ends {
            return Ok(());
        }
        for run in runs {
            hands.give(run.number, Config::from_toml_with(&run.settings, catalogue)?);
        }
        done = hands.take(if hands.idle() > 0 { ASKS } else { speaks });
    }
}
