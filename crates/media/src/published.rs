//! A value that a worker writes and the control side reads, neither waiting for
//! the other.
#![expect(unsafe_code, reason = "which slot belongs to whom is beyond what the compiler can see")]

use std::cell::UnsafeCell;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// Set in [`Shared::idle`] when the slot was written after it was last read.
const FRESH: u8 = 0x80;

/// Three slots: one is the writer's, one the reader's, and one is idle. Whoever
/// is done with its own exchanges it for the idle one.
struct Shared<T> {
    slots: [UnsafeCell<T>; 3],
    /// Which slot is nobody's.
    idle: AtomicU8,
}

// SAFETY: each slot is accessed only by the one who owns it, and ownership changes
// hands by an atomic exchange that releases and acquires.
unsafe impl<T: Send> Sync for Shared<T> {}

/// The end that writes.
pub(crate) struct Publisher<T> {
    shared: Arc<Shared<T>>,
    own: u8,
}

/// The end that reads.
pub(crate) struct Published<T> {
    shared: Arc<Shared<T>>,
    own: u8,
}

/// Both ends of a value that is `initial` until it is written.
pub(crate) fn publish<T: Copy>(initial: T) -> (Publisher<T>, Published<T>) {
    let slots = [initial; 3].map(UnsafeCell::new);
    let shared = Arc::new(Shared { slots, idle: AtomicU8::new(2) });
    (Publisher { shared: Arc::clone(&shared), own: 0 }, Published { shared, own: 1 })
}

impl<T: Copy> Publisher<T> {
    /// Replaces the value.
    pub(crate) fn write(&mut self, value: T) {
        // SAFETY: the slot is this end's until it is exchanged, and nobody else has
        // this end.
        unsafe { *self.shared.slots[usize::from(self.own)].get() = value };
        self.own = self.shared.idle.swap(self.own | FRESH, Ordering::AcqRel) & !FRESH;
    }
}

impl<T: Copy> Published<T> {
    /// The value that was written last.
    pub(crate) fn read(&mut self) -> T {
        if self.shared.idle.load(Ordering::Relaxed) & FRESH != 0 {
            self.own = self.shared.idle.swap(self.own, Ordering::AcqRel) & !FRESH;
        }
        // SAFETY: as in `Publisher::write`.
        unsafe { *self.shared.slots[usize::from(self.own)].get() }
    }
}

impl<T> fmt::Debug for Publisher<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Publisher").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Published<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Published").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_last_is_read_as_often_as_one_likes() {
        let (mut publisher, mut published) = publish(0);
        assert_eq!([published.read(), published.read()], [0, 0]);
        for value in 1..10 {
            publisher.write(-value);
            publisher.write(value);
            assert_eq!([published.read(), published.read()], [value, value]);
        }
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "what is tested is two threads at once")]
    fn what_is_read_while_it_is_written_is_whole_and_never_older_than_before() {
        let (mut publisher, mut published) = publish([0_u64; 40]);
        let writer = std::thread::spawn(move || (1..=200_000).for_each(|count| publisher.write([count; 40])));
        let mut last = 0;
        while last < 200_000 {
            let [first, rest @ ..] = published.read();
            assert!(rest.iter().all(|word| *word == first) && first >= last, "{first} after {last}");
            last = first;
        }
        writer.join().unwrap();
    }
}
