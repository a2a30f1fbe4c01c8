//! Durable subscriptions as users have them: make, pull, acknowledge, park, replay, reset.

use std::time::Duration;

use partitura_event::{Position, Problem, Recorded};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::definition::{Definition, NewSubscription, WINDOW_MAX};
use super::state::{Failed, Parked};
use super::subscription::{Delivery, Standing};
use crate::live::tail::After;
use crate::principal::Principal;
use crate::service::Service;

/// Longest that a delivery may be put off.
const DELAY_MAX: Duration = Duration::from_secs(24 * 3_600);
/// Longest reason that is kept.
const REASON_CHARS_MAX: usize = 500;

/// What consumers could not do.
#[derive(Clone, Debug, Default)]
pub struct Refusal {
    /// Their deliveries.
    pub deliveries: Vec<String>,
    /// They are parked at once, and not tried again.
    pub park: bool,
    /// Milliseconds until they are handed out again.
    pub delay_ms: u64,
    /// Why, for people.
    pub reason: Option<String>,
}

impl Service {
    /// Makes a subscription, or finds the same one. Returns whether it is new.
    pub async fn create_subscription(
        &self,
        principal: &Principal,
        new: NewSubscription,
    ) -> Result<(bool, Standing), Problem> {
        self.accepting()?;
        let definition = Definition::new(new, self.head(), self.now())?;
        let (is_new, one) = self.engines().subscriptions().create(&principal.workspace, definition).await?;
        Ok((is_new, one.standing()))
    }

    /// Lists the subscriptions of the workspace.
    pub fn subscriptions(&self, principal: &Principal) -> Vec<Standing> {
        self.engines().subscriptions().list(&principal.workspace).iter().map(|one| one.standing()).collect()
    }

    /// Shows one subscription. Errors with near names.
    pub fn subscription(&self, principal: &Principal, name: &str) -> Result<Standing, Problem> {
        Ok(self.engines().subscriptions().get(&principal.workspace, name)?.standing())
    }

    /// Ends a subscription. Returns how it stood.
    pub async fn delete_subscription(&self, principal: &Principal, name: &str) -> Result<Standing, Problem> {
        Ok(self.engines().subscriptions().delete(&principal.workspace, name).await?.standing())
    }

    /// Hands out events; waits up to `wait_ms` for the first one, and no longer than until `stop`.
    pub async fn pull(
        &self,
        principal: &Principal,
        name: &str,
        limit: Option<usize>,
        wait_ms: Option<u64>,
        stop: CancellationToken,
    ) -> Result<(Vec<Delivery>, Standing), Problem> {
        let limit = limit.unwrap_or(100);
        if !(1..=WINDOW_MAX).contains(&limit) {
            let detail = format!("`limit` = {limit} is not between 1 and {WINDOW_MAX}");
            return Err(Problem::invalid_field("limit", "out_of_range", detail));
        }
        let wait = Duration::from_millis(wait_ms.unwrap_or(0));
        if wait > self.settings().wait_max {
            let (given, max) = (wait.as_millis(), self.settings().wait_max.as_millis());
            let detail = format!("`wait_ms` = {given} is over the limit of {max}");
            return Err(Problem::invalid_field("wait_ms", "out_of_range", detail));
        }
        let one = self.engines().subscriptions().get(&principal.workspace, name)?;
        let _pass = self.subscription_gate().enter().await?;
        let deliveries = tokio::select! {
            () = stop.cancelled() => Vec::new(),
            deliveries = one.pull(limit, wait) => deliveries?,
        };
        Ok((deliveries, one.standing()))
    }

    /// Settles deliveries; durable when it returns. Says of each whether it was still the caller's.
    pub async fn acknowledge(
        &self,
        principal: &Principal,
        name: &str,
        deliveries: &[String],
    ) -> Result<(Vec<bool>, Standing), Problem> {
        check_deliveries(deliveries)?;
        let one = self.engines().subscriptions().get(&principal.workspace, name)?;
        let was_out = one.acknowledge(deliveries).await?;
        Ok((was_out, one.standing()))
    }

    /// Takes deliveries back. Says of each whether it was still the caller's.
    pub async fn refuse(
        &self,
        principal: &Principal,
        name: &str,
        refusal: Refusal,
    ) -> Result<(Vec<bool>, Standing), Problem> {
        check_deliveries(&refusal.deliveries)?;
        let delay = Duration::from_millis(refusal.delay_ms);
        if delay > DELAY_MAX {
            let detail = format!("`delay_ms` = {} is over the limit of {}", delay.as_millis(), DELAY_MAX.as_millis());
            return Err(Problem::invalid_field("delay_ms", "out_of_range", detail));
        }
        let reason = refusal.reason.as_deref().unwrap_or("a consumer could not do it");
        let reason: String = self.loggable(reason).chars().take(REASON_CHARS_MAX).collect();
        let failed = Failed { reason: &reason, not_before: Instant::now() + delay, park: refusal.park };
        let one = self.engines().subscriptions().get(&principal.workspace, name)?;
        let was_out = one.refuse(&refusal.deliveries, &failed).await?;
        Ok((was_out, one.standing()))
    }

    /// Lists parked events, by position.
    pub async fn parked(
        &self,
        principal: &Principal,
        name: &str,
        limit: usize,
    ) -> Result<Vec<(Parked, Recorded)>, Problem> {
        self.engines().subscriptions().get(&principal.workspace, name)?.parked(limit).await
    }

    /// Hands parked events out again, as if they were new; all, if none is named. Returns how many.
    pub async fn replay_parked(
        &self,
        principal: &Principal,
        name: &str,
        positions: Option<&[Position]>,
    ) -> Result<usize, Problem> {
        self.engines().subscriptions().get(&principal.workspace, name)?.replay(positions).await
    }

    /// Forgets parked events; all, if none is named. Returns how many.
    pub async fn discard_parked(
        &self,
        principal: &Principal,
        name: &str,
        positions: Option<&[Position]>,
    ) -> Result<usize, Problem> {
        self.engines().subscriptions().get(&principal.workspace, name)?.discard(positions).await
    }

    /// Begins again at another place of the log.
    pub async fn reset_subscription(&self, principal: &Principal, name: &str, to: After) -> Result<Standing, Problem> {
        let one = self.engines().subscriptions().get(&principal.workspace, name)?;
        one.reset(to.resolve(self.head())?).await?;
        Ok(one.standing())
    }
}

fn check_deliveries(deliveries: &[String]) -> Result<(), Problem> {
    if (1..=WINDOW_MAX).contains(&deliveries.len()) {
        return Ok(());
    }
    let detail = format!("`deliveries` has {} entries; send 1 to {WINDOW_MAX}", deliveries.len());
    Err(Problem::invalid_field("deliveries", "out_of_range", detail))
}
