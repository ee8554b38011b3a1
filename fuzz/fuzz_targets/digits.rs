#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mixminus_testkit::fuzz::digits(data));
