//! The mixer seen from outside: what legs say goes in, what they are sent comes out.

mod legs;
mod no_allocation;
mod room;
mod smoothness;
mod who_hears_whom;
mod world;
