//! Files that NumPy, PyTorch, safetensors and Python wrote, read back. The values follow the rules of
//! `fixtures/readers/make.py`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use cs385::core::pickle::{self, Pickle};
use cs385::core::{arrays, bytes, idx, npy, safetensors, torch_file};
use tch::{Kind, Tensor};

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/readers").join(name)
}

#[track_caller]
fn same(name: &str, got: &Tensor, kind: Kind, shape: &[i64], want: &[f64]) {
    assert_eq!((got.kind(), got.size().as_slice()), (kind, shape), "{name}");
    let flat = got.contiguous().view(-1).to_kind(Kind::Double);
    assert_eq!(Vec::<f64>::try_from(&flat).unwrap(), want, "{name}");
}

fn ramp(n: i64) -> Vec<f64> {
    (0..n).map(|i| (i * 7 - 3) as f64).collect()
}

fn quarter(n: i64) -> Vec<f64> {
    ramp(n).into_iter().map(|x| x / 4.0).collect()
}

fn map(named: Vec<(String, Tensor)>) -> BTreeMap<String, Tensor> {
    named.into_iter().collect()
}

#[test]
fn npz_of_all_element_types() {
    for file in ["kinds.npz", "deflated.npz"] {
        let named = npy::read_npz(fixture(file)).unwrap();
        let got = map(named.tensors);
        let (i, f) = (ramp(6), quarter(6));
        let steps = |step: f64| (0..6).map(|n| f64::from(n) * step).collect::<Vec<_>>();
        same("b1", &got["b1"], Kind::Bool, &[2, 3], &[1., 0., 0., 1., 0., 0.]);
        same("u1", &got["u1"], Kind::Uint8, &[2, 3], &steps(50.));
        same("i1", &got["i1"], Kind::Int8, &[2, 3], &i);
        for sign in ["l", "b"] {
            let key = |code: &str| format!("{sign}{code}");
            same("i2", &got[&key("i2")], Kind::Int16, &[2, 3], &i);
            same("i4", &got[&key("i4")], Kind::Int, &[2, 3], &i);
            same("i8", &got[&key("i8")], Kind::Int64, &[2, 3], &i);
            same("f2", &got[&key("f2")], Kind::Half, &[2, 3], &f);
            same("f4", &got[&key("f4")], Kind::Float, &[2, 3], &f);
            same("f8", &got[&key("f8")], Kind::Double, &[2, 3], &f);
            same("u2", &got[&key("u2")], Kind::Int, &[2, 3], &steps(13_000.));
            same("u4", &got[&key("u4")], Kind::Int64, &[2, 3], &steps(850_000_000.));
        }
        same("u8", &got["lu8"], Kind::Int64, &[2, 3], &steps(1e18));
        same("fortran", &got["fortran"], Kind::Float, &[2, 3], &f);
        same("cube", &got["fortran_cube"], Kind::Int16, &[2, 3, 4], &ramp(24));
        same("objects", &got["objects.0"], Kind::Float, &[2, 3], &f);
        assert_eq!(named.skipped, ["words (array of another type than numbers)", "objects.1 (None)"]);
        assert_eq!(got.len(), 23, "{:?}", got.keys());
    }
}

#[test]
fn npy_versions_shapes_and_errors() {
    let f = quarter(6);
    for file in ["matrix.npy", "version2.npy", "version3.npy"] {
        same(file, &npy::read(fixture(file)).unwrap(), Kind::Float, &[2, 3], &f);
        same(file, &arrays::read(fixture(file)).unwrap(), Kind::Float, &[2, 3], &f);
    }
    same("scalar", &npy::read(fixture("scalar.npy")).unwrap(), Kind::Double, &[], &[-0.75]);
    same("empty", &npy::read(fixture("empty.npy")).unwrap(), Kind::Float, &[0, 3], &[]);
    let inside = map(arrays::read_named(fixture("dict.npy")).unwrap());
    same("dict", &inside["conv1_1.1"], Kind::Float, &[3], &quarter(3));
    let e = npy::read(fixture("dict.npy")).unwrap_err();
    assert!(e.msg.ends_with("dict.npy: holds a pickled dict, not an array of numbers"), "{e}");
    let e = npy::read(fixture("complex.npy")).unwrap_err();
    assert!(e.msg.ends_with("complex.npy: elements of type `<c8`, which tensors have not"), "{e}");
    assert!(e.hint.unwrap().contains("float32"));
    let mut long = std::fs::read(fixture("matrix.npy")).unwrap();
    long.push(0);
    let e = npy::parse("long.npy", &long).unwrap_err();
    assert_eq!(e.msg, "long.npy: shape [2, 3] of Float needs 24 bytes, 25 are there");
    let e = npy::parse("short.npy", &long[..100]).unwrap_err();
    assert_eq!(e.msg, "short.npy: ends too early: 118 bytes expected at byte 10, 90 are there");
}

