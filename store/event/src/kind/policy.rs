//! Policy: what counts as success, what is hidden, what is kept, and a workspace's settings.

use super::experiments::Direction;
use crate::field::{Condition, Name, Span, shape, words};
use crate::id::KpiId;
use crate::money::Currency;

words! {
    /// Whose word counts, in a verdict policy's order.
    Decider {
        /// People's outcomes.
        Human = "human",
        /// Outcomes of tests and checks.
        Code = "code",
        /// Outcomes of models.
        Model = "model",
        /// The attempt's own result.
        Attempt = "attempt",
    }

    /// How much of texts is kept.
    ContentPolicy {
        /// All of it.
        Full = "full",
        /// With what looks like a secret taken out.
        Redacted = "redacted",
        /// None of it.
        None = "none",
    }

    /// What happens to what is older than it may be.
    RetentionAction {
        /// It moves out of the hot tables.
        Archive = "archive",
        /// Its key is destroyed.
        Erase = "erase",
    }

    /// The day on which a week begins.
    Weekday {
        /// Monday, as in ISO 8601.
        Monday = "monday",
        /// Tuesday.
        Tuesday = "tuesday",
        /// Wednesday.
        Wednesday = "wednesday",
        /// Thursday.
        Thursday = "thursday",
        /// Friday.
        Friday = "friday",
        /// Saturday.
        Saturday = "saturday",
        /// Sunday.
        Sunday = "sunday",
    }
}

shape! {
    /// Who decides what is a success, and how.
    VerdictPolicySet {
        /// The sort of work it is for; all without their own when absent.
        task_type: Option<Name>,
        /// Whose word counts, first one first.
        order: Vec<Decider>,
        /// What must be true for a success.
        success: Condition,
        /// How long a verdict stays pending for a better judge to speak.
        settle_after: Option<Span>,
    }

    /// One pattern of what is hidden.
    RedactionRule {
        /// Its name, shown in place of what it hid.
        name: Name,
        /// Regular expression.
        pattern: String,
    }

    /// What is taken out of events before they are stored.
    RedactionPolicySet {
        /// The source it is for; all without their own when absent.
        source: Option<Name>,
        /// How much of texts is kept.
        content: Option<ContentPolicy>,
        /// Rules besides those that ship.
        rules: Option<Vec<RedactionRule>>,
        /// Shipped rules that do not apply.
        disabled: Option<Vec<Name>>,
    }

    /// How long things are kept.
    RetentionPolicySet {
        /// The kind of event it is for; all without their own when absent.
        r#type: Option<Name>,
        /// The source it is for; all without their own when absent.
        source: Option<Name>,
        /// How long.
        keep: Span,
        /// What happens then; `archive` when absent.
        action: Option<RetentionAction>,
    }

    /// Settings of the workspace. What is not named stays as it is.
    WorkspaceConfigured {
        /// Name for people.
        name: Option<Name>,
        /// IANA name of the zone in which days begin; UTC when never set.
        time_zone: Option<Name>,
        /// The day on which weeks begin; Monday when never set.
        week_start: Option<Weekday>,
        /// The currency in which costs are shown; USD when never set.
        currency: Option<Currency>,
    }

    /// A number that the team watches.
    KpiDefined {
        /// The number.
        kpi_id: KpiId,
        /// The query that answers it.
        sql: String,
        /// What it should be.
        target: Option<f64>,
        /// Which way is better; `up` when absent.
        direction: Option<Direction>,
        /// In words.
        description: Option<String>,
    }
}
