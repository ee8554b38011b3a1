//! The corpora of the fuzz targets come to their end, without the fuzzer.

#[path = "../../../fuzz/src/sdp.rs"]
mod sdp;

use std::fs;
use std::path::Path;

use mixminus_testkit::fuzz;

/// Every file of the corpora together.
const MAX_CORPORA_BYTES: u64 = 100_000;

type Body = fn(&[u8]);

const TARGETS: &[(&str, Body)] = &[
    ("leg", fuzz::leg),
    ("jitter_buffer", fuzz::jitter_buffer),
    ("digits", fuzz::digits),
    ("rtcp", fuzz::rtcp),
    ("decoders", fuzz::decoders),
    ("sdp", sdp::sdp),
];

#[test]
fn every_input_that_was_found_comes_to_its_end() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    let mut bytes = 0;
    for (target, body) in TARGETS {
        let inputs: Vec<_> =
            fs::read_dir(corpora.join(target)).unwrap().map(|file| file.unwrap().path()).collect();
        assert!(!inputs.is_empty(), "{target} has a corpus");
        for input in inputs {
            let data = fs::read(&input).unwrap();
            println!("{}", input.display());
            bytes += data.len() as u64;
            body(&data);
        }
    }
    assert!(bytes < MAX_CORPORA_BYTES, "{bytes} bytes of corpora");
}
