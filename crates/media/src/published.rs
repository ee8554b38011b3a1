//! A leg's statistics, where the control side sees them without asking its
//! worker.

use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::time::Duration;

use mixminus_rtp::{RemoteQuality, Statistics};

const WORDS: usize = 19;

/// Stands for what is not known.
const NONE: u64 = u64::MAX;

/// How often reading is begun anew because of writing, which takes less than
/// a microsecond once a second; then the values may be of two instants.
const TRIES: usize = 1_000;

/// Written by whoever has the leg, read by anyone; neither waits.
#[derive(Debug)]
pub(crate) struct Published {
    /// Odd while the words are written.
    version: AtomicU64,
    words: [AtomicU64; WORDS],
}

impl Default for Published {
    fn default() -> Self {
        Self { version: AtomicU64::new(0), words: to_words(&Statistics::default()).map(AtomicU64::new) }
    }
}

impl Published {
    pub(crate) fn write(&self, statistics: &Statistics) {
        let version = self.version.load(Ordering::Relaxed);
        self.version.store(version + 1, Ordering::Relaxed);
        fence(Ordering::Release);
        for (word, value) in self.words.iter().zip(to_words(statistics)) {
            word.store(value, Ordering::Relaxed);
        }
        self.version.store(version + 2, Ordering::Release);
    }

    pub(crate) fn read(&self) -> Statistics {
        (0..TRIES).find_map(|_| self.try_read()).unwrap_or_else(|| self.read_words())
    }

    /// The values of one instant, unless they are being written.
    fn try_read(&self) -> Option<Statistics> {
        let version = self.version.load(Ordering::Acquire);
        let statistics = self.read_words();
        fence(Ordering::Acquire);
        let whole = version.is_multiple_of(2) && self.version.load(Ordering::Relaxed) == version;
        whole.then_some(statistics)
    }

    fn read_words(&self) -> Statistics {
        from_words(std::array::from_fn(|index| self.words[index].load(Ordering::Relaxed)))
    }
}

fn to_words(statistics: &Statistics) -> [u64; WORDS] {
    let Statistics { received, lost, late, reordered, duplicated, rejected, .. } = *statistics;
    let Statistics { source_changes, digits, concealed_frames, shed_frames, sent, sent_bytes, .. } =
        *statistics;
    let Statistics { depth_frames, target_frames, jitter, remote, round_trip, .. } = *statistics;
    [
        received,
        lost,
        late,
        reordered,
        duplicated,
        rejected,
        source_changes,
        digits,
        concealed_frames,
        shed_frames,
        sent,
        sent_bytes,
        depth_frames.into(),
        target_frames.into(),
        to_ns(jitter),
        remote.map_or(NONE, |remote| remote.fraction_lost.into()),
        remote.map_or(NONE, |remote| remote.lost as u64),
        remote.map_or(NONE, |remote| to_ns(remote.jitter)),
        round_trip.map_or(NONE, to_ns),
    ]
}

fn from_words(words: [u64; WORDS]) -> Statistics {
    let [received, lost, late, reordered, duplicated, rejected, rest @ ..] = words;
    let [source_changes, digits, concealed_frames, shed_frames, sent, sent_bytes, rest @ ..] = rest;
    let [depth_frames, target_frames, jitter, fraction_lost, remote_lost, remote_jitter, round_trip] = rest;
    let remote = RemoteQuality {
        fraction_lost: fraction_lost as u8,
        lost: remote_lost as i32,
        jitter: Duration::from_nanos(remote_jitter),
    };
    Statistics {
        received,
        lost,
        late,
        reordered,
        duplicated,
        rejected,
        source_changes,
        digits,
        concealed_frames,
        shed_frames,
        depth_frames: depth_frames as u32,
        target_frames: target_frames as u32,
        jitter: Duration::from_nanos(jitter),
        sent,
        sent_bytes,
        remote: (![fraction_lost, remote_jitter].contains(&NONE)).then_some(remote),
        round_trip: (round_trip != NONE).then_some(Duration::from_nanos(round_trip)),
    }
}

fn to_ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(NONE)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn what_is_published_is_read() {
        let published = Published::default();
        assert_eq!(published.read(), Statistics::default());
        let statistics = Statistics {
            received: 1,
            lost: 2,
            late: 3,
            reordered: 4,
            duplicated: 5,
            rejected: 6,
            source_changes: 7,
            digits: 8,
            concealed_frames: 9,
            shed_frames: 10,
            depth_frames: 11,
            target_frames: 12,
            jitter: Duration::from_millis(13),
            sent: 14,
            sent_bytes: 15,
            remote: Some(RemoteQuality { fraction_lost: 16, lost: -1, jitter: Duration::from_millis(18) }),
            round_trip: Some(Duration::from_millis(19)),
        };
        published.write(&statistics);
        assert_eq!(published.read(), statistics);
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "what is tested is two threads at once")]
    fn what_is_read_while_it_is_written_is_of_one_instant() {
        let published = Arc::new(Published::default());
        let writer = std::thread::spawn({
            let published = Arc::clone(&published);
            move || {
                for count in 1..=20_000 {
                    let round_trip = Some(Duration::from_nanos(count));
                    published.write(&Statistics { received: count, round_trip, ..Statistics::default() });
                    (0..50).for_each(|_| std::hint::spin_loop());
                }
            }
        });
        while !writer.is_finished() {
            let Some(Statistics { received, round_trip, .. }) = published.try_read() else { continue };
            assert_eq!(Duration::from_nanos(received), round_trip.unwrap_or_default());
        }
        writer.join().unwrap();
    }
}
