//! Scripts as parts of a greater one, and the report of what they left.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/browser.rs"]
mod browser;
#[path = "support/place.rs"]
mod place;

use browser::Browser;
use place::{Place, err, interrupt, out};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const QUICK: &str = "record(\"draw\", tensor::rand([1]).item());\nprint(\"quick ran\");";

const SLOW: &str = r#"
let data = data::from_tensors(tensor::randn([2000, 64]), tensor::randint(0, 10, [2000]));
let net = nn::sequential([nn::linear(64, 128), nn::dropout(0.3), nn::relu(), nn::linear(128, 10)]);
let run = train::fit(net, data, #{epochs: param("epochs", 6, "Passes."), batch_size: 8, save_every: 0.05,
                              optimizer: optim::adam(#{lr: 1e-3})});
record("loss", run.last.train_loss);
"#;

const WHOLE: &str = r#"
let before = tensor::rand([1]).item();
let quick = experiment::run("quick.rhai", #{});
let slow = experiment::run("slow.rhai", #{epochs: 6}, #{seed: 3});
print(`quick ${quick.fresh} ${quick.results.draw}`);
print(`slow ${slow.results.loss} then ${tensor::rand([1]).item()}`);
// The first run of this script, whatever its parts ran: it lies in the folder itself.
train::fit(nn::linear(2, 2), data::from_tensors(tensor::rand([8, 2]), tensor::zeros([8]).long()), #{
    epochs: 1, optimizer: optim::sgd(#{lr: 0.1})});
"#;

fn place() -> Place {
    let place = Place::new();
    fs::create_dir(place.path().join("scripts")).unwrap();
    for (name, text) in [("quick", QUICK), ("slow", SLOW), ("whole", WHOLE)] {
        place.script(&format!("scripts/{name}.rhai"), text);
    }
    place
}

fn run(place: &Place) -> String {
    let o = place.run(&["run", "scripts/whole.rhai", "--threads", "1"]);
    assert!(o.status.success(), "{}", err(&o));
    assert!(place.path().join("outputs/whole/latest/history.csv").exists());
    out(&o)
}

/// The last lines: they tell of both parts.
fn end(text: &str) -> Vec<&str> {
    text.lines().filter(|l| l.starts_with("quick ") && !l.ends_with("ran") || l.starts_with("slow")).collect()
}

/// The folder of a part.
fn part(place: &Place, name: &str) -> Option<PathBuf> {
    let all = fs::read_dir(place.path().join("outputs/whole/parts")).ok()?;
    all.map(|e| e.unwrap().path()).find(|p| p.file_name().unwrap().to_string_lossy().starts_with(name))
}

#[test]
fn an_interrupted_whole_goes_on_where_it_was() {
    let straight = place();
    let said = run(&straight);
    assert_eq!(end(&said).len(), 2, "{said}");
    assert!(said.contains("quick true"));
    // Done is done, and the numbers after it are the same.
    let again = run(&straight);
    assert!(again.contains("quick false") && !again.contains("quick ran"), "{again}");
    assert_eq!(end(&again)[1], end(&said)[1]);

    let broken = place();
    let mut child = broken.command(&["run", "scripts/whole.rhai", "--threads", "1"]).spawn().unwrap();
    let began = Instant::now();
    let half = || part(&broken, "slow-").is_some_and(|p| p.join("resume.safetensors").exists());
    while !half() && began.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(10));
    }
    interrupt(child.id());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let record = fs::read_to_string(part(&broken, "slow-").unwrap().join("run.json")).unwrap();
    assert!(record.contains("\"result\": \"interrupted\""), "{record}");
    let resumed = run(&broken);
    assert!(resumed.contains("quick false"), "{resumed}");
    assert_eq!(end(&resumed)[1], end(&said)[1]);
}

#[test]
fn a_part_is_what_the_script_is_by_itself() {
    let place = place();
    run(&place);
    let alone =
        place.run(&["run", "scripts/slow.rhai", "--threads", "1", "--seed", "3", "--set", "epochs=6"]);
    assert!(alone.status.success(), "{}", err(&alone));
    let weights = |folder: &Path| fs::read(folder.join("last.safetensors")).unwrap();
    assert_eq!(weights(&part(&place, "slow-").unwrap()), weights(&place.path().join("outputs/slow/latest")));
}

#[test]
fn a_part_is_run_again_when_its_data_changes() {
    let place = place();
    let folder = place.path().join("photos");
    fs::create_dir_all(folder.join("real")).unwrap();
    fs::create_dir(place.path().join("cats")).unwrap();
    fs::write(place.path().join("cats/a.txt"), "cat").unwrap();
    // A class behind a link, and a link back to where it lies.
    symlink(place.path().join("cats"), folder.join("cats")).unwrap();
    symlink(&folder, folder.join("real/round")).unwrap();
    place.script("scripts/part.rhai", "let root = param(\"root\", \"\", \"Folder.\");\nrecord(\"seen\", 1);");
    place.script("scripts/asks.rhai", "print(experiment::run(\"part.rhai\", #{root: \"photos\"}).fresh);");
    let fresh = || {
        let o = place.run(&["run", "scripts/asks.rhai"]);
        assert!(o.status.success(), "{}", err(&o));
        out(&o).contains("true")
    };
    assert_eq!([fresh(), fresh()], [true, false]);
    fs::write(place.path().join("cats/a.txt"), "kitten").unwrap();
    assert_eq!([fresh(), fresh()], [true, false]);
}

#[test]
fn a_setting_that_a_part_does_not_have_is_told_before_it_runs() {
    let place = place();
    place.script("scripts/part.rhai", "let n = param(\"epochs\", 2, \"\");\nprint(\"ran\");");
    place.script("scripts/a.rhai", "experiment::run(\"part.rhai\", #{epohcs: 1});");
    let o = place.run(&["run", "scripts/a.rhai"]);
    assert!(err(&o).contains("unknown setting `epohcs`; did you mean `epochs`"), "{}", err(&o));
    assert!(!out(&o).contains("ran"), "{}", out(&o));
}

#[test]
fn mistakes_in_a_part_are_placed_in_it() {
    let place = place();
    place.script("scripts/bad.rhai", "let x = 1;\nlet n = param(\"n\", 2, \"\");\nthrow \"no luck\";");
    place.script("scripts/a.rhai", "experiment::run(\"bad.rhai\", #{});");
    place.script("scripts/b.rhai", "experiment::run(\"quick.rhai\", #{epohcs: 1});");
    place.script("scripts/c.rhai", "experiment::run(\"nowhere.rhai\", #{});");
    place.script("scripts/d.rhai", "experiment::run(\"d.rhai\", #{});");
    let fails = |name: &str| {
        let o = place.run(&["run", &format!("scripts/{name}.rhai")]);
        assert_eq!(o.status.code(), Some(1), "{}", err(&o));
        err(&o)
    };
    let said = fails("a");
    assert!(
        said.contains("scripts/bad.rhai:3:1: error: no luck") && said.contains("scripts/a.rhai:1:1"),
        "{said}"
    );
    assert!(fails("b").contains("unknown setting `epohcs`"));
    assert!(fails("c").contains("nowhere.rhai: no such file"));
    let said = fails("d");
    assert!(said.contains("d.rhai is a part of itself"), "{said}");
    // What failed is tried again.
    place.script("scripts/bad.rhai", "let n = param(\"n\", 2, \"\");\nrecord(\"n\", n);");
    assert!(place.run(&["run", "scripts/a.rhai"]).status.success());
}

const REPORT: &str = r##"
let evil = "<script>window.ran = 1</script> `a & b` <img src=x onerror='window.ran = 2'>";
for file in ["curve.png", "other/curve.png"] { plot::curves([#{name: "a", y: [1, 3, 2]}], #{}).save(file); }
let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
                          ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
cam::explore(net, ["act"], tensor::rand([2, 1, 12, 12]), #{path: "maps.html", classes: ["a", "b", "c"]});
report::write("report", [
    #{title: "Chapter", text: evil},
    #{title: "Curve", figures: [#{path: "curve.png", caption: evil}], tables: [report::table(["a|b", "n"], [#{"a|b": evil, n: 0.5}])],
      name: "x.rhai", script: evil, settings: "n=4", seconds: 75},
    #{title: "Maps", pages: ["maps.html"], figures: [#{path: "curve.png", caption: "one"}, #{path: "other/curve.png", caption: "two"}]},
    #{title: "Claims", claims: [#{statement: evil, measure: "m", value: "1", threshold: "above 0", verdict: "does not hold", data: "d"}]},
], #{title: "All & more", text: "One.\n\nTwo."});
"##;

#[test]
fn a_report_is_one_page_and_markdown() {
    let place = Place::new();
    place.script("r.rhai", REPORT);
    let o = place.run(&["run", "r.rhai"]);
    assert!(o.status.success(), "{}", err(&o));
    let folder = fs::canonicalize(place.path().join("outputs/r/latest")).unwrap();
    let text = fs::read_to_string(folder.join("report.md")).unwrap();
    for link in ["report/02-curve.png", "report/03-curve.png", "report/03-2-curve.png", "report/03-maps.html"]
    {
        assert!(text.contains(&format!("({link})")) && folder.join(link).exists(), "{text}");
    }
    assert!(text.contains("`x.rhai`, n=4, 1 min 15 s"), "{text}");

    let mut b = Browser::open(folder.join("report.html"));
    assert_eq!(b.text("document.title"), "All & more");
    assert_eq!(b.eval("document.querySelector('figure img').naturalWidth > 300"), true);
    assert_eq!(b.text("document.querySelector('tbody td').textContent").matches("<script>").count(), 1);
    assert_eq!(b.text("document.querySelector('.does-not-hold').textContent"), "does not hold");
    assert_eq!(b.eval("document.querySelector('nav a.chapter').getAttribute('href')"), "#s0");
    b.click("figure button");
    assert_eq!(b.eval("document.querySelector('dialog').open"), true);
    b.click("dialog");
    assert_eq!(b.eval("document.querySelector('dialog').open"), false);
    // The page inside works, under the policy of both.
    b.click("[data-page]");
    let inside = "document.querySelector('iframe').contentDocument.querySelectorAll('#layers button').length";
    let began = Instant::now();
    while b.eval(inside) != 1 && began.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(b.eval(inside), 1);
    assert_eq!(b.eval("window.ran || 0"), 0);
    b.no_errors();
}

#[test]
fn a_report_says_what_is_missing() {
    let place = Place::new();
    let says = |sections: &str, expected: &str| {
        place.script("r.rhai", &format!("report::write(\"r\", {sections});"));
        let o = place.run(&["run", "r.rhai"]);
        assert!(err(&o).contains(expected), "{}", err(&o));
    };
    fs::write(place.path().join("page.html"), "<html><script>alert(1)</script></html>").unwrap();
    says("[#{title: \"a\", figures: [#{path: \"no.png\"}]}]", "no.png: no such file");
    says("[#{title: \"a\", figures: [#{path: \"no.txt\"}]}]", "a figure is a .png, .gif or .svg file");
    says("[#{title: \"a\", pages: [\"page.html\"]}]", "page.html: not a page that cs385 wrote");
    says("[#{titel: \"a\"}]", "did you mean `title`?");
}
