//! Outcomes: how good it was, by whose judgement; approvals; and what was made.

use crate::field::{Name, shape, words};
use crate::id::{
    ApprovalId, ArtifactId, AttemptId, ConversationId, DecisionId, ExperimentId, InteractionId, MessageId, OutcomeId,
    TaskId,
};
use crate::time::Timestamp;

words! {
    /// What sort of judge.
    Evaluator {
        /// A person.
        Human = "human",
        /// A program: tests, checks, the build.
        Code = "code",
        /// A model.
        Model = "model",
    }

    /// A user's simplest word.
    Thumb {
        /// Good.
        Up = "up",
        /// Bad.
        Down = "down",
    }

    /// What was answered to a request for approval.
    Approval {
        /// Yes.
        Approved = "approved",
        /// No.
        Rejected = "rejected",
        /// Nobody answered in time.
        Expired = "expired",
        /// It was not needed any more.
        Withdrawn = "withdrawn",
    }
}

shape! {
    /// A score, a label or a success of exactly one thing, by a named evaluator.
    OutcomeRecorded {
        /// This outcome; the event's id when absent.
        outcome_id: Option<OutcomeId>,
        /// The attempt that is judged.
        attempt_id: Option<AttemptId>,
        /// The task that is judged.
        task_id: Option<TaskId>,
        /// The call that is judged.
        interaction_id: Option<InteractionId>,
        /// The thread that is judged.
        conversation_id: Option<ConversationId>,
        /// The decision that is judged.
        decision_id: Option<DecisionId>,
        /// The experiment that is judged.
        experiment_id: Option<ExperimentId>,
        /// The trace that is judged, with all its calls.
        trace_id: Option<Name>,
        /// What is measured: `tests`, `quality`, `merged`.
        name: Name,
        /// The score.
        value: Option<f64>,
        /// The label.
        label: Option<Name>,
        /// Whether it is a success.
        success: Option<bool>,
        /// What sort of judge.
        evaluator: Evaluator,
        /// Which judge.
        evaluator_id: Option<Name>,
        /// Which version of the judge.
        evaluator_version: Option<Name>,
        /// The outcome that this one replaces.
        supersedes: Option<OutcomeId>,
        /// The thing of the same sort over which this one was preferred.
        preferred_over: Option<Name>,
        /// Why.
        explanation: Option<String>,
    }

    /// An outcome counts no more.
    OutcomeSuperseded {
        /// The outcome: its own id, else the id of its event.
        outcome_id: OutcomeId,
        /// The outcome that counts instead.
        by: Option<OutcomeId>,
        /// Why.
        reason: Option<String>,
    }

    /// Of two things of one sort, one is better.
    OutcomePreferred {
        /// The better attempt.
        attempt_id: Option<AttemptId>,
        /// The better task.
        task_id: Option<TaskId>,
        /// The better call.
        interaction_id: Option<InteractionId>,
        /// The better thread.
        conversation_id: Option<ConversationId>,
        /// The one that is less good, of the same sort.
        preferred_over: Name,
        /// By which measure.
        name: Option<Name>,
        /// What sort of judge.
        evaluator: Evaluator,
        /// Which judge.
        evaluator_id: Option<Name>,
        /// Which version of the judge.
        evaluator_version: Option<Name>,
        /// Why.
        explanation: Option<String>,
    }

    /// A user says how it was.
    FeedbackGiven {
        /// The attempt it is about.
        attempt_id: Option<AttemptId>,
        /// The task it is about.
        task_id: Option<TaskId>,
        /// The call it is about.
        interaction_id: Option<InteractionId>,
        /// The thread it is about.
        conversation_id: Option<ConversationId>,
        /// The message it is about.
        message_id: Option<MessageId>,
        /// Up or down.
        thumb: Option<Thumb>,
        /// A rating, in the client's own scale.
        rating: Option<f64>,
        /// In words.
        comment: Option<String>,
        /// Who says it.
        user_id: Option<Name>,
    }

    /// Somebody must say yes before it goes on.
    ApprovalRequested {
        /// The request.
        approval_id: ApprovalId,
        /// The task that waits.
        task_id: Option<TaskId>,
        /// The attempt that waits.
        attempt_id: Option<AttemptId>,
        /// What is to be allowed.
        action: String,
        /// Who asks.
        requested_by: Option<Name>,
        /// Who may answer.
        approvers: Option<Vec<Name>>,
        /// Until when an answer is needed.
        due: Option<Timestamp>,
    }

    /// The answer to a request for approval.
    ApprovalDecided {
        /// The request.
        approval_id: ApprovalId,
        /// The answer.
        decision: Approval,
        /// Who answered.
        by: Option<Name>,
        /// Why.
        reason: Option<String>,
    }

    /// Something was made: a commit, a pull request, a file.
    ArtifactRecorded {
        /// The artifact.
        artifact_id: ArtifactId,
        /// The attempt that made it.
        attempt_id: Option<AttemptId>,
        /// What it is: `commit`, `pull_request`, `file`.
        kind: Name,
        /// Where it is.
        uri: Option<String>,
        /// Lines added.
        lines_added: Option<u64>,
        /// Lines removed.
        lines_removed: Option<u64>,
    }

    /// What became of an artifact.
    ArtifactChanged {
        /// The artifact.
        artifact_id: ArtifactId,
        /// Its state now: `merged`, `reverted`, `closed`.
        state: Name,
    }
}
