//! Messages: threads between agents and people.

use crate::field::shape;
use crate::id::{AgentId, ConversationId, MessageId, TaskId};

shape! {
    /// One message of a thread.
    Message {
        /// The message; for an accepted answer, the answer.
        message_id: MessageId,
        /// The thread.
        conversation_id: ConversationId,
        /// Who wrote it; for an accepted answer, who accepts it.
        from: AgentId,
        /// To whom.
        to: Option<Vec<AgentId>>,
        /// What was said.
        text: Option<String>,
        /// The message it answers.
        reply_to: Option<MessageId>,
        /// The task it is about.
        task_id: Option<TaskId>,
    }
}
