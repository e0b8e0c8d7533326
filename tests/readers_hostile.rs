//! Files that are damaged or want to do harm: an error each, never a panic, a call or a full memory.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use cs385::core::{Result, arrays, idx, npy, pickle, safetensors, torch_file};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

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

/// Every reader on the same bytes.
fn read_all(bytes: &[u8]) -> [Result<()>; 7] {
    [
        arrays::parse("x.pkl", bytes).map(drop),
        torch_file::parse("x.pth", bytes).map(drop),
        pickle::parse("x.pkl", bytes).map(drop),
        npy::parse("x.npy", bytes).map(drop),
        npy::parse_npz("x.npz", bytes).map(drop),
        safetensors::parse("x.safetensors", bytes).map(drop),
        idx::parse("x.idx", bytes).map(drop),
    ]
}

/// Pickles that run `touch` on `file` when Python loads them.
fn attacks(file: &Path) -> Vec<(&'static str, Vec<u8>)> {
    let command = format!("touch {}", file.display());
    let short = |s: &str| [&[0x8c, s.len() as u8][..], s.as_bytes()].concat();
    let old = |s: &str| [&[b'U', s.len() as u8][..], s.as_bytes()].concat();
    let os = |name| [&b"\x80\x02cos\n"[..], name, b"\n", &old(&command), b"\x85R."].concat();
    let eval = format!("__import__('os').system('{command}')");
    vec![
        ("os.system", os(b"system")),
        ("os.popen", os(b"popen")),
        ("posix.system", [&b"cposix\nsystem\n(S'"[..], command.as_bytes(), b"'\ntR."].concat()),
        (
            "os.system",
            [b"\x80\x04", &short("os")[..], &short("system"), b"\x93", &short(&command), b"\x85R."].concat(),
        ),
        ("os.system", [&b"(S'"[..], command.as_bytes(), b"'\nios\nsystem\n."].concat()),
        ("os.system", [&b"(cos\nsystem\nS'"[..], command.as_bytes(), b"'\no."].concat()),
        ("os.system", [&b"\x80\x02cos\nsystem\n"[..], &old(&command), b"\x85\x81."].concat()),
        ("os.system", [&b"\x80\x02}"[..], &old("w"), b"cos\nsystem\n", &old(&command), b"\x85Rs."].concat()),
        ("builtins.eval", [&b"\x80\x02cbuiltins\neval\n"[..], &old(&eval), b"\x85R."].concat()),
        ("__builtin__.eval", [&b"\x80\x02c__builtin__\neval\n"[..], &old(&eval), b"\x85R."].concat()),
        ("builtins.getattr", b"\x80\x02cbuiltins\ngetattr\ncbuiltins\ndict\nU\x03get\x86R.".to_vec()),
        ("builtins.exec", b"\x80\x02cbuiltins\nexec\nU\x01x\x85R.".to_vec()),
        (
            "torch.storage._load_from_bytes",
            b"\x80\x02ctorch.storage\n_load_from_bytes\nU\x01x\x85R.".to_vec(),
        ),
        ("torch.load", b"\x80\x02ctorch\nload\nU\x01x\x85R.".to_vec()),
    ]
}

#[test]
fn nothing_is_executed() {
    let dir = tempfile::tempdir().unwrap();
    let pwned = dir.path().join("pwned");
    for (name, attack) in attacks(&pwned) {
        // Alone, as an entry of PyTorch's zip, behind the head of its older format, inside an .npy.
        let head = &fixture("legacy.pth")[..];
        let end = head.windows(2).rposition(|w| w == b"\x80\x02").unwrap();
        let start = head.windows(2).enumerate().filter(|(_, w)| *w == b"\x80\x02").nth(3).unwrap().0;
        assert!(start < end);
        let npy = {
            let mut npy = fixture("dict.npy");
            let body = npy.windows(2).position(|w| w[0] == 0x80).unwrap();
            npy.truncate(body);
            npy
        };
        let forms = [
            attack.clone(),
            zipped(&[("a/data.pkl", &attack), ("a/version", b"3\n")]),
            [&head[..start], &attack].concat(),
            [&npy[..], &attack].concat(),
            zipped(&[("w.npy", &[&npy[..], &attack].concat())]),
        ];
        for bytes in forms {
            let e = arrays::parse("weights.pkl", &bytes).unwrap_err();
            let want = format!("the file asks to run `{name}`: refused, nothing was executed");
            assert!(e.msg.starts_with("weights.pkl: ") && e.msg.contains(&want), "{name}: {e}");
            let _ = read_all(&bytes);
        }
    }
    assert!(!pwned.exists());
    // A name made to look like another in a terminal is shown escaped.
    let e = pickle::parse("x", b"c\x1b[2Jos\nsystem\n.").unwrap_err();
    assert!(e.msg.contains("`\\u{1b}[2Jos.system`"), "{e}");
}

