//! `:who`: the variables, and what they hold.

use crate::bindings::convert::{Handle, to_value};
use crate::core::{Value, device, memory};
use crate::data::Dataset;
use crate::embed::Embedding;
use crate::explain::Heatmap;
use crate::host::words::type_word;
use crate::image::Picture;
use crate::nn::Net;
use crate::registry::session::Session;
use crate::tensor::dtype;
use rhai::{Dynamic, Engine};
use tch::Tensor;

/// What a value is.
#[derive(Default)]
struct Facts {
    shape: String,
    device: String,
    bytes: u64,
}

fn bytes(t: &Tensor) -> u64 {
    (t.numel() * t.kind().elt_size_in_bytes()) as u64
}

fn of_tensor(t: &Tensor) -> Facts {
    let shape = format!("{:?} {}", t.size(), dtype::name(t.kind()));
    Facts { shape, device: device::name(t.device()), bytes: bytes(t) }
}

fn of_net(net: &Net) -> Facts {
    let all = net.named();
    let parameters: usize = net.parameters(false).iter().map(|(_, t)| t.numel()).sum();
    let shape = format!("{}, {parameters} parameters", count(net.layer_names(true).len().max(1), "layer"));
    Facts { shape, device: device::name(net.device()), bytes: all.iter().map(|(_, t, _)| bytes(t)).sum() }
}

fn count(n: usize, what: &str) -> String {
    crate::host::check::count(n, what)
}

/// Tensors and networks in a value, those in lists and maps too.
fn within(v: &Value) -> Facts {
    let mut out = Facts::default();
    let inner: Vec<&Value> = match v {
        Value::List(items) => items.iter().collect(),
        Value::Map(map) => map.values().collect(),
        Value::Tensor(t) => return of_tensor(t),
        _ => return out,
    };
    for f in inner.into_iter().map(within) {
        out.bytes += f.bytes;
        if out.device.is_empty() {
            out.device = f.device;
        }
    }
    out
}

fn facts(value: &Dynamic) -> Facts {
    if let Some(t) = value.read_lock::<Handle>() {
        return of_tensor(&t.0);
    }
    if let Some(net) = value.read_lock::<Net>() {
        return of_net(&net);
    }
    if let Some(p) = value.read_lock::<Picture>() {
        let [w, h] = p.size();
        return Facts { shape: format!("{w}x{h}"), bytes: (3 * w * h) as u64, ..Facts::default() };
    }
    if let Some(m) = value.read_lock::<Heatmap>() {
        return of_tensor(m.tensor());
    }
    if let Some(d) = value.read_lock::<Dataset>() {
        return Facts { shape: format!("{} of {:?}", d.len(), d.shape()), ..Facts::default() };
    }
    if let Some(e) = value.read_lock::<Embedding>() {
        let shape = e.points().dim();
        let bytes = (shape.0 * shape.1 * 4) as u64;
        return Facts { shape: format!("[{}, {}]", shape.0, shape.1), device: String::new(), bytes };
    }
    let said = match () {
        () if value.is_array() => value.as_array_ref().map(|a| count(a.len(), "item")).ok(),
        () if value.is_map() => value.as_map_ref().map(|m| count(m.len(), "key")).ok(),
        () if value.is_string() => {
            value.as_immutable_string_ref().map(|s| count(s.chars().count(), "character")).ok()
        }
        () if value.is_int() || value.is_float() || value.is_bool() => Some(value.to_string()),
        () => None,
    };
    let inner = if value.is_array() || value.is_map() { to_value(value).ok() } else { None };
    Facts { shape: said.unwrap_or_default(), ..inner.as_ref().map(within).unwrap_or_default() }
}

/// Bytes of the tensors in all variables.
pub fn total(session: &Session) -> u64 {
    session.variables().map(|(_, v)| facts(v).bytes).sum()
}

/// The variables as a table, then the functions.
pub fn table(engine: &Engine, session: &Session) -> String {
    let mut rows: Vec<[String; 5]> = session
        .variables()
        .map(|(name, v)| {
            let f = facts(v);
            let size = if f.bytes == 0 { String::new() } else { memory::words(f.bytes) };
            [name.to_string(), type_word(engine.map_type_name(v.type_name())), f.shape, f.device, size]
        })
        .collect();
    let functions: Vec<String> = session
        .functions()
        .into_iter()
        .map(|(name, params)| format!("{name}({})", params.join(", ")))
        .collect();
    if rows.is_empty() && functions.is_empty() {
        return "nothing is defined yet".to_string();
    }
    let mut out = String::new();
    if !rows.is_empty() {
        rows.insert(0, ["name", "type", "holds", "device", "size"].map(str::to_string));
        let width = |i: usize| rows.iter().map(|r| r[i].chars().count()).max().unwrap_or(0);
        let widths: [usize; 5] = std::array::from_fn(width);
        for r in &rows {
            let cells: Vec<String> = r
                .iter()
                .zip(widths)
                .map(|(c, w)| format!("{c}{}", " ".repeat(w - c.chars().count())))
                .collect();
            out += cells.join("  ").trim_end();
            out.push('\n');
        }
    }
    if !functions.is_empty() {
        out += &format!("functions: {}\n", functions.join(" "));
    }
    out
}
