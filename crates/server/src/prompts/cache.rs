//! Clips that were made before, bounded by their samples.

use std::collections::HashMap;
use std::sync::Arc;

use mixminus_audio::{Pcm, SampleRate};
use mixminus_control::PromptContent;

/// What a clip was made of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Made {
    /// Content that its description determines.
    Named(PromptContent),
    /// A file with this SHA-256.
    File([u8; 32]),
}

/// What a clip was made of and for which rate.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub made: Made,
    pub rate: SampleRate,
}

#[derive(Debug)]
struct Entry {
    pcm: Arc<Pcm>,
    used: u64,
}

/// Clips by what they were made of; the least recently used goes first.
#[derive(Debug)]
pub struct Cache {
    entries: HashMap<Key, Entry>,
    max_samples: usize,
    samples: usize,
    uses: u64,
}

impl Cache {
    /// A cache of at most `max_samples` samples in all.
    pub fn new(max_samples: usize) -> Self {
        Self { entries: HashMap::new(), max_samples, samples: 0, uses: 0 }
    }

    /// The clip kept under `key`.
    pub fn find(&mut self, key: &Key) -> Option<Arc<Pcm>> {
        self.uses += 1;
        let entry = self.entries.get_mut(key)?;
        entry.used = self.uses;
        Some(Arc::clone(&entry.pcm))
    }

    /// Keeps `pcm`, unless it alone is more than fits, and makes room for it.
    pub fn keep(&mut self, key: Key, pcm: Arc<Pcm>) {
        let size = pcm.samples.len();
        if size > self.max_samples {
            return;
        }
        self.remove(&key);
        while self.samples + size > self.max_samples {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.used);
            let key = oldest.expect("samples are counted only while entries hold them").0.clone();
            self.remove(&key);
        }
        self.uses += 1;
        self.samples += size;
        self.entries.insert(key, Entry { pcm, used: self.uses });
    }

    fn remove(&mut self, key: &Key) {
        if let Some(entry) = self.entries.remove(key) {
            self.samples -= entry.pcm.samples.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8) -> Key {
        Key { made: Made::File([n; 32]), rate: SampleRate::Hz8000 }
    }

    fn clip(samples: usize) -> Arc<Pcm> {
        Arc::new(Pcm { rate: SampleRate::Hz8000, samples: vec![1; samples] })
    }

    #[test]
    fn the_least_recently_used_clip_makes_room() {
        let mut cache = Cache::new(10);
        cache.keep(key(1), clip(4));
        cache.keep(key(2), clip(4));
        assert!(cache.find(&key(1)).is_some());
        cache.keep(key(3), clip(4));
        assert!(cache.find(&key(2)).is_none());
        assert!(cache.find(&key(1)).is_some());
        assert!(cache.find(&key(3)).is_some());
        assert_eq!(cache.samples, 8);
    }

    #[test]
    fn a_clip_larger_than_the_cache_is_not_kept() {
        let mut cache = Cache::new(10);
        cache.keep(key(1), clip(10));
        cache.keep(key(2), clip(11));
        assert!(cache.find(&key(1)).is_some());
        assert!(cache.find(&key(2)).is_none());
    }

    #[test]
    fn keeping_a_clip_again_counts_it_once() {
        let mut cache = Cache::new(10);
        cache.keep(key(1), clip(6));
        cache.keep(key(1), clip(7));
        assert_eq!(cache.samples, 7);
    }
}
