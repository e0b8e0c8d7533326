//! What leaves the room of embeddings: the scripts' files, and the folder for TensorBoard's Projector, which
//! TensorBoard from PyPI serves over HTTP.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/place.rs"]
mod place;
#[path = "support/tensorboard.rs"]
mod tensorboard;

use place::Place;
use serde_json::Value as Json;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

struct Server(Child, String);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Server {
    fn start(folder: &Path) -> Self {
        let mut child = tensorboard::python()
            .args([
                "-m",
                "tensorboard.main",
                "--host",
                "127.0.0.1",
                "--port",
                "0",
                "--load_fast",
                "false",
                "--logdir",
            ])
            .arg(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut address = None;
        for line in lines.map_while(Result::ok) {
            said += &(line.clone() + "\n");
            if let Some((_, rest)) = line.split_once("http://") {
                address = rest.split(['/', ' ']).next().map(String::from);
                break;
            }
        }
        Self(child, address.unwrap_or_else(|| panic!("TensorBoard did not start: {said}")))
    }

    /// The body of an answer of 200.
    fn get(&self, path: &str) -> Vec<u8> {
        let mut stream = TcpStream::connect(&self.1).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {}\r\n\r\n", self.1).unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        let end = all.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
        let head = String::from_utf8_lossy(&all[..end]).to_string();
        assert!(head.lines().next().unwrap().contains(" 200 "), "{path}: {head}");
        all.split_off(end)
    }

    fn projector(&self, what: &str) -> Vec<u8> {
        self.get(&format!("/data/plugin/projector/{what}"))
    }
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

const SCRIPT: &str = r#"
let x = tensor::arange(35).reshape([7, 5]) / 10;
let pictures = [];
for i in 0..7 { pictures.push(image::filled(if i == 2 { 4 } else { 8 }, 8, [30 * i, 0, 200])); }
let points = embed::of(x, #{labels: [0, 1, 0, 1, 0, 1, 0], names: ["a\tcat", "\"dog\" 🐕 <b>"], thumbnails: pictures});
points.tensorboard("logs", #{
    others: #{"half: \"x\"": embed::of(x[[.., 0..3]] * -0.5)},
    metadata: #{"file": ["a", "b\nb", "c", "d", "e", "f\tf", "<img src=x>"], "loss": tensor::arange(7) / 4},
});
"#;

#[test]
fn tensorboard_serves_points_metadata_and_pictures() {
    let p = Place::new();
    p.script("t.rhai", SCRIPT);
    let o = p.run(&["run", "t.rhai"]);
    assert_eq!(o.status.code(), Some(0), "{}", place::err(&o));
    let logs = p.path().join("outputs/t/latest/logs");
    let server = Server::start(&logs);

    // TensorBoard looks for what there is in a thread of its own.
    let begin = Instant::now();
    loop {
        let plugins: Json = serde_json::from_slice(&server.get("/data/plugins_listing")).unwrap();
        if plugins["projector"]["enabled"] == Json::Bool(true) {
            break;
        }
        assert!(begin.elapsed() < Duration::from_secs(60), "no projector in {plugins}");
        std::thread::sleep(Duration::from_millis(200));
    }
    let runs: Vec<String> = serde_json::from_slice(&server.projector("runs")).unwrap();
    assert_eq!(runs, ["."]);
    let info: Json = serde_json::from_slice(&server.projector("info?run=.")).unwrap();
    let maps = info["embeddings"].as_array().unwrap();
    assert_eq!(maps.len(), 2);
    assert_eq!((&maps[0]["tensorName"], &maps[1]["tensorName"]), (&"Points".into(), &"half  \"x\"".into()));
    assert_eq!(maps[0]["tensorShape"], serde_json::json!([7, 5]));
    assert_eq!(maps[0]["sprite"]["singleImageDim"], serde_json::json!([8, 8]));

    let points = floats(&server.projector("tensor?run=.&name=Points"));
    assert_eq!(points, (0..35).map(|i| i as f32 / 10.0).collect::<Vec<_>>());
    let half = floats(&server.projector("tensor?run=.&name=half%20%20%22x%22"));
    assert_eq!(half.len(), 21);
    assert_eq!(half[3..6], [-0.25, -0.3, -0.35]);

    let table = String::from_utf8(server.projector("metadata?run=.&name=Points")).unwrap();
    let rows: Vec<Vec<&str>> = table.lines().map(|l| l.split('\t').collect()).collect();
    assert_eq!(rows[0], ["index", "class", "file", "loss"]);
    assert_eq!(rows.len(), 8);
    assert_eq!(rows[1], ["0", "a cat", "a", "0"]);
    assert_eq!(rows[2], ["1", "\"dog\" 🐕 <b>", "b b", "0.25"]);
    assert_eq!(rows[7], ["6", "a cat", "<img src=x>", "1.5"]);

    // Every picture in its own square; a narrow one in the middle of it.
    let sprite = server.projector("sprite_image?run=.&name=Points");
    let path = p.path().join("sprite.png");
    std::fs::write(&path, sprite).unwrap();
    let sheet = cs385::core::picture_file::read(&path).unwrap();
    assert_eq!([sheet.width, sheet.height], [24, 24]);
    for i in 0..7 {
        let (x, y) = (i % 3 * 8, i / 3 * 8);
        assert_eq!(sheet.get(x + 4, y + 4), [30 * i as u8, 0, 200], "picture {i}");
        let edge = if i == 2 { [255; 3] } else { [30 * i as u8, 0, 200] };
        assert_eq!(sheet.get(x, y), edge, "picture {i}");
    }
}

/// Sixteen photos of each of two classes.
const PHOTOS: &str = r#"
let drawn = data::critters(#{size: 40, classes: 2, train: 32, test: 2}).train;
for i in 0..32 { drawn.picture(i).save(`photos/${drawn.labels[i]}/${i}.png`); }
"#;

#[test]
fn the_scripts_run_in_their_tiny_size() {
    let p = Place::new();
    p.script("photos.rhai", PHOTOS);
    assert_eq!(p.run(&["run", "photos.rhai"]).status.code(), Some(0));
    for (name, files) in [
        (
            "tsne_features",
            ["map.html", "map.png", "photos.png", "zoom.png", "neighbours.png", "map.svg"].as_slice(),
        ),
        (
            "pca_tsne_3d",
            ["map.html", "tensorboard/sprite.png", "maps.png", "measures.png", "growing.gif", "turning.gif"]
                .as_slice(),
        ),
    ] {
        let script = format!("{}/scripts/{name}.rhai", env!("CARGO_MANIFEST_DIR"));
        // Once with the data they have by themselves, once with photos.
        let photos = format!("root={}", p.path().join("outputs/photos/latest/photos").display());
        let go = |more: &[&str]| {
            let o = p.run(&[&["run", &script, "--set", "size=tiny"], more].concat());
            assert_eq!(o.status.code(), Some(0), "{}", place::err(&o));
            o
        };
        go(&["--set", &photos]);
        let o = go(&[]);
        for file in files {
            let path = p.path().join("outputs").join(name).join("latest").join(file);
            assert!(path.metadata().unwrap().len() > 1000, "{file}");
        }
        assert!(place::out(&o).contains("neighbours kept 0."), "{}", place::out(&o));
    }
}
