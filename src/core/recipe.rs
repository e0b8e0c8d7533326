//! Expressions that only build: calls of some functions of the house with numbers, texts, lists, maps and such calls
//! as arguments, as a script would write them. Files carry them, so nothing else can be said in them: no variables,
//! no operators, no other functions.

use super::error::{Error, Result};
use super::func::{Func, FuncKind};
use super::value::{Map, Value};

/// Calls, lists and maps inside each other; more than any network has.
const DEPTH: usize = 200;

/// The value of `text`, in which the functions that `allowed` lets pass may be called.
///
/// # Errors
/// Anything else in the text, and what a function says.
pub fn build(text: &str, allowed: &dyn Fn(&Func) -> bool) -> Result<Value> {
    let mut r = Reader { text, at: 0, depth: 0, allowed };
    let value = r.value()?;
    r.skip();
    if r.at == text.len() { Ok(value) } else { r.fail("the end") }
}

/// `value` as [`build`] reads it; `None` for what has no such text.
pub fn shown(value: &Value) -> Option<String> {
    let list = |all: Vec<Option<String>>| Some(all.into_iter().collect::<Option<Vec<_>>>()?.join(", "));
    Some(match value {
        Value::Bool(b) => b.to_string(),
        Value::Int(n) => n.to_string(),
        Value::Float(v) if v.is_finite() => format!("{v:?}"),
        Value::Str(s) => serde_json::Value::from(s.as_str()).to_string(),
        Value::List(all) => format!("[{}]", list(all.iter().map(shown).collect())?),
        Value::Map(map) => {
            let entries = map.iter().map(|(k, v)| Some(format!("{k}: {}", shown(v)?)));
            format!("#{{{}}}", list(entries.collect())?)
        }
        _ => return None,
    })
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    allowed: &'a dyn Fn(&Func) -> bool,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Steps over `mark`, if it comes next.
    fn eat(&mut self, mark: &str) -> bool {
        self.skip();
        let found = self.rest().starts_with(mark);
        self.at += if found { mark.len() } else { 0 };
        found
    }

    fn fail<T>(&self, wanted: &str) -> Result<T> {
        let found: String = self.rest().chars().take(20).collect();
        Err(Error::new(format!(
            "character {} of the description: expected {wanted}, got {found:?}",
            self.text[..self.at].chars().count() + 1
        )))
    }

    /// The letters from here on that `part` accepts.
    fn word(&mut self, part: fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let word = &rest[..rest.find(|c| !part(c)).unwrap_or(rest.len())];
        self.at += word.len();
        word
    }

    fn name(&mut self) -> Result<&'a str> {
        self.skip();
        match self.word(|c| c.is_ascii_alphanumeric() || c == '_') {
            "" => self.fail("a name"),
            name => Ok(name),
        }
    }

    fn string(&mut self) -> Result<String> {
        let mut escaped = false;
        let end = self.rest().char_indices().skip(1).find(|(_, c)| {
            let end = *c == '"' && !escaped;
            escaped = *c == '\\' && !escaped;
            end
        });
        let Some((end, _)) = end else { return self.fail("the end of a text") };
        let Ok(text) = serde_json::from_str(&self.rest()[..=end]) else { return self.fail("a text") };
        self.at += end + 1;
        Ok(text)
    }

    fn number(&mut self) -> Result<Value> {
        let start = self.at;
        let word = self.word(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+' | '_'));
        if let Ok(n) = word.parse() {
            return Ok(Value::Int(n));
        }
        match word.parse::<f64>() {
            Ok(n) if n.is_finite() => Ok(Value::Float(n)),
            _ => {
                self.at = start;
                self.fail("a number")
            }
        }
    }

    /// Values up to `end`, separated by commas.
    fn list(&mut self, end: &str) -> Result<Vec<Value>> {
        let mut all = Vec::new();
        while !self.eat(end) {
            all.push(self.value()?);
            if !self.eat(",") {
                return if self.eat(end) { Ok(all) } else { self.fail(&format!("`,` or `{end}`")) };
            }
        }
        Ok(all)
    }

    fn map(&mut self) -> Result<Map> {
        let mut map = Map::new();
        while !self.eat("}") {
            let key = self.name()?.to_string();
            if !self.eat(":") {
                return self.fail("`:`");
            }
            map.insert(key, self.value()?);
            if !self.eat(",") {
                return if self.eat("}") { Ok(map) } else { self.fail("`,` or `}`") };
            }
        }
        Ok(map)
    }

    fn value(&mut self) -> Result<Value> {
        self.skip();
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(Error::new("the description is nested too deeply"));
        }
        let value = match self.rest().chars().next() {
            Some('"') => Value::Str(self.string()?),
            Some('0'..='9' | '-') => self.number()?,
            _ if self.eat("[") => Value::List(self.list("]")?),
            _ if self.eat("#{") => Value::Map(self.map()?),
            _ => self.call()?,
        };
        self.depth -= 1;
        Ok(value)
    }

    fn call(&mut self) -> Result<Value> {
        let start = self.at;
        let home = match self.word(|c| c.is_ascii_alphanumeric() || c == '_') {
            "" => return self.fail("a value"),
            "true" => return Ok(Value::Bool(true)),
            "false" => return Ok(Value::Bool(false)),
            home => home,
        };
        if !self.eat("::") {
            self.at = start;
            return self.fail("a value");
        }
        let name = self.name()?;
        let found = inventory::iter::<Func>
            .into_iter()
            .find(|f| f.kind == FuncKind::Function && f.home == home && f.name() == name)
            .filter(|f| (self.allowed)(f));
        let Some(func) = found else {
            return Err(Error::new(format!(
                "the description calls `{home}::{name}`, which builds no layer here"
            )));
        };
        if !self.eat("(") {
            return self.fail("`(`");
        }
        let mut args = self.list(")")?;
        let (least, most) = (func.required(), func.params.len());
        if !(least..=most).contains(&args.len()) {
            return Err(Error::new(format!(
                "the description calls `{}` with {} arguments",
                func.path(),
                args.len()
            ))
            .hint(func.signature()));
        }
        args.resize(most, Value::Nil);
        (func.call)(&args).map_err(|e| e.within(func.path()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Value> {
        build(text, &|f| f.home == "nn" && f.name() == "linear")
    }

    #[test]
    fn values_are_read_as_scripts_write_them() {
        let Value::List(all) = read(r#" [1, -2.5, 1e-5, "a\"],\u00e9", true, #{k: [ ], l: 3,}, ] "#).unwrap()
        else {
            panic!()
        };
        assert!(matches!(all[0], Value::Int(1)) && matches!(all[1], Value::Float(v) if v == -2.5));
        assert!(
            matches!(all[2], Value::Float(v) if v == 1e-5)
                && matches!(&all[3], Value::Str(s) if s == "a\"],é")
        );
        assert!(matches!(&all[5], Value::Map(m) if m.len() == 2));
        assert!(matches!(read("nn::linear(2, 3, #{bias: false})").unwrap(), Value::Object(_)));
    }

    #[test]
    fn what_is_shown_is_read_again() {
        let text = r#"[1, -2.5, 1e-5, "a\"]\n", true, #{k: [], l: #{}}]"#;
        assert_eq!(shown(&read(text).unwrap()).unwrap(), text);
        assert!(shown(&Value::Float(f64::NAN)).is_none() && shown(&Value::Nil).is_none());
    }

    #[test]
    fn nothing_else_can_be_said() {
        for (text, words) in [
            ("nn::relu()", "`nn::relu`, which builds no layer here"),
            ("image::open(\"/etc/passwd\")", "`image::open`"),
            ("exit()", "expected a value, got \"exit()\""),
            ("1 + 1", "expected the end, got \"+ 1\""),
            ("nn::linear(2)", "with 1 arguments"),
            ("nn::linear(2, -3)", "positive integer"),
            ("nn::linear(2, 3", "expected `,` or `)`"),
            ("[1, 2", "expected `,` or `]`"),
            ("\"abc", "the end of a text"),
            ("#{a 1}", "expected `:`"),
            ("1e999", "a number"),
            ("", "a value"),
        ] {
            let e = read(text).err().unwrap();
            assert!(e.msg.contains(words), "{text}: {}", e.msg);
        }
        assert!(read(&"[".repeat(100_000)).err().unwrap().msg.contains("too deeply"));
    }
}
