//! `cs385 look`: one probe without a script. Opens a picture and a network's file, and lays over the picture where
//! the network looked.

use super::{cuda, output, screen};
use crate::core::func::{Func, FuncKind};
use crate::core::resample::Filter;
use crate::core::value::FromValue;
use crate::core::{Error, Result, Value, device};
use crate::explain::Heatmap;
use crate::image::{HeatOptions, Picture};
use crate::nn::{About, Net};
use std::path::PathBuf;
use tch::{Kind, Tensor};

/// Pictures smaller than this are enlarged before the map is laid over them.
const SEEN: usize = 224;

/// What to look at, and how.
#[derive(clap::Args)]
pub struct Options {
    /// The picture
    picture: PathBuf,
    /// The network: a .safetensors file that net.save or training wrote
    #[arg(long, value_name = "FILE")]
    net: PathBuf,
    /// The layer to look at
    #[arg(long, value_name = "NAME")]
    layer: String,
    /// The class to explain, by number or name [default: the likeliest]
    #[arg(long, value_name = "K")]
    class: Option<String>,
    /// The method (see `cs385 docs cam`)
    #[arg(long, default_value = "grad_cam", value_name = "NAME")]
    cam: String,
    /// Size the network takes: N or HEIGHTxWIDTH [default: the file's, else the picture's]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    size: Option<[i64; 2]>,
    /// Mean of each channel, taken off values in 0..1 [default: the file's, else none]
    #[arg(long, value_name = "M,M,M", value_delimiter = ',', requires = "std", allow_hyphen_values = true)]
    mean: Vec<f64>,
    /// Standard deviation of each channel, divided by [default: the file's, else none]
    #[arg(long, value_name = "S,S,S", value_delimiter = ',', requires = "mean")]
    std: Vec<f64>,
    /// Where the picture with the map is written
    #[arg(long, default_value = "look.png", value_name = "FILE")]
    out: PathBuf,
    /// Where to compute: auto, cpu, cuda or cuda:N
    #[arg(long, default_value = "auto", value_name = "DEVICE")]
    device: String,
}

/// Reads `224` or `180x240`.
fn size(text: &str) -> Result<[i64; 2], String> {
    let (h, w) = text.split_once('x').unwrap_or((text, text));
    match (h.parse(), w.parse()) {
        (Ok(h), Ok(w)) if h > 0 && w > 0 => Ok([h, w]),
        _ => Err("write it 224, or HEIGHTxWIDTH".into()),
    }
}

/// How the picture is given to the network, and why so.
struct Input {
    channels: i64,
    size: [i64; 2],
    mean: Vec<f64>,
    std: Vec<f64>,
    why: [String; 3],
}

impl Input {
    fn new(o: &Options, net: &Net, about: &About, picture: &Picture) -> Result<Self> {
        let first = net.first_convolution();
        let grey = matches!(first, Some((_, 1)));
        let mut why = [String::new(), String::new(), String::new()];
        why[0] = match &first {
            Some((name, 1)) => format!("grey, as layer `{name}` takes 1 channel"),
            Some((name, 3)) => format!("colour, as layer `{name}` takes 3 channels"),
            Some((name, n)) => {
                return Err(Error::new(format!("layer `{name}` takes {n} channels; a picture has 1 or 3"))
                    .hint("such a network needs a script: `net.forward` takes any tensor"));
            }
            None => "colour: no convolution tells otherwise".to_string(),
        };
        let own = picture.size().map(|n| n as i64);
        let (size, from) = match (o.size, about.size) {
            (Some(s), _) => (s, "--size"),
            (None, Some(s)) => (s, "from the file"),
            (None, None) => (own, "the picture's own"),
        };
        let part = middle(own, size);
        why[1] = format!("{} × {} pixels ({from})", size[1], size[0]);
        if part != own {
            why[1] += &format!(
                ", of the middle {} × {} of the picture's {} × {}",
                part[1], part[0], own[1], own[0]
            );
        }
        let (mean, std, from) = match (o.mean.is_empty(), about.mean.is_empty()) {
            (false, _) => (o.mean.clone(), o.std.clone(), "--mean, --std"),
            (true, false) => (about.mean.clone(), about.std.clone(), "from the file"),
            (true, true) => (vec![0.0], vec![1.0], ""),
        };
        why[2] = match from {
            "" => "values 0 to 1, not normalised".to_string(),
            from => format!("normalised with mean {mean:?}, deviation {std:?} ({from})"),
        };
        let channels = if grey { 1 } else { 3 };
        match mean.iter().chain(&std).all(|v| v.is_finite()) && [1, channels as usize].contains(&mean.len()) {
            true => Ok(Input { channels, size, mean, std, why }),
            false => Err(Error::new(format!("mean and std hold 1 or {channels} numbers, got {mean:?}"))),
        }
    }

    /// What of the picture is looked at: the largest middle of the input's proportions, as `data::folder` cuts it.
    fn seen(&self, picture: &Picture) -> Result<Picture> {
        let [h, w] = middle(picture.size().map(|n| n as i64), self.size).map(|n| n as usize);
        picture.crop((picture.width() - w) / 2, (picture.height() - h) / 2, w, h)
    }

