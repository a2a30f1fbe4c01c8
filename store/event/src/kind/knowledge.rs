//! Knowledge: facts, patterns and solutions worth finding again.

use crate::field::{Name, shape, words};
use crate::id::{AgentId, AttemptId, ConversationId, KnowledgeId, TaskId};
use crate::time::Timestamp;

words! {
    /// What sort of knowledge.
    KnowledgeKind {
        /// Something that is so.
        Fact = "fact",
        /// Something that happens again and again.
        Pattern = "pattern",
        /// Something that helped.
        Solution = "solution",
        /// Something that was decided.
        Decision = "decision",
    }
}

shape! {
    /// Something worth knowing.
    KnowledgeNoted {
        /// The note.
        knowledge_id: KnowledgeId,
        /// What is known.
        text: String,
        /// One line.
        title: Option<String>,
        /// What sort of knowledge.
        kind: Option<KnowledgeKind>,
        /// Free tags.
        tags: Option<Vec<Name>>,
        /// What it comes from or belongs to: `task/42`, links.
        links: Option<Vec<String>>,
        /// From when it is true.
        valid_from: Option<Timestamp>,
        /// Until when it is true.
        valid_to: Option<Timestamp>,
        /// Who learned it.
        agent_id: Option<AgentId>,
        /// The task it was learned in.
        task_id: Option<TaskId>,
        /// The attempt it was learned in.
        attempt_id: Option<AttemptId>,
        /// The thread it was learned in.
        conversation_id: Option<ConversationId>,
    }

    /// A newer note takes its place.
    KnowledgeSuperseded {
        /// The older note.
        knowledge_id: KnowledgeId,
        /// The newer note.
        by: KnowledgeId,
    }

    /// The note was wrong.
    KnowledgeRetracted {
        /// The note.
        knowledge_id: KnowledgeId,
        /// Why.
        reason: Option<String>,
    }
}
