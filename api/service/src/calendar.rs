//! The workspace's calendar: the zone in which its days begin and the day on which its weeks do.

use std::collections::HashMap;

use chrono::Weekday;
use chrono_tz::Tz;
use parking_lot::Mutex;
use partitura_event::{Position, Problem, Workspace};
use partitura_query::{SqlLimits, SqlRequest, Zone};

use crate::principal::Principal;
use crate::service::Service;

/// Calendars by workspace, each as it was at a position, and where one was set last.
#[derive(Debug, Default)]
pub struct Calendars(Mutex<HashMap<Workspace, Entry>>);

#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    read: Option<(Option<Position>, Zone)>,
    set: Option<Position>,
}

/// The kind that sets a calendar.
pub const SETS_CALENDAR: &str = "workspace.configured";

impl Calendars {
    /// Hears that the calendar of a workspace was set at or before a position.
    pub fn set(&self, workspace: &Workspace, position: Option<Position>) {
        let mut all = self.0.lock();
        let entry = all.entry(workspace.clone()).or_default();
        entry.set = entry.set.max(position);
    }

    fn get(&self, workspace: &Workspace) -> Option<Zone> {
        let entry = self.0.lock().get(workspace).copied()?;
        entry.read.filter(|(at, _)| *at >= entry.set).map(|(_, zone)| zone)
    }

    fn keep(&self, workspace: &Workspace, at: Option<Position>, zone: Zone) {
        self.0.lock().entry(workspace.clone()).or_default().read = Some((at, zone));
    }
}

impl Service {
    /// Returns the calendar of the caller's workspace, as it was set at the position of the read.
    pub(crate) async fn zone(&self, principal: &Principal, as_of: Option<Position>) -> Result<Zone, Problem> {
        let workspace = &principal.workspace;
        if as_of.is_some() {
            return self.read_zone(workspace, as_of).await;
        }
        if let Some(zone) = self.calendars().get(workspace) {
            return Ok(zone);
        }
        let at = self.published();
        let zone = self.read_zone(workspace, None).await?;
        self.calendars().keep(workspace, at, zone);
        Ok(zone)
    }

    async fn read_zone(&self, workspace: &Workspace, as_of: Option<Position>) -> Result<Zone, Problem> {
        let sql = "SELECT time_zone, week_start FROM workspace_settings";
        let query_id = uuid::Uuid::now_v7().to_string();
        let mut request = SqlRequest::new(workspace.clone(), sql, self.clock().now(), query_id);
        request.as_of = as_of;
        request.limits = SqlLimits { rows: 1, ..SqlLimits::default() };
        let rows = self.small_rows(request).await?;
        let text = |name: &str| rows.first().and_then(|row| row.get(name)?.as_str().map(str::to_owned));
        // What the log once took is not refused here: an unknown name means the default.
        let tz = text("time_zone").and_then(|name| name.parse().ok()).unwrap_or(Tz::UTC);
        let week_start = text("week_start").and_then(|name| name.parse().ok()).unwrap_or(Weekday::Mon);
        Ok(Zone { tz, week_start })
    }
}

/// Errors unless `name` is an IANA zone, with near names.
pub fn check_time_zone(name: &str) -> Result<(), Problem> {
    time_zone(name).map(drop)
}

/// Reads the IANA name of a zone.
pub fn time_zone(name: &str) -> Result<Tz, Problem> {
    name.parse().map_err(|_| {
        Problem::invalid_field("time_zone", "unknown_time_zone", format!("`{name:.60}` is not an IANA time zone"))
            .suggest(name, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()))
    })
}