#[test]
fn npy_is_written_as_numpy_writes_it() {
    for file in ["matrix.npy", "line.npy", "scalar.npy", "empty.npy", "half.npy"] {
        let bytes = std::fs::read(fixture(file)).unwrap();
        assert_eq!(npy::encode(&npy::parse(file, &bytes).unwrap()).unwrap(), bytes, "{file}");
    }
    let turned = Tensor::arange(6, (Kind::Float, tch::Device::Cpu)).view([2, 3]).transpose(0, 1);
    let back = npy::parse("t", &npy::encode(&turned.to_kind(Kind::BFloat16)).unwrap()).unwrap();
    same("turned", &back, Kind::Float, &[3, 2], &[0., 3., 1., 4., 2., 5.]);
}

#[test]
fn what_is_written_is_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let named = torch_file::read(fixture("zip.pth")).unwrap().tensors;
    for file in ["a.safetensors", "a.npz"] {
        let path = dir.path().join(file);
        arrays::write_named(&path, &named).unwrap();
        let back = arrays::read_named(&path).unwrap();
        assert_eq!(back.len(), named.len());
        for ((name, want), (also, got)) in named.iter().zip(&back) {
            assert_eq!(name, also);
            assert!(want.to_kind(Kind::Double).equal(&got.to_kind(Kind::Double)), "{file} {name}");
            assert!(want.kind() == got.kind() || file == "a.npz" && want.kind() == Kind::BFloat16);
        }
        let first = std::fs::read(&path).unwrap();
        arrays::write_named(&path, &named).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), first, "{file} is written alike twice");
    }
    // The reference implementation reads it too, and finds the data aligned.
    let bytes = std::fs::read(dir.path().join("a.safetensors")).unwrap();
    let (header, _) = ::safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    assert_eq!(header % 8, 0);
    let theirs = ::safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(theirs.tensor("conv.weight").unwrap().data()[..4], (-1_f32).to_le_bytes());
    npy::write_npz(dir.path().join("d.npz"), &named, true).unwrap();
    assert_eq!(arrays::read_named(dir.path().join("d.npz")).unwrap().len(), named.len());
    let meta = BTreeMap::from([("epoch".to_string(), "3 \"é\"".to_string())]);
    safetensors::write(dir.path().join("m.safetensors"), &named[..1], &meta).unwrap();
    let back = safetensors::read(dir.path().join("m.safetensors")).unwrap();
    assert_eq!(back.metadata["epoch"], "3 \"é\"");
    let twice = [named[0].0.clone(), named[0].0.clone()].map(|n| (n, Tensor::from(1)));
    let e = arrays::write_named(dir.path().join("b.safetensors"), &twice).unwrap_err();
    assert!(e.msg.ends_with("b.safetensors: the name `conv.weight` is used twice"), "{e}");
    assert!(arrays::write_named(dir.path().join("b.npz"), &twice).is_err());
    let e = arrays::write_named(dir.path().join("b.npy"), &named).unwrap_err();
    assert!(e.msg.ends_with("b.npy: an .npy file holds one array, not 16"), "{e}");
    assert!(
        arrays::write_named(dir.path().join("b.pth"), &named)
            .unwrap_err()
            .msg
            .ends_with("not written as `.pth`")
    );
    let mut left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["a.npz", "a.safetensors", "d.npz", "m.safetensors"]);
}

