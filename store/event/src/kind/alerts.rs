//! Decisions, third part: alerts.

use crate::field::{Labels, Name, Span, shape, words};
use crate::id::AlertId;
use crate::time::Timestamp;

words! {
    /// How bad it is.
    Severity {
        /// Good to know.
        Info = "info",
        /// Look at it today.
        Warning = "warning",
        /// Look at it now.
        Critical = "critical",
    }
}

shape! {
    /// A rule that watches a query.
    AlertDefined {
        /// The rule.
        alert_id: AlertId,
        /// It fires for each row that this query answers.
        sql: String,
        /// How long it must be so before it fires.
        r#for: Option<Span>,
        /// How bad it is; `warning` when absent.
        severity: Option<Severity>,
        /// Labels of each alert that it raises.
        labels: Option<Labels>,
        /// What is done when it fires.
        actions: Option<Vec<String>>,
        /// `false` puts the rule to rest.
        enabled: Option<bool>,
    }

    /// Something needs attention.
    AlertRaised {
        /// The rule.
        alert_id: AlertId,
        /// The same for the same trouble.
        fingerprint: Option<Name>,
        /// How bad it is.
        severity: Option<Severity>,
        /// One line.
        summary: Option<String>,
        /// The number that raised it.
        value: Option<f64>,
        /// Free labels.
        labels: Option<Labels>,
        /// The query that shows it.
        evidence: Option<String>,
    }

    /// An alert changes its state.
    AlertTurned {
        /// The rule.
        alert_id: AlertId,
        /// Which alert of the rule; all of them when absent.
        fingerprint: Option<Name>,
        /// Who did it.
        by: Option<Name>,
        /// Why.
        reason: Option<String>,
        /// Until when it is silent.
        until: Option<Timestamp>,
    }
}
