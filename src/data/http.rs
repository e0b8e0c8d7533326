//! Files from the web: resumed where an earlier attempt ended, kept only when their checksum is right.

use super::catalogue::{Fact, install, megabytes};
use crate::core::{Error, Result, interrupt, progress};
use flate2::read::MultiGzDecoder;
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;
use std::time::Duration;
use ureq::Agent;
use ureq::http::Response;

/// A host that does not answer for so long is taken as unreachable: the next source is tried.
const CONNECT: Duration = Duration::from_secs(4);
/// So long no byte may come before the connection counts as lost.
const SILENCE: Duration = Duration::from_secs(20);
/// Requests in a row that brought nothing new before giving up.
const PATIENCE: u32 = 3;

/// Fetches `url` as the file `fact` of `folder`.
///
/// # Errors
/// No connection, a status other than success, a wrong checksum, Ctrl-C. What was received of a transfer that
/// was cut stays, to be resumed.
pub(super) fn fetch(url: &str, gz: bool, fact: &Fact, folder: &Path) -> Result<()> {
    let part = folder.join(format!(".{}.part", fact.name));
    loop {
        let resumed = part.exists();
        download(url, &part, &fact.name)?;
        let file = File::open(&part).map_err(|e| Error::io(&part, &e))?;
        let installed = match gz {
            true => install(MultiGzDecoder::new(file), fact, folder),
            false => install(file, fact, folder),
        };
        let _ = fs::remove_file(&part);
        // What an earlier attempt left may have been another file's beginning: once more from the start.
        if installed.is_ok() || !resumed {
            return installed;
        }
    }
}

fn agent() -> Agent {
    let config = Agent::config_builder()
        .timeout_resolve(Some(CONNECT))
        .timeout_connect(Some(CONNECT))
        .timeout_recv_response(Some(SILENCE))
        .timeout_per_read(Some(SILENCE))
        .http_status_as_error(false)
        .user_agent(concat!("cs385/", env!("CARGO_PKG_VERSION")));
    config.build().new_agent()
}

/// Brings the file at `url` to `part`, going on behind what is already there.
fn download(url: &str, part: &Path, name: &str) -> Result<()> {
    let failed = |why: String| Error::new(format!("{url}: {why}"));
    let agent = agent();
    let (mut most, mut fruitless, mut said) = (length(part), 0, false);
    loop {
        interrupt::check()?;
        let have = length(part);
        let mut request = agent.get(url);
        if have > 0 {
            request = request.header("Range", format!("bytes={have}-"));
        }
        let response = match request.call() {
            Ok(response) => response,
            Err(e) if !said || fruitless + 1 >= PATIENCE => return Err(failed(e.to_string())),
            Err(_) => {
                fruitless += 1;
                std::thread::sleep(Duration::from_millis(500));
                continue;
            }
        };
        let at = match response.status().as_u16() {
            200 => 0,
            206 if starts_at(&response) == Some(have) => have,
            // There is nothing behind what we have, or another part came than was asked for.
            206 | 416 if have > 0 && fruitless < PATIENCE => {
                fs::remove_file(part).map_err(|e| Error::io(part, &e))?;
                fruitless += 1;
                continue;
            }
            status => return Err(failed(format!("the server answers with status {status}"))),
        };
        let total = response.body().content_length().map_or(0, |n| n + at);
        if !std::mem::replace(&mut said, true) {
            let size = if total > 0 { format!(", {}", megabytes(total)) } else { String::new() };
            progress::say(&format!("fetching {url}{size}"));
        }
        match receive(response, part, at, total, name) {
            Ok(()) => return Ok(()),
            Err(Stop::Final(e)) => return Err(e),
            Err(Stop::Cut(why)) => {
                let now = length(part);
                fruitless = if now > most { 0 } else { fruitless + 1 };
                most = most.max(now);
                if fruitless >= PATIENCE {
                    return Err(failed(why));
                }
            }
        }
    }
}

/// Why a transfer ended early.
enum Stop {
    /// The connection was lost: it can be resumed.
    Cut(String),
    /// The disk, or Ctrl-C.
    Final(Error),
}

fn receive(
    response: Response<ureq::Body>,
    part: &Path,
    at: u64,
    total: u64,
    name: &str,
) -> std::result::Result<(), Stop> {
    let disk = |e: &std::io::Error| Stop::Final(Error::io(part, e));
    let mut file = File::options().create(true).append(true).open(part).map_err(|e| disk(&e))?;
    file.set_len(at).map_err(|e| disk(&e))?;
    let mut body = response.into_body().into_reader();
    let (mut done, mut buffer) = (at, vec![0; 1 << 16]);
    progress::begin(name, total);
    let result = loop {
        if let Err(e) = interrupt::check() {
            break Err(Stop::Final(e));
        }
        match body.read(&mut buffer) {
            Ok(0) if done < total => break Err(Stop::Cut(format!("ended after {done} of {total} bytes"))),
            Ok(0) => break Ok(()),
            Ok(n) => {
                if let Err(e) = file.write_all(&buffer[..n]) {
                    break Err(disk(&e));
                }
                done += n as u64;
                progress::advance(done, || megabytes(done));
            }
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => break Err(Stop::Cut(e.to_string())),
        }
    };
    progress::finish("");
    result
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |m| m.len())
}

/// The first byte a partial answer holds.
fn starts_at(response: &Response<ureq::Body>) -> Option<u64> {
    let range = response.headers().get("content-range")?.to_str().ok()?;
    range.trim().strip_prefix("bytes ")?.split('-').next()?.trim().parse().ok()
}
