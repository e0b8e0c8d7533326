//! The shared page in a browser: what was written comes back, and nothing of it runs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/browser.rs"]
mod browser;

use browser::Browser;
use cs385::core::page::Page;
use serde_json::json;

const EVIL: &str =
    "</script><script>window.ran = 1</script><img src=x onerror='window.ran = 2'>\u{2028}\t\"🦊\" &amp; <!--";

const SHOW: &str = r#"
const words = cs.json("words");
document.body.append(cs.el("p", { id: "shown", title: words[0] }, words[0]), cs.el("input", { id: "field", type: "text" }),
  cs.el("button", { id: "save", onclick: () => cs.download("a.csv", cs.csv(words[0])) }, "Save"), cs.themeButton());
window.__floats = Array.from(cs.floats("f"));
window.__ints = Array.from(cs.ints("i"));
window.__number = [1234567, 0.000123456, -2.5, 1e9, NaN].map(cs.number);
"#;

#[test]
fn data_comes_back_and_is_never_run() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("page ü.html");
    // Data that is taken for markup would still not run: the policy knows one script.
    let leak = "<img src=x onerror='window.ran = 3'><script>window.ran = 4</script>";
    let page =
        Page::new(EVIL).script(SHOW).body("<main id=\"main\">ready</main>").json("words", &[EVIL, leak]);
    let html = page.unwrap().floats("f", [1.5, -0.25, 1e30]).ints("i", [7, -1]).html();
    std::fs::write(&path, html).unwrap();
    let mut b = Browser::open(&path);
    assert_eq!(b.text("document.querySelector('#shown').textContent"), EVIL);
    assert_eq!(b.text("document.title"), EVIL.replace('\t', " "));
    assert_eq!(b.eval("window.__floats"), json!([1.5, -0.25, f64::from(1e30f32)]));
    assert_eq!(b.eval("window.__ints"), json!([7, -1]));
    assert_eq!(b.eval("window.__number"), json!(["1,234,567", "1.23e-4", "−2.5", "1.00e+9", "NaN"]));
    assert_eq!(b.eval("window.ran || 0"), json!(0));
    b.no_errors();

    // Real keys, a real click, a saved file.
    b.click("#field");
    b.write("héllo");
    b.key("Backspace");
    assert_eq!(b.text("document.querySelector('#field').value"), "héll");
    b.click("#save");
    let saved = std::fs::read_to_string(b.downloaded()).unwrap();
    assert_eq!(saved, format!("\"{}\"", EVIL.replace('"', "\"\"")));

    // Colours follow the system, until the button chooses.
    let paper = |b: &mut Browser| b.text("getComputedStyle(document.body).backgroundColor");
    assert_eq!(paper(&mut b), "rgb(255, 255, 255)");
    b.dark(true);
    assert_eq!(paper(&mut b), "rgb(20, 22, 26)");
    b.click("[data-role=theme]");
    assert_eq!(paper(&mut b), "rgb(255, 255, 255)");
    assert_eq!(b.pixels().get(1190, 790), [255; 3]);
    b.no_errors();

    // Words put in as markup do not run either, and that is seen.
    b.eval(
        "document.querySelector('#main').innerHTML = cs_leak()"
            .replace("cs_leak()", &json!(leak).to_string())
            .as_str(),
    );
    b.settle();
    assert_eq!(b.eval("window.ran || 0"), json!(0));
    assert!(b.errors().iter().any(|e| e.contains("Content Security Policy")), "{:?}", b.errors());
}
