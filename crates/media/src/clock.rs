//! The tick clock: absolute deadlines on the monotonic clock, and the calls
//! that give a worker its priority and its file descriptors.
#![expect(unsafe_code, reason = "the system calls have no safe wrapper in the standard library")]

use std::mem::MaybeUninit;
use std::time::Duration;

/// Low among the real-time priorities (1 to 99): above every ordinary
/// thread, below whatever the machine's owner made real-time on purpose.
const PRIORITY: libc::c_int = 10;

/// Time since the origin of the monotonic clock.
pub(crate) fn now() -> Duration {
    read(libc::CLOCK_MONOTONIC)
}

/// Time since the start of 1970, as the machine believes.
pub(crate) fn wall() -> Duration {
    read(libc::CLOCK_REALTIME)
}

fn read(clock: libc::clockid_t) -> Duration {
    let mut time = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: `time` is valid for writes of one timespec.
    let result = unsafe { libc::clock_gettime(clock, time.as_mut_ptr()) };
    assert_eq!(result, 0, "both clocks exist on every Linux");
    // SAFETY: the call succeeded, so it filled `time`.
    let time = unsafe { time.assume_init() };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Sleeps until [`now`] reaches `deadline`; returns at once when it has.
pub(crate) fn sleep_until(deadline: Duration) {
    let time = libc::timespec {
        tv_sec: deadline.as_secs() as libc::time_t,
        tv_nsec: libc::c_long::from(deadline.subsec_nanos()),
    };
    loop {
        // SAFETY: `time` is a valid timespec; with TIMER_ABSTIME the
        // remainder is not written, so null is allowed.
        let result = unsafe {
            libc::clock_nanosleep(
                libc::CLOCK_MONOTONIC,
                libc::TIMER_ABSTIME,
                &raw const time,
                std::ptr::null_mut(),
            )
        };
        if result != libc::EINTR {
            return;
        }
    }
}

/// Asks that the calling thread run before every ordinary thread; whether it
/// was granted.
pub(crate) fn become_realtime() -> bool {
    let parameters = libc::sched_param { sched_priority: PRIORITY };
    // SAFETY: the thread is the caller's own and `parameters` outlives the call.
    unsafe { libc::pthread_setschedparam(libc::pthread_self(), libc::SCHED_FIFO, &raw const parameters) == 0 }
}

/// Raises the process's soft limit of open files to at least `files`, as far
/// as the hard limit allows; what it is afterwards.
pub(crate) fn allow_open_files(files: u64) -> u64 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is valid for writes.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } != 0 {
        return 0;
    }
    let before = limit.rlim_cur;
    if before >= files {
        return before;
    }
    limit.rlim_cur = files.min(limit.rlim_max);
    // SAFETY: `limit` is a valid rlimit that outlives the call.
    if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) } == 0 {
        limit.rlim_cur
    } else {
        before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleeping_ends_at_the_deadline_and_not_before() {
        let deadline = now() + Duration::from_millis(30);
        sleep_until(deadline);
        let late = now().checked_sub(deadline).expect("woke before the deadline");
        assert!(late < Duration::from_secs(1), "woke {late:?} late");
    }

    #[test]
    fn a_deadline_in_the_past_costs_no_time() {
        let before = now();
        sleep_until(before.saturating_sub(Duration::from_secs(1)));
        assert!(now().saturating_sub(before) < Duration::from_millis(15));
    }

    #[test]
    fn the_limit_of_open_files_is_never_lowered() {
        let before = allow_open_files(0);
        assert!(before > 0);
        assert_eq!(allow_open_files(before), before);
        assert_eq!(allow_open_files(before - 1), before);
    }
}
