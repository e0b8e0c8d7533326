//! What scripts can plot. Every plot is a picture: `.save("curves.png")` writes it.

use super::{Legend, Options, Series};
use crate::core::colour::Colour;
use crate::core::value::{FromValue, mismatch};
use crate::core::{Opts, Result, Value};
use crate::image::Picture;

options! {
    /// Options of every plot.
    pub struct PlotOptions {
        /// Above the plot.
        title: String = String::new(),
        /// Below the plot.
        x_label: String = String::new(),
        /// Left of the plot.
        y_label: String = String::new(),
        /// Width and height in pixels.
        size: [usize; 2] = [960, 600],
        /// Size of the text in pixels; by the size of the figure if left out.
        font_size: f64 = 0.0,
        /// A logarithmic x axis.
        log_x: bool = false,
        /// A logarithmic y axis.
        log_y: bool = false,
        /// Ends of the x axis.
        x_range: Option<[f64; 2]> = None,
        /// Ends of the y axis.
        y_range: Option<[f64; 2]> = None,
        /// A marker at the points of curves.
        markers: bool = false,
        /// auto, outside, none, or a corner: "top left" …
        legend: Legend = Legend::Auto => "auto",
        /// One unit is as long in x as in y.
        equal: bool = false,
        /// Bars of a histogram; as suits the data if left out.
        bins: usize = 0,
        /// A histogram whose area is 1.
        density: bool = false,
    }
}

impl PlotOptions {
    /// As the drawing takes them.
    pub fn drawing(self) -> Options {
        let pair = |r: Option<[f64; 2]>| r.map(|[a, b]| (a, b));
        Options {
            title: self.title,
            x_label: self.x_label,
            y_label: self.y_label,
            size: (self.size[0], self.size[1]),
            font_size: self.font_size,
            log_x: self.log_x,
            log_y: self.log_y,
            x_range: pair(self.x_range),
            y_range: pair(self.y_range),
            markers: self.markers,
            legend: self.legend,
            equal: self.equal,
            bins: self.bins,
            density: self.density,
            ..Options::default()
        }
    }
}

options! {
    /// One curve written as a map.
    pub struct SeriesMap {
        /// Its name in the legend.
        name: String = String::new(),
        /// Places; 0, 1, 2 … if left out.
        x: Numbers = Numbers(Vec::new()),
        /// Values.
        y: Numbers = Numbers(Vec::new()),
        /// Half width of the band around each value.
        error: Numbers = Numbers(Vec::new()),
        /// Its colour.
        colour: Option<Colour> = None,
        /// Drawn dashed.
        dashed: Option<bool> = None,
    }
}

/// Numbers: a list or a tensor.
#[derive(Default)]
pub struct Numbers(Vec<f64>);

impl FromValue for Numbers {
    const TYPE: &'static str = "list of numbers or Tensor";
    fn from_value(v: &Value) -> Result<Self> {
        match v {
            Value::Tensor(t) => Ok(Numbers(Vec::<f64>::try_from(
                t.f_detach()?.f_flatten(0, -1)?.f_to_kind(tch::Kind::Double)?,
            )?)),
            Value::List(_) => Vec::from_value(v).map(Numbers),
            _ => mismatch(Self::TYPE, v),
        }
    }
}

/// Series: a map of name → values, a list of maps `#{name, x, y, …}`, or one list of numbers.
pub struct AllSeries(Vec<Series>);

impl FromValue for AllSeries {
    const TYPE: &'static str = "map of name → values, or list of #{name, x, y}";
    fn from_value(v: &Value) -> Result<Self> {
        let one = |v: &Value| -> Result<Series> {
            let s = Opts::<SeriesMap>::from_value(v)?.0;
            let (xs, ys, error) = (s.x.0, s.y.0, s.error.0);
            Ok(Series { name: s.name, xs, ys, error, colour: s.colour.map(|c| c.0), dashed: s.dashed })
        };
        match v {
            Value::Map(m) if !m.contains_key("y") => {
                let named = m
                    .iter()
                    .map(|(n, v)| Ok(Series::values(n, &Numbers::from_value(v).map_err(|e| e.within(n))?.0)));
                named.collect::<Result<_>>().map(AllSeries)
            }
            Value::Map(_) => Ok(AllSeries(vec![one(v)?])),
            Value::List(items) if matches!(items.first(), Some(Value::Map(_))) => {
                items.iter().map(one).collect::<Result<_>>().map(AllSeries)
            }
            v => Numbers::from_value(v)
                .map(|n| AllSeries(vec![Series::values("", &n.0)]))
                .or_else(|_| mismatch(Self::TYPE, v)),
        }
    }
}

functions! {
    in "plot";
    /// Curves over x: training histories, spectra, anything with an order.
    ///
    /// Series are a map of name → values, a list of `#{name, x, y, error, colour, dashed}`, or one list of numbers.
    /// ```rhai
    /// plot::curves(#{train: [0.5, 0.8, 0.9], test: [0.5, 0.7, 0.75]}, #{y_label: "accuracy"}).size // => [600, 960]
    /// ```
    fn curves(series: AllSeries, options: Opts<PlotOptions>) -> Picture {
        super::curves(&series.0, &options.0.drawing())?.into()
    }

    /// Points in the plane, one colour a series.
    /// ```rhai
    /// plot::scatter([#{name: "a", x: [0, 1], y: [1, 0]}, #{name: "b", x: [0.5], y: [0.5]}]).width // => 960
    /// ```
    fn scatter(series: AllSeries, options: Opts<PlotOptions>) -> Picture {
        super::scatter(&series.0, &options.0.drawing())?.into()
    }

    /// Bars over categories, side by side for several series.
    /// ```rhai
    /// plot::bar(["cat", "dog"], #{accuracy: [0.9, 0.8]}).height // => 600
    /// ```
    fn bar(categories: Vec<String>, series: AllSeries, options: Opts<PlotOptions>) -> Picture {
        super::bar(&categories, &series.0, &options.0.drawing())?.into()
    }

    /// How often values fall where.
    /// ```rhai
    /// plot::hist(#{noise: tensor::randn([1000])}).width // => 960
    /// ```
    fn hist(series: AllSeries, options: Opts<PlotOptions>) -> Picture {
        super::hist(&series.0, &options.0.drawing())?.into()
    }
}
