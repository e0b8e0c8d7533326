//! Folders, lists and masks as users bring them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/place.rs"]
mod place;

use place::{Place, err, out};
use std::fs;
use std::os::unix::fs::symlink;

/// What the script prints, or its error.
fn say(p: &Place, script: &str) -> Result<String, String> {
    p.script("s.rhai", script);
    let o = p.run(&["run", "s.rhai", "--threads", "1"]);
    if o.status.success() { Ok(out(&o)) } else { Err(err(&o)) }
}

/// A grey PNG, with the folders above it.
fn grey(p: &Place, name: &str, [width, height]: [u32; 2], depth: png::BitDepth, data: &[u8]) {
    let path = p.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut encoder = png::Encoder::new(fs::File::create(path).unwrap(), width, height);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(depth);
    encoder.write_header().unwrap().write_image_data(data).unwrap();
}

#[test]
fn every_folder_is_a_class_with_pictures() {
    let p = Place::new();
    let photo = |name: &str| grey(&p, name, [2, 2], png::BitDepth::Eight, &[9; 4]);
    let count = "let d = data::folder(\"photos\", #{size: 2}); print(`${d.len()} of ${d.classes.len()}`);";
    photo("photos/cat/a.png");
    fs::create_dir(p.path().join("photos/dog")).unwrap();
    fs::write(p.path().join("photos/dog/b.heic"), "a picture of another kind").unwrap();
    let said = say(&p, count).unwrap_err();
    assert!(said.contains("no pictures in dog") && said.contains("png, jpg"), "{said}");
    photo("photos/dog/a.png");
    // A link that leads back to where it lies.
    symlink(".", p.path().join("photos/dog/round")).unwrap();
    assert_eq!(say(&p, count).unwrap(), "2 of 2\n");
}

/// A picture that cannot be read shifts nothing: labels, predictions and pictures stay together.
#[test]
fn skipped_pictures_take_their_labels_along() {
    let p = Place::new();
    for (name, value) in [("dark/a", 10), ("dark/c", 20), ("light/d", 200)] {
        grey(&p, &format!("photos/{name}.png"), [2, 2], png::BitDepth::Eight, &[value; 4]);
    }
    fs::write(p.path().join("photos/dark/b.png"), "broken").unwrap();
    let script = r#"
        let d = data::folder("photos", #{size: 2, on_error: "skip"});
        let net = nn::sequential([["conv", nn::conv2d(3, 3, 1)], ["mean", nn::adaptive_avg_pool2d(1)], ["flat", nn::flatten()], ["fc", nn::linear(3, 2)]]);
        print(embed::features(net, "mean", d).labels);
        print(train::predict(net, d).index.to_list());
        net.freeze(["conv"]);
        let p = train::predict(net, d);
        print(p.index.to_list() + p.target.to_list());"#;
    assert_eq!(say(&p, script).unwrap(), "[0, 0, 1]\n[0, 2, 3]\n[0, 2, 3, 0, 0, 1]\n");
}

#[test]
fn targets_that_stay_are_told() {
    let p = Place::new();
    let with = |masks: &str| {
        p.script(
            "s.rhai",
            &format!(
                "let x = tensor::rand([2, 3, 4, 4]); let m = tensor::zeros([2, 4, 4]);
             data::from_tensors(x, {masks}).augment(augment::random_horizontal_flip());"
            ),
        );
        err(&p.run(&["run", "s.rhai", "--threads", "1"]))
    };
    assert!(with("m").contains("the targets [2, 4, 4] stay as they are"), "{}", with("m"));
    assert_eq!(with("m.long()"), "");
}

#[test]
fn a_head_of_other_words_is_no_picture() {
    let p = Place::new();
    grey(&p, "a.png", [2, 2], png::BitDepth::Eight, &[9; 4]);
    let read = "print(data::csv(\"list.csv\", #{size: 2, on_error: \"skip\"}).len())";
    fs::write(p.path().join("list.csv"), "image_id,breed\na.png,pug\n").unwrap();
    let said = say(&p, read).unwrap_err();
    assert!(said.contains("what are the columns image_id, breed?"), "{said}");
    fs::write(p.path().join("list.csv"), "a.png,pug\n").unwrap();
    assert_eq!(say(&p, read).unwrap(), "1\n");
}

#[test]
fn pixels_that_do_not_count_are_in_no_share() {
    let p = Place::new();
    // Of twelve rows the first four do not count, and the last four are the thing.
    let mask: Vec<u8> = (0..144).map(|i| [255, 0, 1][i / 48]).collect();
    let noise: Vec<u8> = (0..144_u32).map(|i| (i * i * 37 % 251) as u8).collect();
    grey(&p, "pictures/a.png", [12, 12], png::BitDepth::Eight, &noise);
    grey(&p, "masks/a.png", [12, 12], png::BitDepth::Eight, &mask);
    let script = r#"
let data = data::segmentation("pictures", "masks", #{size: 12, classes: ["ground", "thing"]});
let net = nn::sequential([["c", nn::conv2d(3, 4, 1)], ["a", nn::gelu()], ["p", nn::adaptive_avg_pool2d(1)], ["f", nn::flatten()],
                          ["fc", nn::linear(4, 2)]]);
let found = metrics::localisation(net, "a", data, ["saliency"], #{target: target::top()});
let map = attrib::heatmap(attrib::saliency(net, data.get(0).input, target::top())).tensor()[0];
let share = (map.narrow(0, 8, 4).sum() / map.narrow(0, 4, 8).sum()).item();
print(`${found.area} ${share > 0.2} ${(found.table[0].energy - share).abs() < 1e-6}`);
"#;
    assert_eq!(say(&p, script).unwrap(), "0.5 true true\n");
}

#[test]
fn a_threshold_is_one_of_brightness() {
    let p = Place::new();
    // Of one bit: white is 1 in the file.
    for file in ["pictures/a.png", "masks/a.png"] {
        grey(&p, file, [4, 2], png::BitDepth::One, &[0b1010_0000, 0b0010_0000]);
    }
    let sum = |options: &str| {
        let set = format!("data::segmentation(\"pictures\", \"masks\", #{{size: [2, 4], {options}}})");
        let count = "print(`${(m == 1).sum().item()} ${(m == -100).sum().item()}`)";
        say(&p, &format!("let m = {set}.get(0).target; {count}"))
    };
    assert_eq!(sum("threshold: 128").unwrap(), "3 0\n");
    assert_eq!(sum("threshold: 128, ignore: [0]").unwrap(), "3 5\n");
    let said = sum("colors: [\"black\", \"white\"], ignore: [0]").unwrap_err();
    assert!(said.contains("`ignore` holds values"), "{said}");
}
