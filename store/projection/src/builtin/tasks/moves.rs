//! Numbers of the moves in the life of a task. They lie in stored states, so they never change.

/// `task.created`.
pub const CREATED: u8 = 0;
/// `task.assigned`, to somebody.
pub const ASSIGNED: u8 = 1;
/// `task.unassigned`.
pub const UNASSIGNED: u8 = 2;
/// `task.started`, by somebody.
pub const STARTED: u8 = 3;
/// `attempt.started`, by somebody.
pub const ATTEMPT_STARTED: u8 = 4;
/// `task.progressed`.
pub const PROGRESSED: u8 = 5;
/// `task.blocked`.
pub const BLOCKED: u8 = 6;
/// `task.unblocked`.
pub const UNBLOCKED: u8 = 7;
/// `task.paused`.
pub const PAUSED: u8 = 8;
/// `task.handed_off`, to somebody.
pub const HANDED_OFF: u8 = 9;
/// `task.completed`, by somebody.
pub const COMPLETED: u8 = 10;
/// `task.failed`, by somebody.
pub const FAILED: u8 = 11;
/// `task.failed`, cut off from outside.
pub const FAILED_CENSORED: u8 = 12;
/// `task.cancelled`.
pub const CANCELLED: u8 = 13;
/// `task.reopened`.
pub const REOPENED: u8 = 14;
