//! Thousands of damaged files: never a panic, never a full memory. One test, one process: the peak of its
//! memory is that of the readers.
//!
//! `CS385_FUZZ=600 cargo test --release --test readers_fuzz -- --nocapture` goes on for so many seconds; with
//! `CS385_FUZZ=600:zip.pth,inner.pth` on these files alone, by turns. The mutations of a file are the same every time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{Cursor, Read, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use cs385::core::arrays;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

const FILES: [&str; 12] = [
    "matrix.npy",
    "dict.npy",
    "kinds.npz",
    "deflated.npz",
    "zip.pth",
    "legacy.pth",
    "legacy4.pth",
    "kinds.pth",
    "p0.pkl",
    "p5.pkl",
    "state.safetensors",
    "images-idx3-ubyte.gz",
];

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/readers").join(name))
        .unwrap()
}

fn zipped(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, data) in entries {
        zip.start_file(*name, SimpleFileOptions::default().compression_method(CompressionMethod::Stored))
            .unwrap();
        zip.write_all(data).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// The address space of this process in MiB, now (`VmSize`) or at most (`VmPeak`): it counts libtorch's
/// allocations and untouched pages too.
fn memory(what: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix(what)).unwrap_or(": 0");
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) / 1024
}

fn mutate(rng: &mut ChaCha8Rng, bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for _ in 0..rng.random_range(1..6) {
        let at = rng.random_range(0..out.len());
        match rng.random_range(0..6) {
            0 => out[at] ^= 1 << rng.random_range(0..8),
            1 => out[at] = rng.random(),
            2 => out[at] = [0, 0x7f, 0x80, 0xff][rng.random_range(0..4)],
            3 => {
                let end = (at + rng.random_range(1..9)).min(out.len());
                out[at..end].fill(0xff);
            }
            4 => {
                out.insert(at, rng.random());
            }
            _ => {
                let end = (at + rng.random_range(1..20)).min(out.len());
                let part = out[at..end].to_vec();
                let to = rng.random_range(0..=out.len());
                out.splice(to..to, part);
            }
        }
    }
    out
}

/// Seconds, and the files, of a long run.
fn long_run() -> (Duration, Option<Vec<String>>) {
    let wish = std::env::var("CS385_FUZZ").unwrap_or_default();
    let (seconds, files) = wish.split_once(':').map_or((wish.as_str(), None), |(s, f)| (s, Some(f)));
    let seconds =
        if seconds.is_empty() { 0 } else { seconds.parse().expect("CS385_FUZZ=seconds[:file,…]") };
    (Duration::from_secs(seconds), files.map(|f| f.split(',').map(str::to_string).collect()))
}

/// 4,000 mutations of each file, and more in a long run.
#[test]
fn flipped_bytes() {
    let (long, files) = long_run();
    let mut seeds: Vec<(&str, Vec<u8>, bool)> = FILES.iter().map(|n| (*n, fixture(n), false)).collect();
    // Most flips inside a zip end at its checksum: these two are mutated within.
    let mut zip = ZipArchive::new(Cursor::new(fixture("zip.pth"))).unwrap();
    let mut data = Vec::new();
    zip.by_name("zip/data.pkl").unwrap().read_to_end(&mut data).unwrap();
    seeds.push(("inner.pth", data, true));
    seeds.push(("inner.npz", fixture("matrix.npy"), true));
    if let Some(files) = files {
        seeds.retain(|(name, ..)| files.iter().any(|f| f == name));
        assert_eq!(seeds.len(), files.len(), "CS385_FUZZ names a file that is not among {FILES:?}");
    }
    for (name, bytes, _) in &seeds {
        let _ = arrays::parse(name, bytes);
    }
    let storage = [1; 400];
    let before = memory("VmSize");
    let each = long / seeds.len() as u32;
    for (name, bytes, wrapped) in &seeds {
        let mut rng = ChaCha8Rng::seed_from_u64(385);
        let (mut tried, mut read, begin) = (0, 0, Instant::now());
        while tried < 4000 || begin.elapsed() < each {
            tried += 1;
            let mut bytes = mutate(&mut rng, bytes);
            if *wrapped {
                let keys: Vec<String> = (0..16).map(|i| format!("a/data/{i}")).collect();
                let mut entries: Vec<(&str, &[u8])> =
                    keys.iter().map(|k| (k.as_str(), &storage[..])).collect();
                entries.push((if *name == "inner.pth" { "a/data.pkl" } else { "a.npy" }, &bytes));
                bytes = zipped(&entries);
            }
            let Ok(named) = arrays::parse(name, &bytes) else { continue };
            read += 1;
            // Every element lies where memory is.
            for (_, tensor) in named.tensors.iter().filter(|(_, t)| t.numel() < 10_000) {
                let _ = cs385::core::bytes::of(tensor).unwrap();
            }
        }
        assert!(read < tried, "{name}: no mutation was noticed");
        let used = memory("VmPeak").saturating_sub(before);
        println!("{name}: {tried} mutations, {read} still read, {used} MiB");
        assert!(used < 256, "{name}: {used} MiB");
    }
}
