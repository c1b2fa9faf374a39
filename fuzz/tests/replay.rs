//! Every seed keeps its target's promise, on stable and without a fuzzer.

use std::fs;
use std::path::Path;

#[test]
fn every_seed_keeps_its_targets_promise() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    for (name, promise) in sip_oauth_fuzz::TARGETS {
        let folder = seeds.join(name);
        let files = fs::read_dir(&folder).unwrap_or_else(|error| {
            panic!("the target {name} needs seeds in seeds/{name}: {error}")
        });
        let mut replayed = 0;
        for file in files {
            let path = file.unwrap().path();
            println!("{}", path.display());
            promise(&fs::read(&path).unwrap());
            replayed += 1;
        }
        assert!(replayed > 0, "seeds/{name} is empty");
    }
}

#[test]
fn every_target_of_the_fuzzer_is_replayed() {
    let targets = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz_targets");
    let mut files: Vec<_> = fs::read_dir(targets)
        .unwrap()
        .map(|file| {
            file.unwrap()
                .path()
                .file_stem()
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    files.sort();
    let names: Vec<_> = sip_oauth_fuzz::TARGETS
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    assert_eq!(files, names);
}
