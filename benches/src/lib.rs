//! Benchmarks of the mixer, the codecs, the jitter buffer and recordings.
