//! The mixer seen from outside: what legs say goes in, what they are sent comes out.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod diary;
mod formats;
mod legs;
mod model;
mod no_allocation;
mod room;
mod sharing;
mod smoothness;
mod tapped;
mod taps;
mod voices;
mod who_hears_whom;
mod world;