#[test]
fn pickles_that_want_too_much() {
    let msg = |bytes: &[u8]| pickle::parse("x", bytes).unwrap_err().msg;
    // Lengths beyond the file.
    assert_eq!(
        msg(b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f"),
        "x: ends too early: 9223372036854775807 bytes expected at byte 11, 0 are there (pickle opcode at byte 2)"
    );
    assert!(msg(b"\x80\x02T\xff\xff\xff\xffab").contains("ends too early"));
    // A list in itself.
    assert!(msg(b"\x80\x02]q\x00h\x00a.").contains("contains itself"));
    assert!(msg(b"\x80\x02}q\x00K\x01h\x00s.").contains("contains itself"));
    // Nested deeper than any stack holds: also when it is dropped.
    let deep = [b"\x80\x02)".to_vec(), vec![0x85; 2_000_000], b".".to_vec()].concat();
    assert!(msg(&deep).contains("nested more than 500 deep"));
    let deep = [vec![b']'; 300_000], vec![b'a'; 299_999], b".".to_vec()].concat();
    assert!(msg(&deep).contains("nested more than 500 deep"));
    let fine = [b"\x80\x02)".to_vec(), vec![0x85; 400], b".".to_vec()].concat();
    assert!(pickle::parse("x", &fine).is_ok());
    // 10^9 elements by naming one list ten times, nine times over.
    let mut laughs = b"\x80\x02]q\x00".to_vec();
    for n in 0..9 {
        laughs.extend_from_slice(b"](");
        laughs.extend([b'h', n].repeat(10));
        laughs.extend_from_slice(&[b'e', b'q', n + 1]);
    }
    laughs.push(b'.');
    assert!(msg(&laughs).contains("would fill the memory"), "{}", msg(&laughs));
    // A large string copied again and again; the same by calls.
    let text = [b"\x80\x02X\x00\x00\x10\x00".to_vec(), vec![b'x'; 1 << 20], b"q\x00".to_vec()].concat();
    let many = [&text[..], b"](", &b"h\x00".repeat(2000), b"e."].concat();
    assert!(msg(&many).contains("would fill the memory"));
    let call = b"c_codecs\nencode\nh\x00U\x06latin1\x86R0";
    assert!(msg(&[&text[..], &call.repeat(2000), b"N."].concat()).contains("would fill the memory"));
    // Stack and memo that are not there.
    for bytes in [
        &b"."[..],
        b"0",
        b"a",
        b"s",
        b"e",
        b"t",
        b"R",
        b"b",
        b"2",
        b"p0\n",
        b"g0\n",
        b"h\x00.",
        b"(.",
        b"\x93",
        b"\x85",
    ] {
        assert!(pickle::parse("x", bytes).is_err(), "{bytes:?}");
    }
    assert!(msg(b"\x80\x02U\x01xQ.").contains("outside the file"));
    assert!(msg(b"\x80\x63.").contains("protocol 99"));
    assert!(msg(b"\x80\x02\xfe").contains("unknown opcode 0xfe"));
}

#[test]
fn archives_that_lie() {
    // A tensor that reaches beyond its storage.
    let bytes = fixture("zip.pth");
    let mut zip = ZipArchive::new(Cursor::new(&bytes)).unwrap();
    let mut entries: Vec<(String, Vec<u8>)> = Vec::new();
    for i in 0..zip.len() {
        let mut entry = zip.by_index(i).unwrap();
        let mut data = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut data).unwrap();
        entries.push((entry.name().to_string(), data));
    }
    let rebuilt = |name: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let mut entries = entries.clone();
        change(&mut entries.iter_mut().find(|(n, _)| n.ends_with(name)).unwrap().1);
        let entries: Vec<_> = entries.iter().map(|(n, d)| (n.as_str(), d.as_slice())).collect();
        zipped(&entries)
    };
    let msg = |bytes: &[u8]| torch_file::parse("x.pth", bytes).unwrap_err().msg;
    assert!(torch_file::parse("x", &rebuilt("/version", &|_| ())).is_ok());
    let far = rebuilt("data.pkl", &|p| {
        let at = p.windows(5).position(|w| w == b"K\x00K\x03K").unwrap();
        p[at + 1] = 1;
    });
    assert!(msg(&far).contains("lies outside its storage of 12 elements"), "{}", msg(&far));
    let short = rebuilt("data/0", &|d| d.truncate(40));
    assert_eq!(msg(&short), "x.pth: zip/data/0: 48 bytes expected, 40 are there");
    // A flipped byte in a weight.
    let mut flipped = bytes.clone();
    let at = bytes.windows(4).rposition(|w| w == 1.75_f32.to_le_bytes()).unwrap();
    flipped[at] ^= 1;
    assert!(msg(&flipped).contains("wrong checksum"));
    // Sizes that the bytes cannot hold: in the directory of a deflated .npz.
    let mut npz = fixture("deflated.npz");
    let at = npz.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    npz[at + 24..at + 28].copy_from_slice(&0xf000_0000_u32.to_le_bytes());
    let e = npy::parse_npz("x.npz", &npz).unwrap_err();
    assert!(e.msg.contains("declares 4026531840 bytes"), "{e}");
    // Names that would climb out of a folder are names only.
    let climbing = zipped(&[("../../evil.npy", &fixture("matrix.npy"))]);
    assert_eq!(arrays::parse("x.npz", &climbing).unwrap().tensors[0].0, "../../evil");
    // A safetensors header of 2^60 bytes.
    let head = [&(1_u64 << 60).to_le_bytes()[..], b"{}"].concat();
    assert!(
        arrays::parse("x.safetensors", &head)
            .unwrap_err()
            .msg
            .starts_with("x.safetensors: no safetensors file")
    );
}

const SMALL: [&str; 12] = [
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

#[test]
fn cut_at_every_byte() {
    for name in SMALL {
        let bytes = fixture(name);
        for n in 0..bytes.len() {
            let part = &bytes[..n];
            let e = arrays::parse(name, part).expect_err(&format!("{name} cut at {n} was read"));
            assert!(e.msg.starts_with(name), "{e}");
            for e in read_all(part).into_iter().filter_map(Result::err) {
                assert!(e.msg.starts_with("x.") && e.msg.len() < 600, "{e}");
            }
        }
    }
}
