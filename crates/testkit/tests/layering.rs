//! The crates depend on each other only in the directions that
//! `ARCHITECTURE.md` draws.

use cargo_metadata::{DependencyKind, MetadataCommand, Package};

/// What each crate may depend on directly. The tools for tests are in no list:
/// they are dev-dependencies, which go where they like.
const LAYERS: &[(&str, &[&str])] = &[
    ("audio", &[]),
    ("codec", &["audio"]),
    ("rtp", &["audio", "codec"]),
    ("dtls", &["rtp"]),
    ("ice", &[]),
    ("mixer", &["audio", "codec"]),
    ("recording", &["audio"]),
    ("replay", &["audio", "codec", "mixer"]),
    ("media", &["audio", "codec", "mixer", "replay", "rtp"]),
    ("sip", &["audio", "codec", "ice", "rtp"]),
    ("control", &["mixer"]),
    ("plivo", &[]),
    ("store", &["control"]),
    ("archive", &["recording"]),
    ("rehearse", &["audio", "codec", "rtp", "sip"]),
    ("testkit", &["audio", "codec", "mixer", "rtp"]),
    (
        "server",
        &[
            "archive",
            "audio",
            "codec",
            "control",
            "dtls",
            "ice",
            "media",
            "mixer",
            "plivo",
            "recording",
            "rehearse",
            "replay",
            "rtp",
            "sip",
            "store",
        ],
    ),
    // Measures every crate and ships with none.
    ("benches", &["audio", "codec", "media", "mixer", "recording", "rtp", "testkit"]),
];

fn short(name: &str) -> &str {
    name.strip_prefix("mixminus-").unwrap_or(name)
}

/// What is wrong with the dependencies of `package`.
fn violations(package: &Package) -> Vec<String> {
    let name = short(&package.name);
    let Some((_, allowed)) = LAYERS.iter().find(|(layer, _)| *layer == name) else {
        return vec![format!("{name} has no place in the layers")];
    };
    let ours = package.dependencies.iter().filter(|dependency| dependency.path.is_some());
    let shipped = ours.filter(|dependency| dependency.kind != DependencyKind::Development);
    let wrong = shipped.map(|dependency| short(&dependency.name)).filter(|below| !allowed.contains(below));
    wrong.map(|below| format!("{name} must not depend on {below}")).collect()
}

#[test]
fn crates_depend_only_downwards() {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let metadata = MetadataCommand::new().manifest_path(manifest).no_deps().exec();
    let packages = metadata.expect("cargo describes the workspace this test was built in").packages;
    assert_eq!(packages.len(), LAYERS.len(), "every layer is a crate of the workspace");
    let wrong: Vec<_> = packages.iter().flat_map(violations).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
