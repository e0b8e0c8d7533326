//! The report as one page: readable and printable without its script, which only opens figures at full size, copies
//! scripts and opens the pages inside it.

use super::{Claim, Figure, ReportOptions, Section, bytes, table};
use crate::core::page::{Page, escaped};
use crate::core::{Error, Opts, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write;
use std::path::Path;

/// Writes `<name>.html`.
///
/// # Errors
/// A figure or page that is not there or not what it should be; a place where nothing can be written.
pub fn write(name: &str, sections: &[Section], o: &ReportOptions) -> Result<()> {
    let mut page = Page::new(&o.title).css(include_str!("page.css")).script(include_str!("page.js"));
    let mut body = format!(
        "<header class=\"head\"><h1>{}</h1>{}<span id=\"theme\" class=\"no-print\"></span></header>\n",
        escaped(&o.title),
        prose(&o.text)
    );
    body += &contents(sections);
    body += "<main>\n";
    let mut pages = 0;
    for (i, s) in sections.iter().enumerate() {
        let heading = if s.is_chapter() { "h2" } else { "h3" };
        let _ = write!(
            body,
            "<section id=\"s{i}\"><{heading}>{}</{heading}>{}",
            escaped(&s.title),
            prose(&s.text)
        );
        for f in &s.figures {
            body += &figure(&f.0)?;
        }
        for t in &s.tables {
            body += &grid(t);
        }
        body += &verdicts(&s.claims);
        for path in &s.pages {
            let html =
                String::from_utf8(bytes(path)?).map_err(|_| Error::new(format!("{path}: not a page")))?;
            page = page
                .inside(&html)
                .map_err(|e| e.within(path))?
                .bytes(&format!("page{pages}"), html.as_bytes());
            let name = escaped(&Path::new(path).file_name().unwrap_or_default().to_string_lossy());
            let _ = write!(
                body,
                "<div class=\"page no-print\"><button type=\"button\" data-page=\"{pages}\">Open {name} here</button></div>"
            );
            pages += 1;
        }
        body += &origin(s);
        body += "</section>\n";
    }
    body += "</main>\n<dialog id=\"large\"><img alt=\"\"><p></p></dialog>\n";
    page.body(&body).write(format!("{name}.html"))?;
    Ok(())
}

fn contents(sections: &[Section]) -> String {
    let mut out = "<nav aria-label=\"Contents\" class=\"no-print\">".to_string();
    for (i, s) in sections.iter().enumerate() {
        let class = if s.is_chapter() { " class=\"chapter\"" } else { "" };
        let _ = write!(out, "<a href=\"#s{i}\"{class}>{}</a>", escaped(&s.title));
    }
    out + "</nav>\n"
}

/// Paragraphs; what stands between backticks as code.
fn prose(text: &str) -> String {
    let paragraph = |p: &str| {
        let parts = p.split('`').enumerate().map(|(i, t)| match i % 2 {
            0 => escaped(t),
            _ => format!("<code>{}</code>", escaped(t)),
        });
        format!("<p>{}</p>", parts.collect::<String>())
    };
    text.split("\n\n").map(str::trim).filter(|p| !p.is_empty()).map(paragraph).collect()
}

fn figure(f: &Figure) -> Result<String> {
    let kind = match Path::new(&f.path).extension().and_then(|e| e.to_str()) {
        Some("png") => "image/png",
        Some("gif") => "image/gif",
        Some("svg") => "image/svg+xml",
        _ => return Err(Error::new(format!("{}: a figure is a .png, .gif or .svg file", f.path))),
    };
    let data = STANDARD.encode(bytes(&f.path)?);
    let caption = escaped(&f.caption);
    Ok(format!(
        "<figure><button type=\"button\" class=\"plain\" title=\"Full size\"><img alt=\"{caption}\" \
         src=\"data:{kind};base64,{data}\"></button><figcaption>{caption}</figcaption></figure>"
    ))
}

fn grid(markdown: &str) -> String {
    let rows = table::rows(markdown);
    let row = |cells: &Vec<String>, tag: &str| {
        let cell = |c: &String| {
            let number = c.trim_end_matches(['%', ' ', 's']).parse::<f64>().is_ok();
            format!("<{tag}{}>{}</{tag}>", if number { " class=\"number\"" } else { "" }, escaped(c))
        };
        format!("<tr>{}</tr>", cells.iter().map(cell).collect::<String>())
    };
    let Some((head, rest)) = rows.split_first() else { return String::new() };
    let rest: String = rest.iter().map(|r| row(r, "td")).collect();
    format!(
        "<div class=\"wide\"><table><thead>{}</thead><tbody>{rest}</tbody></table></div>",
        row(head, "th")
    )
}

fn verdicts(claims: &[Opts<Claim>]) -> String {
    if claims.is_empty() {
        return String::new();
    }
    let mut out =
        "<div class=\"wide\"><table class=\"claims\"><thead><tr><th>Statement</th><th>Measured</th>\
                   <th>Holds if</th><th>Verdict</th><th>On</th></tr></thead><tbody>"
            .to_string();
    for Opts(c) in claims {
        let class = c.verdict.replace(' ', "-");
        let _ = write!(
            out,
            "<tr><td>{}</td><td>{}: <b>{}</b></td><td>{}</td><td class=\"{class}\">{}</td><td>{}</td></tr>",
            escaped(&c.statement),
            escaped(&c.measure),
            escaped(&c.value),
            escaped(&c.threshold),
            escaped(&c.verdict),
            escaped(&c.data)
        );
    }
    out + "</tbody></table></div>"
}

/// What made the section: script, settings, time.
fn origin(s: &Section) -> String {
    if s.name.is_empty() {
        return String::new();
    }
    let (name, settings) = (escaped(&s.name), escaped(&s.settings));
    let said = format!("<code>{name}</code> {settings} <span class=\"quiet\">{}</span>", duration(s.seconds));
    if s.script.is_empty() {
        return format!("<p class=\"origin\">{said}</p>");
    }
    format!(
        "<details class=\"origin\"><summary>{said}</summary><button type=\"button\" class=\"copy no-print\">Copy</button>\
         <pre>{}</pre></details>",
        escaped(&s.script)
    )
}

/// Seconds as people say them.
pub fn duration(seconds: f64) -> String {
    match seconds.round() as u64 {
        s if s < 60 => format!("{seconds:.0} s"),
        s if s < 3600 => format!("{} min {} s", s / 60, s % 60),
        s => format!("{} h {} min", s / 3600, s / 60 % 60),
    }
}
