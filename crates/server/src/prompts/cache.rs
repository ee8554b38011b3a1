//! Clips that were made before, bounded by the memory that they take.

use std::collections::HashMap;
use std::sync::Arc;

use mixminus_audio::Clip;
use mixminus_control::PromptContent;

use super::voices::Voice;

/// What a clip was made of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Made {
    /// Content that its description determines.
    Named(PromptContent),
    /// A text, by this voice.
    Spoken(String, Voice),
    /// A file with this SHA-256.
    File([u8; 32]),
}

#[derive(Debug)]
struct Entry {
    clip: Arc<Clip>,
    used: u64,
}

/// Clips by what they were made of; the least recently used goes first.
#[derive(Debug)]
pub struct Cache {
    entries: HashMap<Made, Entry>,
    max_bytes: usize,
    uses: u64,
}

impl Cache {
    /// A cache of at most `max_bytes` in all. Clips grow while they are kept, since they remember the rates
    /// that they were played at, so that the bound holds whenever another is added.
    pub fn new(max_bytes: usize) -> Self {
        Self { entries: HashMap::new(), max_bytes, uses: 0 }
    }

    /// The clip that was made of this.
    pub fn find(&mut self, made: &Made) -> Option<Arc<Clip>> {
        self.uses += 1;
        let entry = self.entries.get_mut(made)?;
        entry.used = self.uses;
        Some(Arc::clone(&entry.clip))
    }

    /// Keeps `clip`, unless it alone is more than fits, and makes room for it.
    pub fn keep(&mut self, made: Made, clip: Arc<Clip>) {
        if clip.size_bytes() > self.max_bytes {
            return;
        }
        self.uses += 1;
        self.entries.insert(made, Entry { clip, used: self.uses });
        while self.size_bytes() > self.max_bytes {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.used);
            let made = oldest.expect("what takes memory is there").0.clone();
            self.entries.remove(&made);
        }
    }

    fn size_bytes(&self) -> usize {
        self.entries.values().map(|entry| entry.clip.size_bytes()).sum()
    }
}

#[cfg(test)]
mod tests {
    use mixminus_audio::{Pcm, SampleRate};

    use super::*;

    fn made(n: u8) -> Made {
        Made::File([n; 32])
    }

    fn clip(samples: usize) -> Arc<Clip> {
        Arc::new(Clip::new(Pcm { rate: SampleRate::Hz8000, samples: vec![1; samples] }))
    }

    #[test]
    fn the_least_recently_used_clip_makes_room() {
        let mut cache = Cache::new(20);
        cache.keep(made(1), clip(4));
        cache.keep(made(2), clip(4));
        assert!(cache.find(&made(1)).is_some());
        cache.keep(made(3), clip(4));
        assert!(cache.find(&made(2)).is_none());
        assert!(cache.find(&made(1)).is_some());
        assert!(cache.find(&made(3)).is_some());
        assert_eq!(cache.size_bytes(), 16);
    }

    #[test]
    fn a_clip_larger_than_the_cache_is_not_kept() {
        let mut cache = Cache::new(20);
        cache.keep(made(1), clip(10));
        cache.keep(made(2), clip(11));
        assert!(cache.find(&made(1)).is_some());
        assert!(cache.find(&made(2)).is_none());
    }

    #[test]
    fn keeping_a_clip_again_counts_it_once() {
        let mut cache = Cache::new(20);
        cache.keep(made(1), clip(6));
        cache.keep(made(1), clip(7));
        assert_eq!(cache.size_bytes(), 14);
    }

    #[test]
    fn a_clip_that_grew_counts_as_large_as_it_is() {
        let mut cache = Cache::new(4_000);
        let growing = clip(800);
        cache.keep(made(1), Arc::clone(&growing));
        growing.prepare(SampleRate::Hz16000);
        cache.keep(made(2), clip(1));
        assert!(cache.find(&made(1)).is_none());
        assert_eq!(cache.size_bytes(), 2);
    }
}
