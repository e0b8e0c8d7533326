//! The manual as one page that is read from a disk: guide, reference, search. The code in it is run while it is made,
//! and its pictures are what that code draws.

mod chapter;
mod reference;

use super::examples::play;
use super::paint::{Class, Stretch, Words};
use super::session::{Session, Start, scratch};
use super::{Entry, entries};
use crate::core::func::FuncKind;
use crate::core::page::{Page, escaped};
use crate::core::{Error, Result, svg};
use crate::image::Picture;
use rhai::Engine;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

const CSS: &str = include_str!("book.css");
const JS: &str = include_str!("book.js");

/// The guide: name of the file in docs/guide without its ending, text. Its first line is the title.
pub const CHAPTERS: &[(&str, &str)] = &[
    ("first_probe", include_str!("../../../docs/guide/first_probe.md")),
    ("train_look_compare", include_str!("../../../docs/guide/train_look_compare.md")),
    ("your_own_cam", include_str!("../../../docs/guide/your_own_cam.md")),
    ("notebook_to_script", include_str!("../../../docs/guide/notebook_to_script.md")),
    ("language", include_str!("../../../docs/guide/language.md")),
    ("prompt", include_str!("../../../docs/guide/prompt.md")),
    ("runs", include_str!("../../../docs/guide/runs.md")),
    ("pytorch", include_str!("../../../docs/guide/pytorch.md")),
];

/// Something the reader may search for.
#[derive(Serialize)]
struct Found {
    /// Where it is.
    id: String,
    /// What it is called.
    name: String,
    /// What is shown of it.
    words: String,
    /// What is searched, besides.
    text: String,
}

/// What a manual is made of.
struct Book {
    all: Vec<Entry>,
    words: Words,
    /// Ids of functions by their path, of namespaces and types by their name, of chapters.
    ids: HashMap<String, String>,
    found: Vec<Found>,
    faults: Vec<String>,
    /// Links to headings, which may come later: chapter, link as it is written, id.
    links: Vec<(String, String, String)>,
    headings: HashSet<String>,
}

impl Book {
    fn new() -> Self {
        let all = entries();
        let mut ids: HashMap<String, String> = HashMap::new();
        for e in &all {
            ids.entry(e.path.clone()).or_insert_with(|| e.path.clone());
            let id = home_id(e.kind != FuncKind::Function, &e.home);
            if !e.home.is_empty() {
                ids.entry(id.clone()).or_insert_with(|| id.clone());
                ids.entry(e.home.clone()).or_insert(id);
            }
        }
        ids.extend(CHAPTERS.iter().map(|(name, _)| (format!("{name}.md"), name.to_string())));
        ids.insert("../reference.md".to_string(), home_id(false, ""));
        Self {
            all,
            words: Words::all(),
            ids,
            found: Vec::new(),
            faults: Vec::new(),
            links: Vec::new(),
            headings: HashSet::new(),
        }
    }

    fn check_links(&mut self) {
        for (at, url, id) in std::mem::take(&mut self.links) {
            if !self.headings.contains(&id) {
                self.faults.push(format!("{at}: the link {url} leads nowhere"));
            }
        }
    }

    /// The id that a name in `code` leads to.
    fn named(&self, code: &str) -> Option<&String> {
        let name = code.split(['(', ' ']).next().unwrap_or(code);
        self.ids.get(name).filter(|_| !name.is_empty())
    }

    /// True for what looks like a function of ours and is none.
    fn is_stale(&self, code: &str) -> bool {
        let name = code.split(['(', ' ', ',']).next().unwrap_or(code);
        let plain = name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == ':');
        let Some((home, member)) = name.split_once("::") else { return false };
        let ours = self.all.iter().any(|e| e.home == home && e.kind == FuncKind::Function);
        ours && plain && !member.is_empty() && !self.ids.contains_key(name)
    }

    /// Code in colours; names of functions lead to them.
    fn code(&self, code: &str) -> String {
        let mut out = String::from("<pre><code>");
        for Stretch(text, class) in self.words.stretches(code.trim_end()) {
            let shown = escaped(text);
            out += &match (class, self.ids.get(text)) {
                (None, _) => shown,
                (Some(Class::Known), Some(id)) => format!("<a href=\"#{}\">{shown}</a>", escaped(id)),
                (Some(class), _) => format!("<span class=\"{}\">{shown}</span>", style(class)),
            };
        }
        out + "</code></pre>\n"
    }
}

fn style(class: Class) -> &'static str {
    match class {
        Class::Keyword => "k",
        Class::Text => "t",
        Class::Number => "n",
        Class::Comment => "c",
        Class::Known => "f",
    }
}

