//! The vocabulary at a glance: every kind with its shape, its rank, its stream and its rules.
//!
//! Frozen once released. Ranks order the events of one entity that carry the same time: creation, then
//! changes, then the end, then what is said about the end.

use serde_json::Value;

use super::spec::Rule::{AtLeastOne, ExactlyOne, Needs};
use super::spec::{Entity, KindSpec};
use super::{
    agents, alerts, attempts, decisions, economics, experiments, governance, interactions, knowledge, messages,
    outcomes, policy, tasks, telemetry,
};
use crate::field::{FieldValue, Findings, Path, Shape};
use crate::json::Node;

macro_rules! kinds {
    ($($family:literal {$(
        $(#[doc = $doc:literal])+
        $variant:ident($shape:path) = $name:literal, rank $rank:literal,
        stream $stream:literal / $fields:tt $(or $otherwise:literal)? $(, rules $rules:expr)?;
    )+})+) => {
        /// A decoded payload.
        #[derive(Clone, Debug, PartialEq)]
        #[expect(clippy::large_enum_variant, reason = "decoded one at a time and folded at once, never stored")]
        pub enum Kind {
            $($($(#[doc = $doc])+ $variant($shape),)+)+
        }

        pub(super) const ALL: &[KindSpec] = &[$($(KindSpec {
            type_name: $name,
            family: $family,
            version: 1,
            fields: <$shape as Shape>::FIELDS,
            doc: concat!($($doc),+).trim_ascii(),
            lifecycle_rank: $rank,
            rules: kinds!(@rules $($rules)?),
            entity: Entity { name: $stream, fields: &$fields, otherwise: kinds!(@otherwise $($otherwise)?) },
        },)+)+];

        /// Places of the kinds in [`ALL`].
        #[derive(Clone, Copy)]
        enum Place {
            $($($variant,)+)+
        }

        pub(super) fn find(type_name: &str) -> Option<&'static KindSpec> {
            let place = match type_name {
                $($($name => Place::$variant,)+)+
                _ => return None,
            };
            ALL.get(place as usize)
        }

        impl Kind {
            /// Returns the description of this kind.
            pub fn spec(&self) -> &'static KindSpec {
                let place = match self {
                    $($(Self::$variant(_) => Place::$variant,)+)+
                };
                &ALL[place as usize]
            }

            /// Returns the payload in canonical form: known fields only where they are there, and everything
            /// else under `attributes`.
            pub fn to_data(&self) -> Value {
                match self {
                    $($(Self::$variant(shape) => shape.write(),)+)+
                }
            }

            pub(super) fn read(type_name: &str, data: &Node<'_>, found: &mut Findings) -> Option<Self> {
                let decoded = match type_name {
                    $($($name => <$shape>::read(data, &Path::Data, found).map(Self::$variant),)+)+
                    _ => {
                        if !matches!(data, Node::Object(_)) {
                            found.wrong_type(&Path::Data, "an object", data);
                        }
                        return None;
                    }
                };
                if let Some(spec) = find(type_name) {
                    spec.check_rules(data, found);
                }
                decoded
            }
        }
    };
    (@rules) => { &[] };
    (@rules $rules:expr) => { &$rules };
    (@otherwise) => { None };
    (@otherwise $otherwise:literal) => { Some($otherwise) };
}

/// What an outcome can be about.
const TARGETS: &[&str] =
    &["attempt_id", "task_id", "interaction_id", "conversation_id", "decision_id", "experiment_id", "trace_id"];

kinds! {
    "agents" {
        /// An agent joins, with what it declares.
        AgentRegistered(agents::AgentDetails) = "agent.registered", rank 0, stream "agent" / ["agent_id"];
        /// An agent declares something else.
        AgentUpdated(agents::AgentDetails) = "agent.updated", rank 10, stream "agent" / ["agent_id"];
        /// An agent takes no more work.
        AgentRetired(agents::AgentRetired) = "agent.retired", rank 90, stream "agent" / ["agent_id"];
        /// An agent gets another name.
        AgentAliased(agents::AgentAliased) = "agent.aliased", rank 20, stream "agent" / ["agent_id"];
        /// An agent met a limit: rate, quota or pause.
        AgentLimited(agents::AgentLimited) = "agent.limited", rank 30, stream "agent" / ["agent_id"];
        /// An agent is alive.
        AgentHeartbeat(agents::AgentHeartbeat) = "agent.heartbeat", rank 40, stream "agent" / ["agent_id"];
    }
    "tasks" {
        /// A task is asked for.
        TaskCreated(tasks::TaskDetails) = "task.created", rank 0, stream "task" / ["task_id"],
            rules [Needs(&["title"])];
        /// What is known of a task changes.
        TaskUpdated(tasks::TaskDetails) = "task.updated", rank 10, stream "task" / ["task_id"];
        /// A task is given to an agent.
        TaskAssigned(tasks::TaskAssigned) = "task.assigned", rank 30, stream "task" / ["task_id"];
        /// A task is taken from its agent.
        TaskUnassigned(tasks::TaskTurned) = "task.unassigned", rank 20, stream "task" / ["task_id"];
        /// Work on a task begins, or goes on after a pause.
        TaskStarted(tasks::TaskStarted) = "task.started", rank 40, stream "task" / ["task_id"];
        /// Work on a task has moved on.
        TaskProgressed(tasks::TaskProgressed) = "task.progressed", rank 50, stream "task" / ["task_id"];
        /// A task waits for something.
        TaskBlocked(tasks::TaskTurned) = "task.blocked", rank 60, stream "task" / ["task_id"];
        /// A task waits no more.
        TaskUnblocked(tasks::TaskTurned) = "task.unblocked", rank 62, stream "task" / ["task_id"];
        /// A task is put aside.
        TaskPaused(tasks::TaskTurned) = "task.paused", rank 64, stream "task" / ["task_id"];
        /// A task goes from one agent to another.
        TaskHandedOff(tasks::TaskHandedOff) = "task.handed_off", rank 66, stream "task" / ["task_id"];
        /// A task is done.
        TaskCompleted(tasks::TaskCompleted) = "task.completed", rank 84, stream "task" / ["task_id"];
        /// A task is given up.
        TaskFailed(tasks::TaskFailed) = "task.failed", rank 82, stream "task" / ["task_id"];
        /// A task is not wanted any more.
        TaskCancelled(tasks::TaskTurned) = "task.cancelled", rank 80, stream "task" / ["task_id"];
        /// A task that had ended is open again.
        TaskReopened(tasks::TaskTurned) = "task.reopened", rank 90, stream "task" / ["task_id"];
    }
    "attempts" {
        /// An agent begins to work on a task.
        AttemptStarted(attempts::AttemptStarted) = "attempt.started", rank 42, stream "attempt" / ["attempt_id"];
        /// The lease of an attempt is made longer.
        AttemptRenewed(attempts::AttemptRenewed) = "attempt.renewed", rank 52, stream "attempt" / ["attempt_id"];
        /// An attempt is over.
        AttemptEnded(attempts::AttemptEnded) = "attempt.ended", rank 78, stream "attempt" / ["attempt_id"];
    }
    "interactions" {
        /// One call of a model, a tool, an agent, a retriever or an embedder.
        InteractionRecorded(interactions::InteractionRecorded) = "interaction.recorded", rank 54,
            stream "interaction" / ["interaction_id"];
    }
    "outcomes" {
        /// A score, a label or a success of exactly one thing, by a named evaluator.
        OutcomeRecorded(outcomes::OutcomeRecorded) = "outcome.recorded", rank 92,
            stream "outcome" / ["outcome_id", "attempt_id", "task_id", "interaction_id", "conversation_id",
                "decision_id", "experiment_id", "trace_id"],
            rules [ExactlyOne(TARGETS), AtLeastOne(&["value", "label", "success"])];
        /// An outcome counts no more.
        OutcomeSuperseded(outcomes::OutcomeSuperseded) = "outcome.superseded", rank 94,
            stream "outcome" / ["outcome_id"];
        /// Of two things of one sort, one is better.
        OutcomePreferred(outcomes::OutcomePreferred) = "outcome.preferred", rank 93,
            stream "outcome" / ["attempt_id", "task_id", "interaction_id", "conversation_id"],
            rules [ExactlyOne(&["attempt_id", "task_id", "interaction_id", "conversation_id"])];
        /// A user says how it was.
        FeedbackGiven(outcomes::FeedbackGiven) = "feedback.given", rank 91,
            stream "feedback" / ["attempt_id", "task_id", "interaction_id", "conversation_id", "message_id"],
            rules [
                ExactlyOne(&["attempt_id", "task_id", "interaction_id", "conversation_id", "message_id"]),
                AtLeastOne(&["thumb", "rating", "comment"]),
            ];
        /// Somebody must say yes before it goes on.
        ApprovalRequested(outcomes::ApprovalRequested) = "approval.requested", rank 70,
            stream "approval" / ["approval_id"];
        /// The answer to a request for approval.
        ApprovalDecided(outcomes::ApprovalDecided) = "approval.decided", rank 72, stream "approval" / ["approval_id"];
        /// Something was made: a commit, a pull request, a file.
        ArtifactRecorded(outcomes::ArtifactRecorded) = "artifact.recorded", rank 74,
            stream "artifact" / ["artifact_id"];
        /// What became of an artifact: merged, reverted, closed.
        ArtifactChanged(outcomes::ArtifactChanged) = "artifact.changed", rank 76, stream "artifact" / ["artifact_id"];
    }
    "telemetry" {
        /// Spans that an OpenTelemetry exporter sent.
        OtlpTraces(telemetry::OtlpRecord) = "otlp.traces", rank 54,
            stream "trace" / ["trace_id", "service"] or "unknown", rules [AtLeastOne(&["otlp", "text"])];
        /// Log records that an OpenTelemetry exporter sent.
        OtlpLogs(telemetry::OtlpRecord) = "otlp.logs", rank 54,
            stream "telemetry" / ["service"] or "unknown", rules [AtLeastOne(&["otlp", "text"])];
        /// Metrics that an OpenTelemetry exporter sent.
        OtlpMetrics(telemetry::OtlpRecord) = "otlp.metrics", rank 54,
            stream "telemetry" / ["service"] or "unknown", rules [AtLeastOne(&["otlp", "text"])];
    }
    "knowledge" {
        /// Something worth knowing.
        KnowledgeNoted(knowledge::KnowledgeNoted) = "knowledge.noted", rank 0, stream "knowledge" / ["knowledge_id"];
        /// A newer note takes the place of this one.
        KnowledgeSuperseded(knowledge::KnowledgeSuperseded) = "knowledge.superseded", rank 80,
            stream "knowledge" / ["knowledge_id"];
        /// The note was wrong.
        KnowledgeRetracted(knowledge::KnowledgeRetracted) = "knowledge.retracted", rank 90,
            stream "knowledge" / ["knowledge_id"];
    }
    "messages" {
        /// Somebody says something.
        MessageSent(messages::Message) = "message.sent", rank 0, stream "conversation" / ["conversation_id"],
            rules [Needs(&["text"])];
        /// Somebody asks.
        QuestionAsked(messages::Message) = "question.asked", rank 0, stream "conversation" / ["conversation_id"],
            rules [Needs(&["text"])];
        /// Somebody answers.
        AnswerGiven(messages::Message) = "answer.given", rank 10, stream "conversation" / ["conversation_id"],
            rules [Needs(&["text"])];
        /// An answer helped.
        AnswerAccepted(messages::Message) = "answer.accepted", rank 20, stream "conversation" / ["conversation_id"];
    }
    "decisions" {
        /// Agents were ranked for a task.
        AssignmentProposed(decisions::AssignmentProposed) = "assignment.proposed", rank 0,
            stream "decision" / ["decision_id"];
        /// An agent takes the task.
        AssignmentAccepted(decisions::AssignmentAccepted) = "assignment.accepted", rank 20,
            stream "decision" / ["decision_id"];
        /// Somebody chose otherwise.
        AssignmentOverridden(decisions::AssignmentOverridden) = "assignment.overridden", rank 30,
            stream "decision" / ["decision_id"];
        /// An agent's breaker has thresholds, or is forced.
        BreakerConfigured(decisions::BreakerConfigured) = "breaker.configured", rank 0,
            stream "breaker" / ["agent_id"];
        /// An agent fails too often: it gets no work for a while.
        BreakerOpened(decisions::BreakerMoved) = "breaker.opened", rank 10, stream "breaker" / ["agent_id"];
        /// An agent may prove itself.
        BreakerHalfOpened(decisions::BreakerMoved) = "breaker.half_opened", rank 20, stream "breaker" / ["agent_id"];
        /// An agent works again.
        BreakerClosed(decisions::BreakerMoved) = "breaker.closed", rank 30, stream "breaker" / ["agent_id"];
        /// An experiment begins, or is changed.
        ExperimentDefined(experiments::ExperimentDefined) = "experiment.defined", rank 0,
            stream "experiment" / ["experiment_id"];
        /// A unit meets its arm.
        ExperimentExposed(experiments::ExperimentExposed) = "experiment.exposed", rank 20,
            stream "experiment" / ["experiment_id"];
        /// An experiment is over.
        ExperimentConcluded(experiments::ExperimentConcluded) = "experiment.concluded", rank 90,
            stream "experiment" / ["experiment_id"];
        /// A forecast, to be held against what comes.
        ForecastPublished(experiments::ForecastPublished) = "forecast.published", rank 0,
            stream "forecast" / ["forecast_id"];
        /// A rule watches a query.
        AlertDefined(alerts::AlertDefined) = "alert.defined", rank 0, stream "alert" / ["alert_id"];
        /// Something needs attention.
        AlertRaised(alerts::AlertRaised) = "alert.raised", rank 20, stream "alert" / ["alert_id"];
        /// Somebody takes care of it.
        AlertAcknowledged(alerts::AlertTurned) = "alert.acknowledged", rank 30, stream "alert" / ["alert_id"];
        /// An alert says nothing until a time.
        AlertSilenced(alerts::AlertTurned) = "alert.silenced", rank 40, stream "alert" / ["alert_id"],
            rules [Needs(&["until"])];
        /// It is well again.
        AlertResolved(alerts::AlertTurned) = "alert.resolved", rank 90, stream "alert" / ["alert_id"];
    }
    "economics" {
        /// What a model, a provider or an agent costs from a time on.
        PriceSet(economics::PriceSet) = "price.set", rank 0,
            stream "price" / ["price_id", "model", "agent_id", "provider"],
            rules [AtLeastOne(&["model", "provider", "agent_id"])];
        /// A bill, or another cost that no single call has.
        ChargeRecorded(economics::ChargeRecorded) = "charge.recorded", rank 0, stream "charge" / ["charge_id"];
        /// A rate of exchange from a time on.
        FxSet(economics::FxSet) = "fx.set", rank 0, stream "fx" / ["base"];
        /// How much may be spent.
        BudgetSet(economics::BudgetSet) = "budget.set", rank 0, stream "budget" / ["budget_id"];
        /// A promise about speed or quality.
        SlaSet(economics::SlaSet) = "sla.set", rank 0, stream "sla" / ["sla_id"];
    }
    "policy" {
        /// Who decides what is a success, and how.
        VerdictPolicySet(policy::VerdictPolicySet) = "verdict.policy_set", rank 0,
            stream "verdict_policy" / ["task_type"] or "default";
        /// What is taken out of events before they are stored.
        RedactionPolicySet(policy::RedactionPolicySet) = "redaction.policy_set", rank 0,
            stream "redaction_policy" / ["source"] or "default",
            rules [AtLeastOne(&["content", "rules", "disabled"])];
        /// How long things are kept.
        RetentionPolicySet(policy::RetentionPolicySet) = "retention.policy_set", rank 0,
            stream "retention_policy" / ["type", "source"] or "default";
        /// The workspace's settings change.
        WorkspaceConfigured(policy::WorkspaceConfigured) = "workspace.configured", rank 0,
            stream "workspace" / [] or "settings",
            rules [AtLeastOne(&["name", "time_zone", "week_start", "currency"])];
        /// A number that the team watches.
        KpiDefined(policy::KpiDefined) = "kpi.defined", rank 0, stream "kpi" / ["kpi_id"];
    }
    "governance" {
        /// A key was made.
        KeyCreated(governance::KeyCreated) = "key.created", rank 0, stream "key" / ["key_id"];
        /// A key got a new secret.
        KeyRotated(governance::KeyRotated) = "key.rotated", rank 20, stream "key" / ["key_id"];
        /// A key is valid no more.
        KeyRevoked(governance::KeyRevoked) = "key.revoked", rank 90, stream "key" / ["key_id"];
        /// What is known of a person was erased.
        SubjectErased(governance::SubjectErased) = "subject.erased", rank 90, stream "subject" / ["subject_id"];
    }
}
