//! `net.summary([1, 28, 28])`: every layer with its output shape and its parameters.

use super::{Layer, Net, Tap};
use crate::core::{Error, Result, Value};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use tch::{Kind, Tensor};

#[derive(Default)]
struct Shapes(RefCell<HashMap<String, String>>);

impl Tap for Shapes {
    fn after(&self, path: &str, _: &dyn Layer, _: &Value, output: Value) -> Result<Value> {
        let shape = match &output {
            Value::Tensor(t) => format!("{:?}", t.size()),
            other => other.describe(),
        };
        self.0.borrow_mut().insert(path.to_string(), shape);
        Ok(output)
    }
}

/// A count with its thousands apart: `1,234,567`.
fn grouped(n: i64) -> String {
    let digits = n.to_string();
    let head = digits.len() % 3;
    let mut out = digits[..head].to_string();
    for (i, chunk) in digits.as_bytes()[head..].chunks(3).enumerate() {
        if head > 0 || i > 0 {
            out.push(',');
        }
        out += &String::from_utf8_lossy(chunk);
    }
    out
}

impl Net {
    /// A table of the layers: name, type, output shape for an input of `shape` (without the batch), parameters.
    ///
    /// # Errors
    /// An input shape the network does not take.
    pub fn summary(&self, shape: &[i64]) -> Result<String> {
        let _eval = self.evaluating();
        let _no_grad = tch::no_grad_guard();
        let full: Vec<i64> = [&[1], shape].concat();
        if full.iter().any(|n| *n < 1) {
            return Err(Error::new(format!("an input shape holds positive integers, got {shape:?}")));
        }
        let shapes = Rc::new(Shapes::default());
        let x = Tensor::f_zeros(&full, (Kind::Float, self.device()))?;
        let tap: Rc<dyn Tap> = shapes.clone();
        let out = self.forward_with(Value::Tensor(x), &[tap])?;
        let shapes = shapes.0.borrow();
        let mut rows = vec![["layer", "type", "output", "parameters"].map(str::to_string)];
        super::net::walk(&*self.layer(), "", &mut |path, layer| {
            if layer.children().is_empty() || path.is_empty() && layer.own().len() > 1 {
                let count: i64 = layer
                    .own()
                    .iter()
                    .filter(|o| o.2 == super::Role::Parameter)
                    .map(|o| o.1.numel() as i64)
                    .sum();
                let name = if path.is_empty() { "(net)" } else { path };
                let shape = shapes.get(path).cloned().unwrap_or_else(|| "not run".to_string());
                rows.push([name.to_string(), layer.kind(), shape, grouped(count)]);
            }
        });
        let width = |i: usize| rows.iter().map(|r| r[i].chars().count()).max().unwrap_or(0);
        let (a, b, c, d) = (width(0), width(1), width(2), width(3));
        let rule = "─".repeat(a + b + c + d + 6);
        let mut text = String::new();
        for (i, [name, kind, shape, count]) in rows.iter().enumerate() {
            text += &format!("{name:a$}  {kind:b$}  {shape:c$}  {count:>d$}\n");
            if i == 0 {
                text += &format!("{rule}\n");
            }
        }
        let count = |trainable| self.parameters(trainable).iter().map(|(_, t)| t.numel() as i64).sum::<i64>();
        text += &format!(
            "{rule}\n{} parameters, {} of them trainable; ",
            grouped(count(false)),
            grouped(count(true))
        );
        text += &match out {
            Value::Tensor(t) => format!("input {full:?}, output {:?}", t.size()),
            other => format!("input {full:?}, output {}", other.describe()),
        };
        Ok(text)
    }
}

functions! {
    on "Net";
    /// A table of the layers for an input of this shape, without the batch axis.
    /// ```rhai
    /// let text = nn::sequential([["fc", nn::linear(4, 2)]]).summary([4]);
    /// text.contains("10 parameters, 10 of them trainable; input [1, 4], output [1, 2]") // => true
    /// ```
    fn summary(net: Net, shape: Vec<i64>) -> String {
        net.summary(&shape)?
    }
}