    /// The picture as a batch of one.
    fn batch(&self, picture: &Picture) -> Result<Tensor> {
        let [h, w] = self.size.map(|n| n as usize);
        let sized = picture.resize(w, h, Filter::Bilinear)?;
        let sized = if self.channels == 1 { sized.grayscale() } else { sized };
        let x = sized.normalize(&self.mean, &self.std)?;
        Ok(x.f_narrow(0, 0, self.channels)?.f_unsqueeze(0)?.f_to_device(device::current())?)
    }
}

/// Height and width of the largest part of `own` in the proportions of `size`.
fn middle([h, w]: [i64; 2], [th, tw]: [i64; 2]) -> [i64; 2] {
    match h * tw > w * th {
        true => [(w * th / tw).max(1), w],
        false => [h, (h * tw / th).max(1)],
    }
}

/// Probabilities [K] from what the network gives.
fn probabilities(net: &Net, x: &Tensor) -> Result<Tensor> {
    let _no_grad = tch::no_grad_guard();
    let out = net.forward_tensor(x).map_err(|e| match e.hint {
        None => e.hint("`--size` gives the picture another size"),
        Some(_) => e,
    })?;
    let s = out.size();
    if s.len() != 2 || s[1] < 1 {
        return Err(Error::new(format!("the network gives {s:?}; a class needs scores [1, K]"))
            .hint("for other outputs write a script: `cs385 docs target` lists what can be explained"));
    }
    let last = net.last_kind();
    let row = out.f_select(0, 0)?.f_to_kind(Kind::Double)?;
    Ok(match last.as_str() {
        "Softmax" => row,
        "LogSoftmax" => row.f_exp()?,
        _ => row.f_softmax(0, None)?,
    })
}

fn class(o: &Options, about: &About, count: i64) -> Result<Option<i64>> {
    let Some(text) = &o.class else { return Ok(None) };
    let named = about.classes.iter().position(|c| c == text).map(|i| i as i64);
    match named.or_else(|| text.parse().ok()) {
        Some(k) if (0..count).contains(&k) => Ok(Some(k)),
        Some(k) => Err(Error::new(format!("there is no class {k}: the network knows 0 to {}", count - 1))),
        None if about.classes.is_empty() => {
            Err(Error::new(format!("unknown class `{text}`"))
                .hint("the file names no classes; give a number"))
        }
        None => Err(Error::unknown("class", text, &about.classes)),
    }
}

/// The map of the method asked for.
fn map(o: &Options, net: &Net, x: &Tensor, class: i64) -> Result<Tensor> {
    let form = ["net", "layers", "x", "target", "options"];
    let fits = |f: &&Func| {
        (f.home, f.kind) == ("cam", FuncKind::Function) && f.params.iter().map(|p| p.name).eq(form)
    };
    let cams: Vec<&Func> = Func::all().into_iter().filter(fits).collect();
    let method = cams.iter().find(|f| f.name() == o.cam);
    let method = method.ok_or_else(|| Error::unknown("CAM", &o.cam, cams.iter().map(|f| f.name())))?;
    let mut args = vec![
        Value::object(net.clone()),
        Value::Str(o.layer.clone()),
        Value::Tensor(x.shallow_clone()),
        Value::Int(class),
    ];
    args.resize(method.params.len(), Value::Nil);
    Heatmap::from_value(&(method.call)(&args)?)?.at(0)
}

/// Looks, writes the picture, tells and shows it.
///
/// # Errors
/// Files that cannot be read or written; a picture, layer or class that does not fit the network.
pub fn main(o: &Options) -> Result<bool> {
    cuda::open(&o.device)?;
    device::set(device::parse(&o.device)?);
    let picture = Picture::open(&o.picture)?;
    let (net, about) = Net::open(&o.net)?;
    net.check_layers(std::slice::from_ref(&o.layer))?;
    let input = Input::new(o, &net, &about, &picture)?;
    let picture = input.seen(&picture)?;
    let x = input.batch(&picture)?;
    let p = probabilities(&net, &x)?;
    let count = p.size()[0];
    let (values, order) = p.f_topk(count.min(3), 0, true, true)?;
    let (values, order) = (Vec::<f64>::try_from(values)?, Vec::<i64>::try_from(order)?);
    let class = class(o, &about, count)?.or(order.first().copied()).unwrap_or(0);
    let times = (SEEN / picture.width().max(picture.height())).max(1);
    let large = picture.resize(picture.width() * times, picture.height() * times, Filter::Nearest)?;
    let seen = large.overlay(&map(o, &net, &x, class)?, &HeatOptions::default())?;
    seen.save(&o.out)?;

    let name = |k: i64| match about.classes.get(k as usize) {
        Some(c) if *c != k.to_string() => format!("{k} {c}"),
        _ => format!("class {k}"),
    };
    let width = order.iter().map(|k| name(*k).chars().count()).max().unwrap_or(0);
    let mut text = format!("input   {}\n        {}\n        {}\n", input.why[0], input.why[1], input.why[2]);
    for (i, (k, v)) in order.iter().zip(&values).enumerate() {
        let head = if i == 0 { "scores" } else { "" };
        text += &format!("{head:<7} {:<width$}  {:5.1} %\n", name(*k), v * 100.0);
    }
    let (cam, layer, out) = (&o.cam, &o.layer, o.out.display());
    text += &format!("map     {cam} at `{layer}` for {} -> {out}\n", name(class));
    // The words below the picture, where they stay in sight.
    screen::draws(seen.raster());
    output::write(&text);
    Ok(true)
}
