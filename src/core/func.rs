//! The functions scripts can call, as data. A room declares its functions beside what they do, with
//! `functions!`; `bindings` exposes all of them with one wrapper, `registry` prints their
//! words, the tests run their examples.

use super::error::Result;
use super::value::{Field, FromValue, Value};

/// One parameter of a [`Func`].
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// Its type in the user's words.
    pub ty: &'static str,
    /// May be left out (with all that follow).
    pub optional: bool,
    /// The options of a trailing map.
    pub fields: fn() -> Vec<Field>,
    /// Reads an argument as the call would, for its errors alone.
    pub try_read: fn(&str, &Value) -> Result<()>,
}

impl Param {
    /// The parameter `name` of type `T`.
    pub const fn of<T: FromValue>(name: &'static str) -> Self {
        Self { name, ty: T::TYPE, optional: T::OPTIONAL, fields: T::fields, try_read: try_arg::<T> }
    }
}

fn try_arg<T: FromValue>(name: &str, v: &Value) -> Result<()> {
    if T::OF_MACHINE { Ok(()) } else { arg::<T>(std::slice::from_ref(v), 0, name).map(drop) }
}

/// How a script writes a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FuncKind {
    /// `home::name(a, b)`, or `name(a, b)` when the home is empty.
    Function,
    /// `receiver.name(a, b)`.
    Method,
    /// `receiver.name`.
    Getter,
}

/// One function, method or getter of the language.
pub struct Func {
    /// Namespace (`cam`), or type name for a method (`Tensor`), or empty for a global function.
    pub home: &'static str,
    /// Its name: reserved words of the language are forbidden (a test sees to it).
    pub name: &'static str,
    /// How a script writes the call.
    pub kind: FuncKind,
    /// The `///` lines.
    pub docs: &'static [&'static str],
    /// Parameters, receiver first.
    pub params: &'static [Param],
    /// Type of the result.
    pub ret: &'static str,
    /// The work; gets exactly `params.len()` values, `()` for what was left out.
    pub call: fn(&[Value]) -> Result<Value>,
}

inventory::collect!(Func);

impl Func {
    /// `cam::grad_cam`, `Tensor.mean` or `param`.
    pub fn path(&self) -> String {
        match (self.home, self.kind) {
            ("", _) => self.name().to_string(),
            (home, FuncKind::Function) => format!("{home}::{}", self.name()),
            (home, _) => format!("{home}.{}", self.name()),
        }
    }

    /// The name without Rust's raw-identifier mark (`where` is written `r#where` in Rust).
    pub fn name(&self) -> &'static str {
        self.name.strip_prefix("r#").unwrap_or(self.name)
    }

    /// How many arguments must be given, receiver included.
    pub fn required(&self) -> usize {
        self.params.iter().rposition(|p| !p.optional).map_or(0, |i| i + 1)
    }

    /// The script's way to write the call: `cam::grad_cam(net: Net, layer: string, …)`.
    pub fn signature(&self) -> String {
        if self.kind == FuncKind::Getter {
            return format!("{}: {}", self.path(), self.ret);
        }
        let skip = usize::from(self.kind == FuncKind::Method);
        let params: Vec<String> = self.params[skip..]
            .iter()
            .map(|p| format!("{}{}: {}", p.name, if p.optional { "?" } else { "" }, p.ty))
            .collect();
        let arrow = if self.ret == "()" { String::new() } else { format!(" -> {}", self.ret) };
        format!("{}({}){arrow}", self.path(), params.join(", "))
    }

    /// Every function of the house, sorted by path then number of parameters.
    pub fn all() -> Vec<&'static Func> {
        let mut all: Vec<_> = inventory::iter::<Func>.into_iter().collect();
        all.sort_by_key(|f| (f.path(), f.params.len()));
        all
    }
}

/// Reads argument `i` as a `T`; errors name the argument.
pub fn arg<T: FromValue>(args: &[Value], i: usize, name: &str) -> Result<T> {
    let read = match args.get(i) {
        Some(Value::Nil) | None => T::absent(),
        Some(v) => T::from_value(v),
    };
    read.map_err(|e| if T::fields().is_empty() { e.within(format!("argument `{name}`")) } else { e })
}

/// Declares script functions:
/// ```text
/// functions! {
///     in "metrics";
///     /// Share of rows whose largest entry is at the target.
///     /// ```rhai
///     /// metrics::accuracy(tensor::of([[0.1, 0.9]]), tensor::of([1])) // => 1.0
///     /// ```
///     fn accuracy(output: Tensor, target: Tensor) -> f64 { … }
///
///     on "Tensor";
///     /// …
///     fn mean(x: Tensor, dim: Option<i64>) -> Tensor { … }
/// }
/// ```
/// The body may use `?`; the result is wrapped in `Ok`.
macro_rules! functions {
    () => {};
    (in $home:literal; $($rest:tt)*) => { functions!(@ $home, Function; $($rest)*); };
    (on $home:literal; $($rest:tt)*) => { functions!(@ $home, Method; $($rest)*); };
    (get $home:literal; $($rest:tt)*) => { functions!(@ $home, Getter; $($rest)*); };
    (@ $home:literal, $kind:ident;) => {};
    (@ $home:literal, $kind:ident; in $($rest:tt)*) => { functions!(in $($rest)*); };
    (@ $home:literal, $kind:ident; on $($rest:tt)*) => { functions!(on $($rest)*); };
    (@ $home:literal, $kind:ident; get $($rest:tt)*) => { functions!(get $($rest)*); };
    (@ $home:literal, $kind:ident;
        $(#[doc = $doc:literal])*
        fn $name:ident($($arg:ident : $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block
        $($rest:tt)*
    ) => {
        function!($home, $kind, stringify!($name), [$($doc),*], [$($arg: $ty),*], [$($ret)?], $body);
        functions!(@ $home, $kind; $($rest)*);
    };
}

/// Declares one script function; the macros of the families stand on it.
macro_rules! function {
    ($home:expr, $kind:ident, $name:expr, [$($doc:expr),*], [$($arg:ident : $ty:ty),* $(,)?], [], $body:block) => {
        function!($home, $kind, $name, [$($doc),*], [$($arg: $ty),*], [()], $body);
    };
    ($home:expr, $kind:ident, $name:expr, [$($doc:expr),*], [$($arg:ident : $ty:ty),* $(,)?], [$ret:ty], $body:block) => {
        const _: () = {
            #[allow(unused_assignments, unused_variables, unused_mut, clippy::redundant_closure_call)]
            fn call(args: &[$crate::core::Value]) -> $crate::core::Result<$crate::core::Value> {
                let mut i = 0;
                $(let $arg: $ty = $crate::core::func::arg(args, i, stringify!($arg))?; i += 1;)*
                let out: $ret = (|| -> $crate::core::Result<$ret> { Ok($body) })()?;
                Ok($crate::core::value::IntoValue::into_value(out))
            }
            inventory::submit! { $crate::core::func::Func {
                home: $home,
                name: $name,
                kind: $crate::core::func::FuncKind::$kind,
                docs: &[$($doc),*],
                params: &[$($crate::core::func::Param::of::<$ty>(stringify!($arg))),*],
                ret: <$ret as $crate::core::value::IntoValue>::TYPE,
                call,
            } }
        };
    };
}
