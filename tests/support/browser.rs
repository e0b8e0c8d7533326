//! A page in headless Chromium, driven over the DevTools protocol through a pipe: real clicks and keys, what the page
//! answers, its pixels. Without a browser the tests fail: they have shown nothing.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)] // every test program uses a part of it

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cs385::core::picture_file;
use cs385::core::raster::Raster;
use serde_json::{Value, json};

/// How long anything may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser with one page.
pub struct Browser {
    child: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    next: u64,
    session: String,
    events: Vec<Value>,
    errors: Vec<String>,
    mouse: (f64, f64),
    folder: tempfile::TempDir,
}

fn program() -> &'static str {
    let there = |p: &&str| {
        Command::new(p).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
    };
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
        .into_iter()
        .find(there)
        .expect("a test needs Chromium: apt-get install chromium")
}

impl Browser {
    /// A browser with an empty page of 1200 × 800 pixels in light colours.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // The protocol speaks through descriptors 3 and 4 of the browser, which the shell makes from its own ends.
        let mut child = Command::new("sh")
            .args(["-c", "exec \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1", "sh", program()])
            .args(["--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--no-first-run"])
            .args(["--disable-dev-shm-usage", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .args(["--hide-scrollbars", "--mute-audio", "--force-color-profile=srgb", "--lang=en-US"])
            .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let to = child.stdin.take().unwrap();
        let mut pipe = BufReader::new(child.stdout.take().unwrap());
        let (send, from) = channel();
        std::thread::spawn(move || {
            let mut text = Vec::new();
            while pipe.read_until(0, &mut text).is_ok_and(|n| n > 0) {
                text.pop();
                let Ok(message) = serde_json::from_slice(&text) else { break };
                if send.send(message).is_err() {
                    break;
                }
                text.clear();
            }
        });
        let mut b = Browser {
            child,
            to,
            from,
            next: 0,
            session: String::new(),
            events: Vec::new(),
            errors: Vec::new(),
            mouse: (0.0, 0.0),
            folder,
        };
        let target = b.call("Target.createTarget", json!({"url": "about:blank"}));
        let attached =
            b.call("Target.attachToTarget", json!({"targetId": target["targetId"], "flatten": true}));
        b.session = attached["sessionId"].as_str().unwrap().to_string();
        for domain in ["Page", "Runtime", "Log"] {
            b.call(&format!("{domain}.enable"), json!({}));
        }
        let downloads = b.folder.path().join("downloads");
        std::fs::create_dir(&downloads).unwrap();
        let allow = json!({"behavior": "allow", "downloadPath": downloads, "eventsEnabled": true});
        b.call("Browser.setDownloadBehavior", allow);
        b.size(1200, 800);
        b.dark(false);
        b
    }

    /// A browser that shows this file.
    pub fn open(path: impl AsRef<Path>) -> Self {
        let mut b = Self::start();
        b.goto(path);
        b
    }

    /// Shows a file, and waits until it is loaded.
    #[track_caller]
    pub fn goto(&mut self, path: impl AsRef<Path>) {
        let path = std::fs::canonicalize(path.as_ref()).unwrap();
        self.events.clear();
        let went = self.call("Page.navigate", json!({"url": format!("file://{}", path.display())}));
        assert!(went["errorText"].is_null(), "{}: {}", path.display(), went["errorText"]);
        self.wait_event("Page.loadEventFired", |_| true);
    }

    /// The page's window in pixels.
    pub fn size(&mut self, width: u32, height: u32) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", size);
    }

    /// What the reader's system prefers.
    pub fn dark(&mut self, dark: bool) {
        let value = if dark { "dark" } else { "light" };
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": value}]});
        self.call("Emulation.setEmulatedMedia", features);
    }

    /// What an expression of JavaScript gives; a promise is waited for.
    #[track_caller]
    pub fn eval(&mut self, js: &str) -> Value {
        let ask = json!({"expression": js, "awaitPromise": true, "returnByValue": true, "userGesture": true});
        let answer = self.call("Runtime.evaluate", ask);
        if let Some(e) = answer.get("exceptionDetails") {
            panic!("{js}: {}", exception(e));
        }
        answer["result"]["value"].clone()
    }

    /// [`Browser::eval`] of a number.
    #[track_caller]
    pub fn number(&mut self, js: &str) -> f64 {
        let v = self.eval(js);
        v.as_f64().unwrap_or_else(|| panic!("{js}: {v} is no number"))
    }

    /// [`Browser::eval`] of a text.
    #[track_caller]
    pub fn text(&mut self, js: &str) -> String {
        let v = self.eval(js);
        v.as_str().unwrap_or_else(|| panic!("{js}: {v} is no text")).to_string()
    }

