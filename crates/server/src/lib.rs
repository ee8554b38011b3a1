//! The mixminus service: configuration, HTTP API, callbacks, prompts, and the
//! exchange that runs the control plane.

pub mod account;
mod beep_ear;
pub mod calls;
pub mod cert;
pub mod cli;
pub mod config;
pub mod dialect;
pub mod endpoints;
pub mod exchange;
pub mod http;
pub mod join_tokens;
pub mod live;
pub mod messages;
pub mod outbox;
mod program;
pub mod prompts;
pub mod rate;
pub mod recogniser;
pub mod recorder;
pub mod recording_place;
pub mod retention;
pub mod serve;
pub mod signer;
pub mod startup;
pub mod streams;
pub mod tls;
pub mod transcripts;
mod tuned;
pub mod web;
pub mod whip;