#[test]
fn pickles_of_all_protocols() {
    for protocol in 0..6 {
        let file = format!("p{protocol}.pkl");
        let value = pickle::read(fixture(&file)).unwrap();
        let shown = |key: &str| format!("{:?}", value.get(key).unwrap());
        let numbers = "List([Int(0), Int(1), Int(255), Int(256), Int(65536), Int(-1), Int(-2147483648), \
                       Int(1099511627776), Int(9223372036854775807), Int(-9223372036854775808), BigInt([0, 0, 0, 0, 0, 0, 0, 128, 0";
        assert!(shown("numbers").starts_with(numbers), "{file}: {}", shown("numbers"));
        assert!(shown("numbers").ends_with("Bool(true), None])"));
        assert_eq!(shown("floats"), "List([Float(1.5), Float(-0.1), Float(1e300), Float(inf)])");
        let texts = format!(
            "List([Str(\"\"), Str(\"café\"), Str(\"€ 😀\"), Str(\"line\\nbreak \\\\ backslash\"), Str({:?})])",
            "x".repeat(300)
        );
        assert_eq!(shown("texts"), texts, "{file}");
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(shown("bytes"), format!("List([Bytes([]), Bytes({all:?}), Bytes([0, 255])])"), "{file}");
        assert_eq!(shown("sets"), "List([Set([Int(1), Int(2)]), Set([Int(3)])])");
        assert_eq!(shown("complex"), "Complex(1.0, -2.0)");
        assert_eq!(shown("scalars"), "List([Float(0.5), Int(-7), Bool(true), Float(0.25)])");
        assert_eq!(shown("ordered"), "Dict([(Str(\"z\"), Int(1)), (Str(\"y\"), Int(2))])");
        assert_eq!(shown("default"), "Dict([(Str(\"k\"), List([Int(1)]))])");
        let named = value.named().unwrap();
        assert!(named.skipped.contains(&"numbers (list of 14)".to_string()), "{:?}", named.skipped);
        let got = map(named.tensors);
        assert_eq!(got.len(), 10, "{:?}", got.keys());
        for name in ["a", "pair.0", "pair.1.0", "deep.big"] {
            same(name, &got[name], Kind::Float, &[2, 3], &quarter(6));
        }
        same("fortran", &got["deep.fortran"], Kind::Double, &[2, 3], &quarter(6));
        same("longs", &got["deep.longs"], Kind::Int64, &[3], &ramp(3));
        same("bytes", &got["pair.1.1"], Kind::Uint8, &[4], &[0., 50., 100., 150.]);
        same("flags", &got["flags"], Kind::Bool, &[2, 3], &[1., 0., 0., 1., 0., 0.]);
        same("empty", &got["empty"], Kind::Float, &[0, 3], &[]);
        let f = |k: i64| (k * 7 - 3) as f64 / 4.0;
        let want: Vec<f64> =
            (0..24).map(|n| (n / 12, n / 3 % 4, n % 3)).map(|(i, j, k)| f(i * 12 + k * 4 + j)).collect();
        same("turned", &got["turned"], Kind::Float, &[2, 4, 3], &want);
        // The same array twice is the same memory twice.
        assert_eq!(got["a"].data_ptr(), got["pair.1.0"].data_ptr());
    }
}

#[test]
fn a_list_changed_after_it_was_shared_is_changed_everywhere() {
    // l = []; both = [l, l]; l.append(7); both
    let value = pickle::parse("l", b"\x80\x02]q\x00]q\x01ah\x01ah\x01K\x07a0.").unwrap();
    assert_eq!(format!("{value:?}"), "List([List([Int(7)]), List([Int(7)])])");
    // d = {'k': 1, 'k': 2}: the last counts.
    let value = pickle::parse("d", b"}(S'k'\nI1\nS'j'\nI5\nS'k'\nI2\nu.").unwrap();
    assert_eq!(format!("{value:?}"), "Dict([(Str(\"k\"), Int(2)), (Str(\"j\"), Int(5))])");
}

#[test]
fn pickle_of_python_2() {
    for got in [
        arrays::read_named(fixture("python2.pkl.gz")).unwrap(),
        pickle::read(fixture("python2.pkl.gz")).unwrap().named().unwrap().tensors,
    ] {
        let names: Vec<_> = got.iter().map(|(n, _)| n.as_str()).collect();
        assert_eq!(names, ["0.0", "0.1", "1.0", "1.1"]);
        same("images", &got[2].1, Kind::Float, &[2, 3], &quarter(6));
        same("labels", &got[3].1, Kind::Int64, &[2], &[200., 3.]);
    }
}

