//! Tasks: pieces of work, from being asked for to being done, given up or cancelled.

use crate::field::{Labels, Measure, Name, Percent, Priority, shape, words};
use crate::id::{AgentId, AttemptId, DecisionId, HandoffId, ProjectId, TaskId};
use crate::time::Timestamp;

words! {
    /// What ended the work before it could succeed or fail.
    Censored {
        /// The money or tokens ran out.
        Budget = "budget",
        /// The time ran out.
        Time = "time",
        /// Another limit was met.
        Limit = "limit",
    }
}

shape! {
    /// What is known of a task. An update leaves alone what it does not name.
    TaskDetails {
        /// The task.
        task_id: TaskId,
        /// One line.
        title: Option<String>,
        /// What is to be done.
        text: Option<String>,
        /// Sort of work: `bugfix`, `review`. Inferred from the text when absent.
        r#type: Option<Name>,
        /// The project it belongs to.
        project_id: Option<ProjectId>,
        /// The team that owns it.
        team: Option<Name>,
        /// Who asked for it.
        requester: Option<Name>,
        /// The repository it is about.
        repository: Option<Name>,
        /// Programming or natural language.
        language: Option<Name>,
        /// How hard it is, in the client's own scale.
        complexity: Option<Name>,
        /// How urgent it is.
        priority: Option<Priority>,
        /// Expected effort in minutes.
        estimate_minutes: Option<Measure>,
        /// Least expected effort in minutes.
        estimate_low: Option<Measure>,
        /// Most expected effort in minutes.
        estimate_high: Option<Measure>,
        /// Size in points.
        points: Option<Measure>,
        /// When it must be done.
        due: Option<Timestamp>,
        /// The task it is part of.
        parent_id: Option<TaskId>,
        /// Tasks that must be done before.
        depends_on: Option<Vec<TaskId>>,
        /// Capabilities that an agent must declare to get it.
        required: Option<Vec<Name>>,
        /// Free labels.
        labels: Option<Labels>,
    }

    /// The task is given to an agent.
    TaskAssigned {
        /// The task.
        task_id: TaskId,
        /// Who shall do it.
        agent_id: AgentId,
        /// The decision that chose the agent.
        decision_id: Option<DecisionId>,
    }

    /// Work on the task begins, or goes on after a pause.
    TaskStarted {
        /// The task.
        task_id: TaskId,
        /// Who works on it; the assigned agent when absent.
        agent_id: Option<AgentId>,
    }

    /// Work on the task has moved on.
    TaskProgressed {
        /// The task.
        task_id: TaskId,
        /// How much is done.
        percent: Option<Percent>,
        /// What was done.
        note: Option<String>,
    }

    /// The task changes its state for a reason.
    TaskTurned {
        /// The task.
        task_id: TaskId,
        /// Why.
        reason: Option<String>,
        /// Tasks, agents or people who cause it.
        by: Option<Vec<Name>>,
    }

    /// The task goes from one agent to another.
    TaskHandedOff {
        /// The task.
        task_id: TaskId,
        /// This hand-off.
        handoff_id: HandoffId,
        /// The attempt that ends with it.
        from_attempt: Option<AttemptId>,
        /// Who takes over.
        to_agent: AgentId,
        /// Why.
        reason: Option<String>,
        /// What the next agent must know.
        summary: Option<String>,
        /// Where more is written: `knowledge/k1`, links.
        context_refs: Option<Vec<String>>,
    }

    /// The task is done.
    TaskCompleted {
        /// The task.
        task_id: TaskId,
        /// Who did it; the last one working on it when absent.
        agent_id: Option<AgentId>,
        /// What was done.
        summary: Option<String>,
        /// Effort spent, in minutes.
        actual_minutes: Option<Measure>,
    }

    /// The task is given up.
    TaskFailed {
        /// The task.
        task_id: TaskId,
        /// Who gave it up.
        agent_id: Option<AgentId>,
        /// What went wrong.
        error: Option<String>,
        /// Set when it was ended from outside: it says nothing of the agent's ability.
        censored: Option<Censored>,
    }
}