    /// Waits until an expression is true.
    #[track_caller]
    pub fn wait(&mut self, js: &str) {
        let begin = Instant::now();
        while self.eval(&format!("!!({js})")) != json!(true) {
            assert!(begin.elapsed() < PATIENCE, "never true: {js}\n{:?}", self.errors);
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the page has drawn two more frames.
    #[track_caller]
    pub fn settle(&mut self) {
        self.eval("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))");
    }

    /// The middle of the element a selector names, scrolled into view.
    #[track_caller]
    pub fn middle(&mut self, selector: &str) -> (f64, f64) {
        let js = format!(
            "(() => {{ const e = document.querySelector({}); if (!e) return null; \
             e.scrollIntoView({{block: 'nearest', inline: 'nearest', behavior: 'instant'}}); \
             const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; }})()",
            json!(selector)
        );
        let at = self.eval(&js);
        let number = |i: usize| at[i].as_f64().unwrap_or_else(|| panic!("no element {selector}"));
        (number(0), number(1))
    }

    fn mouse_event(&mut self, kind: &str, more: Value) {
        let (x, y) = self.mouse;
        let mut event = json!({"type": kind, "x": x, "y": y});
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.call("Input.dispatchMouseEvent", event);
    }

    /// Moves the mouse there.
    pub fn hover(&mut self, x: f64, y: f64) {
        self.mouse = (x, y);
        self.mouse_event("mouseMoved", json!({"button": "none"}));
    }

    /// Presses the left button where the mouse is.
    pub fn press(&mut self) {
        self.mouse_event("mousePressed", json!({"button": "left", "buttons": 1, "clickCount": 1}));
    }

    /// Lets it go.
    pub fn release(&mut self) {
        self.mouse_event("mouseReleased", json!({"button": "left", "buttons": 0, "clickCount": 1}));
    }

    /// Clicks there.
    pub fn click_at(&mut self, x: f64, y: f64) {
        self.hover(x, y);
        self.press();
        self.release();
    }

    /// Clicks the middle of the element a selector names.
    #[track_caller]
    pub fn click(&mut self, selector: &str) {
        let (x, y) = self.middle(selector);
        self.click_at(x, y);
    }

    /// Drags along a line of points with the left button, holding the keys of `modifiers` (Alt 1, Ctrl 2, Meta 4, Shift 8).
    pub fn drag(&mut self, line: &[(f64, f64)], modifiers: u32) {
        self.mouse = line[0];
        self.mouse_event("mouseMoved", json!({"button": "none", "modifiers": modifiers}));
        let down = json!({"button": "left", "buttons": 1, "clickCount": 1, "modifiers": modifiers});
        self.mouse_event("mousePressed", down);
        for at in &line[1..] {
            self.mouse = *at;
            self.mouse_event("mouseMoved", json!({"button": "left", "buttons": 1, "modifiers": modifiers}));
        }
        let up = json!({"button": "left", "buttons": 0, "clickCount": 1, "modifiers": modifiers});
        self.mouse_event("mouseReleased", up);
    }

    /// Turns the wheel there.
    pub fn wheel(&mut self, x: f64, y: f64, down: f64) {
        self.mouse = (x, y);
        self.mouse_event("mouseWheel", json!({"deltaX": 0, "deltaY": down}));
    }

    /// Presses a key by its name: "Enter", "Escape", "ArrowLeft", "Tab", "a", " ".
    pub fn key(&mut self, name: &str) {
        let (code, text): (u32, &str) = match name {
            "Enter" => (13, "\r"),
            "Tab" => (9, ""),
            "Escape" => (27, ""),
            "Backspace" => (8, ""),
            "Delete" => (46, ""),
            "End" => (35, ""),
            "Home" => (36, ""),
            "ArrowLeft" => (37, ""),
            "ArrowUp" => (38, ""),
            "ArrowRight" => (39, ""),
            "ArrowDown" => (40, ""),
            one => (one.to_uppercase().bytes().next().map_or(0, u32::from), one),
        };
        let kind = if text.is_empty() { "rawKeyDown" } else { "keyDown" };
        let event = |kind: &str| json!({"type": kind, "key": name, "windowsVirtualKeyCode": code, "text": text, "unmodifiedText": text});
        self.call("Input.dispatchKeyEvent", event(kind));
        let up = json!({"type": "keyUp", "key": name, "windowsVirtualKeyCode": code});
        self.call("Input.dispatchKeyEvent", up);
    }

    /// Types a text where the focus is.
    pub fn write(&mut self, text: &str) {
        self.call("Input.insertText", json!({"text": text}));
    }

    /// What is seen.
    #[track_caller]
    pub fn pixels(&mut self) -> Raster {
        picture_file::decode(&self.png()).unwrap()
    }

    fn png(&mut self) -> Vec<u8> {
        let shot = self.call("Page.captureScreenshot", json!({"format": "png"}));
        STANDARD.decode(shot["data"].as_str().unwrap()).unwrap()
    }

    /// Saves what is seen.
    #[track_caller]
    pub fn screenshot(&mut self, path: impl AsRef<Path>) {
        let png = self.png();
        std::fs::write(path, png).unwrap();
    }

    /// Saves the page as it would be printed.
    #[track_caller]
    pub fn pdf(&mut self, path: impl AsRef<Path>) {
        let pdf = self.call("Page.printToPDF", json!({"printBackground": true, "preferCSSPageSize": true}));
        std::fs::write(path, STANDARD.decode(pdf["data"].as_str().unwrap()).unwrap()).unwrap();
    }

    /// The file that the page saves next: call it after what makes it save.
    #[track_caller]
    pub fn downloaded(&mut self) -> PathBuf {
        let begins = self.wait_event("Browser.downloadWillBegin", |_| true);
        let (id, name) = (begins["guid"].clone(), begins["suggestedFilename"].as_str().unwrap().to_string());
        self.wait_event("Browser.downloadProgress", |p| p["guid"] == id && p["state"] == "completed");
        self.folder.path().join("downloads").join(name)
    }

    /// Errors of the page's console and uncaught exceptions so far.
    pub fn errors(&mut self) -> Vec<String> {
        self.call("Runtime.evaluate", json!({"expression": "0"}));
        self.errors.clone()
    }

    /// The page has reported no error.
    #[track_caller]
    pub fn no_errors(&mut self) {
        let errors = self.errors();
        assert!(errors.is_empty(), "{}", errors.join("\n"));
    }

    /// Calls the protocol and waits for the answer.
    #[track_caller]
    pub fn call(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        let id = self.next;
        let mut message = json!({"id": id, "method": method, "params": params});
        if !self.session.is_empty() && !method.starts_with("Browser.") {
            message["sessionId"] = json!(self.session);
        }
        let mut bytes = serde_json::to_vec(&message).unwrap();
        bytes.push(0);
        self.to.write_all(&bytes).and_then(|()| self.to.flush()).expect("the browser listens");
        let begin = Instant::now();
        loop {
            let message = self.receive(begin, method);
            if message["id"] == json!(id) {
                assert!(message.get("error").is_none(), "{method}: {}", message["error"]);
                return message["result"].clone();
            }
            self.note(message);
        }
    }

    #[track_caller]
    fn receive(&mut self, begin: Instant, what: &str) -> Value {
        match self.from.recv_timeout(PATIENCE.saturating_sub(begin.elapsed())) {
            Ok(message) => message,
            Err(RecvTimeoutError::Timeout) => panic!("{what}: no answer in {PATIENCE:?}\n{:?}", self.errors),
            Err(RecvTimeoutError::Disconnected) => panic!("{what}: the browser has ended (is it installed?)"),
        }
    }

    /// Waits for an event, one that has come already included, and takes it.
    #[track_caller]
    fn wait_event(&mut self, method: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let begin = Instant::now();
        loop {
            let wanted = |e: &Value| e["method"] == method && is_it(&e["params"]);
            if let Some(i) = self.events.iter().position(wanted) {
                return self.events.remove(i)["params"].clone();
            }
            let message = self.receive(begin, method);
            self.note(message);
        }
    }

    fn note(&mut self, message: Value) {
        let p = &message["params"];
        match message["method"].as_str() {
            Some("Runtime.exceptionThrown") => self.errors.push(exception(&p["exceptionDetails"])),
            Some("Log.entryAdded") if p["entry"]["level"] == "error" => {
                self.errors.push(format!("{}: {}", p["entry"]["source"], p["entry"]["text"]));
            }
            Some("Runtime.consoleAPICalled") if p["type"] == "error" || p["type"] == "assert" => {
                self.errors.push(p["args"].to_string());
            }
            Some(m) if m.starts_with("Page.load") || m.starts_with("Browser.") => self.events.push(message),
            _ => {}
        }
    }
}

fn exception(details: &Value) -> String {
    let thrown = details["exception"]["description"].as_str().unwrap_or_default();
    format!("{} {thrown}", details["text"].as_str().unwrap_or_default())
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The main process ends the others when it is asked; killed, it would leave them.
        let _ =
            self.to.write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0").and_then(|()| self.to.flush());
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(5) {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