fn check_state(file: &str, got: &BTreeMap<String, Tensor>) {
    let w: Vec<f64> = (0..12).map(|i| f64::from(i) / 4.0 - 1.0).collect();
    let turned: Vec<f64> = (0..12).map(|i| w[i % 3 * 4 + i / 3]).collect();
    let column: Vec<f64> = (0..3).map(|i| w[i * 4 + 1]).collect();
    same(file, &got["conv.weight"], Kind::Float, &[3, 4], &w);
    same(file, &got["conv.tied"], Kind::Float, &[3, 4], &w);
    same(file, &got["conv.turned"], Kind::Float, &[4, 3], &turned);
    same(file, &got["conv.column"], Kind::Float, &[3], &column);
    same(file, &got["part"], Kind::Int, &[3], &[2., 4., 6.]);
    same(file, &got["spread"], Kind::Float, &[2, 3], &[7.; 6]);
    same(file, &got["half"], Kind::Half, &[3, 4], &w);
    same(file, &got["bfloat"], Kind::BFloat16, &[3, 4], &w);
    same(file, &got["double"], Kind::Double, &[3, 4], &w);
    same(file, &got["long"], Kind::Int64, &[2, 2], &[1., -2., 1_099_511_627_776., 3.]);
    same(file, &got["byte"], Kind::Uint8, &[2], &[0., 255.]);
    same(file, &got["char"], Kind::Int8, &[2], &[-128., 127.]);
    same(file, &got["short"], Kind::Int16, &[2], &[-300., 300.]);
    same(file, &got["flag"], Kind::Bool, &[3], &[1., 0., 1.]);
    same(file, &got["scalar"], Kind::Int64, &[], &[5.]);
    same(file, &got["empty"], Kind::Float, &[0, 3], &[]);
}

#[test]
fn state_dicts_of_both_formats() {
    for file in ["zip.pth", "legacy.pth", "legacy4.pth"] {
        let named = torch_file::read(fixture(file)).unwrap();
        assert_eq!(named.skipped, [] as [&str; 0]);
        assert_eq!((named.tensors[0].0.as_str(), named.tensors.len()), ("conv.weight", 16));
        check_state(file, &map(named.tensors));
        let got = map(arrays::read_named(fixture(file)).unwrap());
        check_state(file, &got);
        assert_eq!(got["conv.weight"].data_ptr(), got["conv.tied"].data_ptr(), "tied weights stay tied");
    }
    let plain = safetensors::read(fixture("state.safetensors")).unwrap();
    assert_eq!(plain.metadata["note"], "café");
    let got = map(plain.tensors);
    check_state("state.safetensors", &got);
    same("uint16", &got["wide"], Kind::Int, &[2], &[0., 65535.]);
    same("no checksum", &arrays::read(fixture("no_checksum.pth")).unwrap(), Kind::Float, &[2], &[1., 1.]);
}

#[test]
fn checkpoints_parameters_and_byte_order() {
    let named = torch_file::read(fixture("checkpoint.pth")).unwrap();
    assert_eq!(named.skipped, ["epoch (int)", "optimizer (dict)", "best (float)"]);
    let names: Vec<_> = named.tensors.iter().map(|(n, _)| n.as_str()).collect();
    let want = [
        "0.weight",
        "0.bias",
        "1.weight",
        "1.bias",
        "1.running_mean",
        "1.running_var",
        "1.num_batches_tracked",
    ];
    assert_eq!(names, want, "`module.` is gone");
    same("weight", &named.tensors[0].1, Kind::Float, &[2, 3], &[0., 1., 2., 3., 4., 5.]);
    let value = torch_file::read_value(fixture("checkpoint.pth")).unwrap();
    assert!(matches!(value.get("epoch"), Some(Pickle::Int(3))));
    let groups = value.get("optimizer").and_then(|o| o.get("param_groups"));
    let Some(Pickle::List(groups)) = groups else { panic!("{groups:?}") };
    assert!(matches!(groups[0].get("lr"), Some(Pickle::Float(lr)) if *lr == 0.5));

    let named = torch_file::read(fixture("kinds.pth")).unwrap();
    assert_eq!(named.skipped, ["o (list of 3)"]);
    let got = map(named.tensors);
    same("p", &got["p"], Kind::Float, &[2], &[1., 2.]);
    same("q", &got["q"], Kind::Float, &[1], &[3.]);
    same("f8", &got["f8"].to_kind(Kind::Float), Kind::Float, &[2], &[0.5, -2.]);

    let got = map(torch_file::read(fixture("big_endian.pth")).unwrap().tensors);
    same("w", &got["w"], Kind::Float, &[3], &[0., 1., 2.]);
    same("n", &got["n"], Kind::Int64, &[2], &[1., 2.]);

    let e = arrays::read_named(fixture("script.pt")).unwrap_err();
    assert!(
        e.msg.ends_with("script.pt: is a TorchScript archive (a compiled program), not a state dict"),
        "{e}"
    );
    assert!(e.hint.unwrap().contains("torch.jit.load(path).state_dict()"));
    let e = torch_file::read(fixture("whole.pth")).unwrap_err();
    assert!(
        e.msg.contains("asks to run `torch.nn.modules.container.Sequential`: refused, nothing was executed"),
        "{e}"
    );
    assert!(e.hint.unwrap().contains("state_dict()"));
}