/// The id of the page of a namespace or a type: `cam::`, `Net`. (There is a function `tensor`, too.)
fn home_id(is_type: bool, home: &str) -> String {
    match home {
        "" => "functions".to_string(),
        home if is_type => home.to_string(),
        home => format!("{home}::"),
    }
}

/// A picture as the page shows it: small ones are enlarged, their pixels kept.
fn figure(picture: &Picture) -> Result<String> {
    let [w, h] = picture.size();
    let times = (200 / w.max(h).max(1)).clamp(1, 24);
    let (pixels, url) = (if times > 1 { " class=\"pixels\"" } else { "" }, svg::data_url(picture.raster())?);
    Ok(format!(
        "<figure><img{pixels} width=\"{}\" height=\"{}\" alt=\"what the code draws\" src=\"{url}\"></figure>\n",
        w * times,
        h * times
    ))
}

/// Makes the manual. All code of the guide runs, and the examples of functions that draw.
///
/// # Errors
/// Code that does not give what it says, links that lead nowhere.
pub fn book(engine: &Rc<Engine>) -> Result<Page> {
    let mut book = Book::new();
    let mut guide = Vec::new();
    for (name, text) in CHAPTERS {
        guide.push(book.chapter(engine, name, text)?);
    }
    let reference = book.reference(engine)?;
    book.check_links();
    if !book.faults.is_empty() {
        return Err(Error::new(format!("the manual is wrong:\n{}", book.faults.join("\n"))));
    }
    let link = |id: &str, name: &str| format!("<a href=\"#{}\">{}</a>\n", escaped(id), escaped(name));
    let chapters: String = guide.iter().map(|c| link(&c.id, &c.title)).collect();
    let homes = |types: bool| -> String {
        reference.iter().filter(|p| p.is_type == types).map(|p| link(&p.id, &p.title)).collect()
    };
    let body = format!(
        "<header class=\"bar\"><button id=\"menu\" aria-expanded=\"false\" aria-controls=\"contents\">Contents</button>\
         <a class=\"brand\" href=\"#{first}\">cs385 <span class=\"quiet\">{version}</span></a>\
         <input id=\"search\" type=\"search\" placeholder=\"Search ( / )\" aria-label=\"Search the manual\">\
         </header>\n\
         <div class=\"columns\"><nav id=\"contents\" aria-label=\"Contents\"><h2>Guide</h2>\n{chapters}\
         <h2>Functions</h2>\n<div class=\"homes\">{functions}</div><h2>Types</h2>\n<div class=\"homes\">{types}</div></nav>\n\
         <main data-made-from=\"{made}\"><section id=\"results\" hidden aria-live=\"polite\"></section>\n{pages}</main></div>\n",
        made = made_from(),
        first = CHAPTERS[0].0,
        version = env!("CARGO_PKG_VERSION"),
        functions = homes(false),
        types = homes(true),
        pages = guide.into_iter().chain(reference).map(|p| p.html).collect::<String>(),
    );
    Page::new("cs385: the manual").css(CSS).script(JS).body(&body).json("index", &book.found)
}

/// What tells one state of the manual's sources from another.
pub fn made_from() -> String {
    let mut all = super::reference::reference();
    CHAPTERS.iter().for_each(|(_, text)| all += text);
    let sum = Sha256::digest(all + CSS + JS);
    sum.iter().take(16).map(|b| format!("{b:02x}")).collect()
}

/// One page of the manual.
struct Part {
    id: String,
    title: String,
    html: String,
    is_type: bool,
}

/// A conversation for the code of a chapter, in a folder of its own.
///
/// # Errors
/// No room for temporary files.
fn conversation(engine: &Rc<Engine>) -> Result<(Session, tempfile::TempDir)> {
    let folder = scratch()?;
    Start::test(folder.path().into()).begin()?;
    Ok((Session::new(engine.clone(), "guide"), folder))
}

/// Runs all code blocks of a Markdown text, one after the other.
///
/// # Errors
/// The first that does not give what it says.
pub fn run(engine: &Rc<Engine>, text: &str) -> Result<()> {
    let (mut session, _folder) = conversation(engine)?;
    let mut open: Option<(usize, String)> = None;
    for (i, line) in text.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (Some((line, code)), Some(_)) => {
                play(engine, &mut session, code).map_err(|e| Error::new(format!("line {line}: {e}")))?;
                open = None;
            }
            (Some((_, code)), None) => *code += &format!("{line}\n"),
            (None, Some("rhai")) => open = Some((i + 2, String::new())),
            (None, _) => {}
        }
    }
    Ok(())
}

/// What is wrong with a text as a chapter.
///
/// # Errors
/// No room for temporary files.
pub fn faults(engine: &Rc<Engine>, text: &str) -> Result<Vec<String>> {
    let mut book = Book::new();
    book.chapter(engine, "test", text)?;
    book.check_links();
    Ok(book.faults)
}
