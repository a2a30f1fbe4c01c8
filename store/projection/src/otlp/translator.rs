//! [`Translator`]: a version of the translation, and [`Translation`], what it makes of one record.

use std::fmt;

use partitura_event::Problem;

use super::call::Call;
use super::dialect::{self, Dialect, Reading};
use super::judgement::{Judgement, judgements};
use super::point::{POINTS_MAX, Point, points};
use super::record::{Record, read_above};
use super::subject::Subject;
use super::translate::calls;
use crate::data::Data;

/// The conventions that are known, and the version of how they are read: it rises when the same records give other
/// rows, which name it; `rebuild` then re-maps the past.
pub struct Translator {
    /// Version, as rows say it.
    pub version: u32,
    /// Conventions, first match first.
    pub dialects: &'static [Dialect],
}

/// The translator that ships.
pub static CURRENT: Translator = Translator { version: 3, dialects: dialect::ALL };

impl fmt::Debug for Translator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.dialects.iter().map(|dialect| dialect.name).collect();
        f.debug_struct("Translator").field("version", &self.version).field("dialects", &names).finish()
    }
}

/// What one record tells of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Translation {
    /// Calls, and parts of calls.
    pub calls: Vec<Call>,
    /// What evaluators said.
    pub judgements: Vec<Judgement>,
    /// Points of metrics.
    pub points: Vec<Point>,
}

impl Translator {
    /// Translates the data of a raw record; `time` is that of its event. Nothing, if it is a part of a whole item.
    pub fn translate(&self, data: &Data<'_>, time: i64) -> Result<Translation, Problem> {
        let Some(raw) = data.raw("otlp") else { return Ok(Translation::default()) };
        let record = Record::read(raw)?;
        let above = data.raw("above").map(read_above).transpose()?.unwrap_or_default();
        let mut points = points(&record, time);
        points.truncate(POINTS_MAX);
        Ok(Translation { calls: calls(self, &record, &above, time), judgements: judgements(&record, time), points })
    }

    /// Returns the first convention that knows an item, and what it says of it.
    pub(super) fn recognise(&self, subject: &Subject<'_>) -> Option<(&'static str, Reading)> {
        let mut readings = self.dialects.iter().map(|dialect| (dialect.name, (dialect.read)(subject)));
        readings.find(|(_, reading)| *reading != Reading::Unknown)
    }
}
