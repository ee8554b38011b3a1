//! A worker that the machine stops for a while gives the delay back.
#![expect(unsafe_code, reason = "only a signal stops a thread")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "media/far_end.rs"]
#[expect(dead_code, reason = "one test needs little of it")]
mod far_end;

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use mixminus_audio::{Dbov, SampleRate, Sine};

use far_end::{FarEnd, install, start, talk};

const STALL: Duration = Duration::from_millis(300);

extern "C" fn sleep(_: libc::c_int) {
    let time = libc::timespec { tv_sec: 0, tv_nsec: STALL.as_nanos() as libc::c_long };
    // SAFETY: `time` is a valid timespec, and nanosleep is safe in a signal handler.
    unsafe { libc::nanosleep(&raw const time, std::ptr::null_mut()) };
}

/// Stops the only worker of this process.
fn stall_worker() {
    let handler: extern "C" fn(libc::c_int) = sleep;
    // SAFETY: the handler does only what one may.
    unsafe { libc::signal(libc::SIGUSR1, handler as libc::sighandler_t) };
    let mut tasks = std::fs::read_dir("/proc/self/task").unwrap().map(|task| task.unwrap());
    let name = |path: std::path::PathBuf| std::fs::read_to_string(path.join("comm")).unwrap_or_default();
    let worker = tasks.find(|task| name(task.path()) == "media-0\n").unwrap();
    let worker: libc::pid_t = worker.file_name().to_str().unwrap().parse().unwrap();
    // SAFETY: the thread lives as long as its media plane, which the caller has.
    let result = unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), worker, libc::SIGUSR1) };
    assert_eq!(result, 0);
}

/// In how many ticks the first word of one is heard by the other; the least of
/// three, as the machine has other things to do.
fn delay_ticks(ends: &mut [FarEnd; 2], speaks: &Cell<bool>) -> u32 {
    let mut once = || {
        speaks.set(false);
        talk(&mut *ends, 30);
        assert!(ends[1].audio(3).iter().all(|sample| sample.abs() < 100));
        speaks.set(true);
        (1..50).find(|_| {
            talk(&mut *ends, 1);
            ends[1].audio(1).iter().any(|sample| sample.abs() > 500)
        })
    };
    (0..3).filter_map(|_| once()).min().unwrap()
}

#[test]
fn delay_is_given_back_after_a_worker_was_stopped() {
    let (media, _events) = start(1);
    let mut ends = [500.0, 900.0].map(|tone_hz| FarEnd::call(&media, tone_hz));
    let speaks = Rc::new(Cell::new(false));
    let mut tone = Sine::new(SampleRate::Hz8000, 500.0, Dbov(-20.0));
    let sounds = Rc::clone(&speaks);
    ends[0].sound(move |frame| {
        frame.fill(0);
        if sounds.get() {
            tone.fill(frame);
        }
        true
    });
    ends[1].sound(|frame| {
        frame.fill(0);
        true
    });
    install(&media, 1, &[ends[0].leg, ends[1].leg], &[]);
    talk(&mut ends, 25);
    let before = delay_ticks(&mut ends, &speaks);
    stall_worker();
    talk(&mut ends, 50);
    let skipped = media.counters().ticks_skipped;
    assert!((10..=20).contains(&skipped), "{skipped} ticks given up");
    let after = delay_ticks(&mut ends, &speaks);
    assert!(after <= before + 1, "{after} ticks instead of {before}");
    assert!(media.statistics(ends[0].leg).unwrap().lost == 0);
}