#[test]
fn idx_plain_and_gzip() {
    let want: Vec<f64> = (0..12).map(|i| f64::from(i * 20)).collect();
    for file in ["images-idx3-ubyte", "images-idx3-ubyte.gz"] {
        same(file, &idx::read(fixture(file)).unwrap(), Kind::Uint8, &[2, 2, 3], &want);
        same(file, &arrays::read(fixture(file)).unwrap(), Kind::Uint8, &[2, 2, 3], &want);
    }
    same("floats", &idx::read(fixture("floats.idx")).unwrap(), Kind::Float, &[3], &[0.5, -1., 2.]);
    let e = idx::parse("x.idx", b"\x00\x00\x08\x02\x00\x00\x00\x05").unwrap_err();
    assert_eq!(e.msg, "x.idx: ends too early: 4 bytes expected at byte 8, 0 are there");
    assert_eq!(
        idx::parse("x.idx", b"GIF8").unwrap_err().msg,
        "x.idx: no IDX file: it begins with 47 49 46 38"
    );
}

#[test]
fn the_format_is_known_by_contents() {
    let dir = tempfile::tempdir().unwrap();
    for (file, arrays_inside) in [
        ("matrix.npy", 1),
        ("kinds.npz", 23),
        ("zip.pth", 16),
        ("legacy.pth", 16),
        ("state.safetensors", 17),
        ("p2.pkl", 10),
    ] {
        let path = dir.path().join("weights.dat");
        std::fs::copy(fixture(file), &path).unwrap();
        assert_eq!(arrays::read_named(&path).unwrap().len(), arrays_inside, "{file}");
    }
    let e = arrays::read(fixture("zip.pth")).unwrap_err();
    assert!(e.msg.ends_with("zip.pth: holds 16 arrays, one is wanted"), "{e}");
    assert!(e.hint.unwrap().contains("conv.tied"));
    let msg = |name: &str, bytes: &[u8]| arrays::parse(name, bytes).unwrap_err().msg;
    assert_eq!(msg("a.txt", b"hello"), "a.txt: is no array file that is known");
    assert_eq!(msg("a.npz", b""), "a.npz: is empty");
    assert_eq!(msg("a.npy", b"hello world"), "a.npy: is no .npy file");
    assert_eq!(msg("a.h5", b"\x89HDF\r\n\x1a\n"), "a.h5: is an HDF5 file, which is not read");
    assert_eq!(msg("a.pkl", b"\x80\x02K\x01."), "a.pkl: holds no array");
    let e = arrays::read_named(dir.path().join("no.npy")).unwrap_err();
    assert!(e.msg.ends_with("no.npy: no such file or folder"));
    assert!(arrays::read_named(dir.path()).unwrap_err().msg.ends_with("is not a file"));
}

#[test]
fn bytes_reject_what_does_not_fit() {
    assert!(bytes::tensor(&[0; 8], &[-2], Kind::Float).is_err());
    assert!(bytes::tensor(&[], &[0, i64::MAX, i64::MAX], Kind::Float).is_err());
    assert!(bytes::tensor(&[], &[1; 65], Kind::Float).is_err());
    same("bool", &bytes::tensor(&[0, 2, 1], &[3], Kind::Bool).unwrap(), Kind::Bool, &[3], &[0., 1., 1.]);
    let big = npy::parse("u8", &{
        let mut npy = std::fs::read(fixture("scalar.npy")).unwrap();
        let at = npy.windows(3).position(|w| w == b"<f8").unwrap();
        npy[at..at + 3].copy_from_slice(b"<u8");
        npy
    });
    // -0.75 as bits of a uint64 has the highest bit set.
    assert_eq!(big.unwrap_err().msg, "u8: a uint64 value of 2^63 or more, which int64 cannot hold");
}
