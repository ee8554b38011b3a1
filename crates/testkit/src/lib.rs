//! Test tools: virtual clock, tagged talkers, tone detectors, callback sink.
