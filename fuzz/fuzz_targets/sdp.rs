#![no_main]

#[path = "../src/sdp.rs"]
mod sdp;

libfuzzer_sys::fuzz_target!(|data: &[u8]| sdp::sdp(data));
