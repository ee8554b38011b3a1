//! Benchmarks of the mixer, the codecs and the jitter buffer.
