//! Asks the scheduler for short turns, so that a thread runs soon after what it waited for.

use std::io;

/// How long a turn lasts. The kernel takes nothing shorter than this.
const TURN_NS: u64 = 100_000;

/// Asks for short turns for the calling thread, which mostly waits: for requests, for the disk.
///
/// Linux wakes a thread at once only if its turn is due before that of the thread that runs. Under full load, with turns
/// of the common length, a sync that took 0.2 ms is noticed at the next tick of the clock, up to 4 ms later. A short turn
/// is due early (from Linux 6.12 on). It gives no greater share of the processor and needs no privilege. Older kernels
/// ignore it, and where it is forbidden the log only waits longer.
pub(crate) fn short() {
    if let Err(error) = ask() {
        tracing::debug!(%error, "no short turns for a thread of the log");
    }
}

fn ask() -> io::Result<()> {
    let size = size_of::<libc::sched_attr>() as u32;
    // SAFETY: all fields are numbers, for which zeros are a value.
    let mut turn: libc::sched_attr = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel writes at most `size` bytes into `turn`, which is as large and lives through the call. Thread 0 is the
    // calling one.
    done(unsafe { libc::syscall(libc::SYS_sched_getattr, 0, &raw mut turn, size, 0) })?;
    turn.size = size;
    turn.sched_runtime = TURN_NS;
    // SAFETY: the kernel only reads `turn`, which says its own size.
    done(unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const turn, 0) })
}

fn done(code: libc::c_long) -> io::Result<()> {
    if code == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
