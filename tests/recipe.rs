//! CONTRIBUTING.md's recipe of a CAM: its text is that of a file which is compiled, so the recipe compiles; its function
//! is there, with its words and its options, and runs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use cs385::explain::Heatmap;
use cs385::registry::entries;
use std::fs;
use std::path::Path;
use support::{Script, distance};
use tch::Tensor;

#[test]
fn the_recipe_of_a_cam_is_compiled() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| fs::read_to_string(root.join(path)).unwrap();
    let text = read("CONTRIBUTING.md");
    let (before, rest) = text.split_once("```rust\n").expect("a recipe");
    let (recipe, after) = rest.split_once("\n```\n").unwrap();
    let path = before.rsplit('`').nth(1).unwrap();
    assert_eq!(format!("{recipe}\n"), read(path), "the recipe is not the text of {path}");

    // The one line more that it takes.
    let name = Path::new(path).file_stem().unwrap().to_str().unwrap();
    let line = format!("mod {name};");
    assert!(after.contains(&format!("`{line}` in `src/explain/cam/mod.rs`")));
    assert!(read("src/explain/cam/mod.rs").lines().any(|l| l == line));

    // What was compiled is this text: its words and its own options are those of the function.
    let all = entries();
    let cam = all.iter().find(|e| e.home == "cam" && e.name == name).expect("the function is registered");
    assert!(recipe.contains(&format!("/// {}\n", cam.summary())));
    let own: Vec<String> =
        cam.options().map(|o| o.name.to_string()).filter(|o| recipe.contains(&format!(" {o}: "))).collect();
    assert_eq!(own, ["k"]);

    // A script can use it, its option too.
    let mut s = Script::new();
    tch::manual_seed(1);
    s.tensor("x", &Tensor::randn([2, 3, 8, 8], tch::kind::FLOAT_CPU));
    s.eval(r#"let net = nn::sequential([["conv", nn::conv2d(3, 6, 3)], ["act", nn::relu()]]);"#);
    s.eval("let t = target::custom(|y| y.sum([1, 2, 3]));");
    let mut map = |o: &str| {
        let call = format!(r#"cam::{name}(net, "act", x, t, #{{{o}}})"#);
        s.eval_object::<Heatmap>(&call).tensor().shallow_clone()
    };
    let plain = map("");
    assert_eq!(plain.size(), [2, 8, 8]);
    assert!(distance(&plain, &map("k: 2")) == 0.0 && distance(&plain, &map("k: 1")) > 1e-3);
}
