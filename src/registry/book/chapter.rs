//! A chapter of the guide: Markdown, whose code is run.

use super::{Book, Found, Part, conversation, figure};
use crate::core::Result;
use crate::core::page::escaped;
use crate::registry::examples::play;
use pulldown_cmark::{CodeBlockKind, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};
use rhai::Engine;
use std::rc::Rc;

/// `What a map keeps` → `what-a-map-keeps`.
fn slug(title: &str) -> String {
    let plain: String =
        title.to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join("-")
}

fn raw(html: String) -> Event<'static> {
    Event::Html(CowStr::from(html))
}

impl Book {
    /// Markdown as HTML: links checked, names of functions made links, code in colours. `code` says what follows a
    /// block of code that is run; `heading` is told of every heading and gives its id.
    pub(super) fn markdown(
        &mut self,
        at: &str,
        text: &str,
        code: &mut dyn FnMut(&mut Self, &str) -> Result<String>,
        heading: &mut dyn FnMut(&mut Self, &str) -> String,
    ) -> Result<String> {
        let mut events: Vec<Event> = Vec::new();
        let mut parser = Parser::new_ext(text, Options::ENABLE_TABLES);
        let mut linked = 0;
        while let Some(event) = parser.next() {
            match event {
                Event::Start(Tag::CodeBlock(kind)) => {
                    let said: String = parser
                        .by_ref()
                        .take_while(|e| !matches!(e, Event::End(TagEnd::CodeBlock)))
                        .filter_map(|e| if let Event::Text(t) = e { Some(t.to_string()) } else { None })
                        .collect();
                    let lang = match &kind {
                        CodeBlockKind::Fenced(lang) => lang.to_string(),
                        CodeBlockKind::Indented => String::new(),
                    };
                    events.push(raw(match lang.as_str() {
                        "rhai" => self.code(&said) + code(self, &said)?.as_str(),
                        "rhai no_run" => self.code(&said),
                        _ => format!("<pre><code>{}</code></pre>\n", escaped(said.trim_end())),
                    }));
                }
                Event::Start(Tag::Heading { level, .. }) => {
                    let inner: Vec<Event> = parser
                        .by_ref()
                        .take_while(|e| !matches!(e, Event::End(TagEnd::Heading(_))))
                        .collect();
                    let plain: String = inner
                        .iter()
                        .filter_map(
                            |e| if let Event::Text(t) | Event::Code(t) = e { Some(&**t) } else { None },
                        )
                        .collect();
                    let id = heading(self, &plain);
                    let level = if level == HeadingLevel::H1 { 1 } else { 2.max(level as usize) };
                    let mut body = String::new();
                    html::push_html(&mut body, inner.into_iter());
                    events.push(raw(format!("<h{level} id=\"{}\">{body}</h{level}>\n", escaped(&id))));
                }
                Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                    linked += 1;
                    let dest_url = CowStr::from(self.target(at, &dest_url));
                    events.push(Event::Start(Tag::Link { link_type, dest_url, title, id }));
                }
                Event::End(TagEnd::Link) => {
                    linked -= 1;
                    events.push(Event::End(TagEnd::Link));
                }
                Event::Code(said) if linked == 0 => {
                    if self.is_stale(&said) {
                        self.faults.push(format!("{at}: there is no `{said}`"));
                    }
                    let shown = format!("<code>{}</code>", escaped(&said));
                    events.push(Event::InlineHtml(CowStr::from(match self.named(&said) {
                        Some(id) => format!("<a href=\"#{}\">{shown}</a>", escaped(id)),
                        None => shown,
                    })));
                }
                // Markup has no place in our texts: `<name>` is meant as it stands.
                Event::Html(t) | Event::InlineHtml(t) => events.push(Event::Text(t)),
                other => events.push(other),
            }
        }
        let mut out = String::new();
        html::push_html(&mut out, events.into_iter());
        Ok(out.replace("<table>", "<div class=\"wide\"><table>").replace("</table>", "</table></div>"))
    }

    /// Where a link leads in the page.
    fn target(&mut self, at: &str, url: &str) -> String {
        if url.starts_with("https://") {
            return url.to_string();
        }
        let (file, part) = url.split_once('#').unwrap_or((url, ""));
        let id = match (self.ids.get(file), part) {
            (Some(id), "") => return format!("#{id}"),
            (Some(id), part) => format!("{id}/{part}"),
            (None, part) if file.is_empty() => match self.ids.get(part) {
                Some(id) => return format!("#{id}"),
                None => format!("{at}/{part}"),
            },
            // No heading has this id.
            _ => String::new(),
        };
        self.links.push((at.to_string(), url.to_string(), id.clone()));
        format!("#{id}")
    }

    /// A chapter of the guide.
    pub(super) fn chapter(&mut self, engine: &Rc<Engine>, name: &str, text: &str) -> Result<Part> {
        let (mut session, _folder) = conversation(engine)?;
        let mut title = String::new();
        let mut code = |book: &mut Self, code: &str| match play(engine, &mut session, code) {
            Ok(Some(picture)) => figure(&picture),
            Ok(None) => Ok(String::new()),
            Err(e) => {
                book.faults.push(format!("{name}: {e}"));
                Ok(String::new())
            }
        };
        let mut heading = |book: &mut Self, said: &str| {
            let id = match title.is_empty() {
                true => {
                    title = said.to_string();
                    format!("{name}/")
                }
                false => format!("{name}/{}", slug(said)),
            };
            book.headings.insert(id.clone());
            book.found.push(Found {
                id: id.trim_end_matches('/').to_string(),
                name: said.to_string(),
                words: format!("Guide: {title}"),
                text: section(text, said),
            });
            id
        };
        let body = self.markdown(name, text, &mut code, &mut heading)?;
        let html =
            format!("<section class=\"page\" id=\"{name}\"><div class=\"text\">{body}</div></section>\n");
        Ok(Part { id: name.to_string(), title, html, is_type: false })
    }
}

/// The words under a heading.
fn section(text: &str, heading: &str) -> String {
    let plain = |l: &str| l.trim_start_matches('#').replace('`', "").trim().to_string();
    let mut lines = text.lines().skip_while(|l| !l.starts_with('#') || plain(l) != heading.replace('`', ""));
    lines.next();
    let words: Vec<&str> =
        lines.take_while(|l| !l.starts_with('#')).flat_map(str::split_whitespace).collect();
    words.join(" ").to_lowercase()
}
