//! The one error of all rooms below the script boundary: what went wrong and how to go on.
//! Positions are added at the boundary (`bindings::guard`), the call's name too.

use std::fmt;
use std::path::Path;

/// What every fallible function of the house returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of failure this is, for those who must treat one specially.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Something the user can mend: the message says what, the hint says how.
    User,
    /// Ctrl-C: the computation stopped on request.
    Interrupted,
    /// A script closure failed; `bindings` holds the script error with its own position.
    Callback,
}

/// A message in the user's words, and a hint that says how to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What was wrong, where, and which values were expected. No full stop, no capital.
    pub msg: String,
    /// How to go on.
    pub hint: Option<String>,
    /// What kind of failure.
    pub kind: Kind,
}

impl Error {
    /// An error with a message only.
    pub fn new(msg: impl Into<String>) -> Self {
        Self { msg: msg.into(), hint: None, kind: Kind::User }
    }

    /// The computation was stopped by Ctrl-C, or because it reached a limit.
    pub fn interrupted() -> Self {
        let why = super::interrupt::reason().unwrap_or("interrupted".to_string());
        Self { kind: Kind::Interrupted, ..Self::new(why) }
    }

    /// A script closure failed; the script error itself waits at the boundary.
    pub fn callback(msg: impl Into<String>) -> Self {
        Self { kind: Kind::Callback, ..Self::new(msg) }
    }

    /// The same error with a hint; an inner hint is kept, for it is nearer to the cause.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint.get_or_insert_with(|| hint.into());
        self
    }

    /// The same error with `context: ` before its message.
    #[must_use]
    pub fn within(mut self, context: impl fmt::Display) -> Self {
        if self.kind == Kind::User {
            self.msg = format!("{context}: {}", self.msg);
        }
        self
    }

    /// An operating-system error about a file.
    pub fn io(path: impl AsRef<Path>, err: &std::io::Error) -> Self {
        let path = path.as_ref().display();
        match err.kind() {
            std::io::ErrorKind::NotFound => Self::new(format!("{path}: no such file or folder")),
            std::io::ErrorKind::PermissionDenied => Self::new(format!("{path}: permission denied")),
            _ => Self::new(format!("{path}: {err}")),
        }
    }

    /// `name` is not one of `valid`: names the nearest and lists them all.
    pub fn unknown<S: AsRef<str>>(what: &str, name: &str, valid: impl IntoIterator<Item = S>) -> Self {
        let valid: Vec<String> = valid.into_iter().map(|v| v.as_ref().to_string()).collect();
        let mut msg = format!("unknown {what} `{name}`");
        if let Some(near) = nearest(name, &valid) {
            msg += &format!("; did you mean `{near}`?");
        }
        let hint = match valid.len() {
            0 => format!("there is no {what} to choose from"),
            _ => format!("valid: {}", valid.join(", ")),
        };
        Self::new(msg).hint(hint)
    }
}

/// The name of `valid` nearest to `name`, if one is near enough to be meant.
pub fn nearest<'a, S: AsRef<str>>(name: &str, valid: &'a [S]) -> Option<&'a str> {
    let lower = name.to_lowercase();
    valid
        .iter()
        .map(AsRef::as_ref)
        .map(|v| (strsim::damerau_levenshtein(&lower, &v.to_lowercase()), v))
        .filter(|(d, v)| *d <= (name.len().max(v.len()) / 3).max(1))
        .min_by_key(|(d, _)| *d)
        .map(|(_, v)| v)
}

impl Error {
    /// What libtorch says in `text`, and how to go on where it is known.
    pub fn torch(text: &str) -> Self {
        let msg = torch_message(text);
        let devices =
            text.contains("on the same device") || text.contains("type (CPU") && text.contains("CUDA");
        match msg.as_str() {
            _ if devices => {
                Self::new(msg).hint("move one to the other's device: x.to(device()), net.to(\"cpu\") …")
            }
            "ZeroDivisionError" => Self::new("division of whole numbers by zero")
                .hint("numbers with a point give inf or nan instead: x.float()"),
            m if m.contains("numel() == 0") => Self::new("the tensor is empty")
                .hint("test x.numel() > 0 first, or name a dim that is not 0 long"),
            m if m.contains("optional 0 dim batch size") => Self::new(msg)
                .hint("only the batch may be 0 long: a crop or an earlier layer has left no pixels"),
            _ => Self::new(msg),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.msg)
    }
}

impl std::error::Error for Error {}

impl From<tch::TchError> for Error {
    /// libtorch's message without its C++ backtrace.
    fn from(err: tch::TchError) -> Self {
        Self::torch(&err.to_string())
    }
}

/// The first telling line of a libtorch message.
pub fn torch_message(text: &str) -> String {
    let text = text.split("\nException raised from").next().unwrap_or(text);
    // A TorchScript program tells where it is, and at the end what is wrong: `RuntimeError: …`.
    let is_fault =
        |l: &&str| l.split(": ").next().is_some_and(|w| w.ends_with("Error") || w.ends_with("Exception"));
    let fault = text.contains("TorchScript interpreter").then(|| text.lines().rfind(is_fault)).flatten();
    let text = fault.map_or(text, |l| l.trim_start_matches("RuntimeError: ").trim_start_matches("builtins."));
    let text = text.strip_prefix("Internal torch error: ").unwrap_or(text);
    let line = text.lines().find(|l| !l.trim().is_empty()).unwrap_or("libtorch failed");
    line.trim().trim_end_matches('.').to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_names_the_nearest_and_lists_all() {
        let e = Error::unknown("option", "lrr", ["lr", "momentum"]);
        assert_eq!(e.msg, "unknown option `lrr`; did you mean `lr`?");
        assert_eq!(e.hint.as_deref(), Some("valid: lr, momentum"));
        assert!(!Error::unknown("option", "zzz", ["lr"]).msg.contains("did you mean"));
    }

    #[test]
    fn torch_messages_lose_their_backtrace() {
        let t = tch::Tensor::ones([3, 4], tch::kind::FLOAT_CPU);
        let u = tch::Tensor::ones([5, 6], tch::kind::FLOAT_CPU);
        let e = Error::from(t.f_matmul(&u).err().unwrap());
        assert_eq!(e.msg, "mat1 and mat2 shapes cannot be multiplied (3x4 and 5x6)");
        let text = "The following operation failed in the TorchScript interpreter.\nTraceback (most recent call last):\n  \
                    File \"a.py\", line 3\n    raise Error: no\nRuntimeError: expected 3 channels, got 2\n";
        assert_eq!(torch_message(text), "expected 3 channels, got 2");
    }
}
