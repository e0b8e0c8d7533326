//! Batches: their order, their thread, their place in scripts.

use cs385::bindings::guard::ScriptError;
use cs385::core::value::FromValue;
use cs385::core::{Error, Result, Value, seed};
use cs385::data::{Batch, Dataset, LoaderOptions, Reader, Source};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tch::{Device, Kind, Tensor};

/// `n` items whose input is their number; `fail_at` cannot be read.
struct Counting {
    n: usize,
    fail_at: Option<i64>,
    reads: Arc<AtomicUsize>,
    /// Readers alive.
    alive: Arc<()>,
    labels: Vec<i64>,
}

impl Counting {
    fn new(n: usize) -> Self {
        Self {
            n,
            fail_at: None,
            reads: Arc::default(),
            alive: Arc::default(),
            labels: (0..n as i64).map(|i| i % 4).collect(),
        }
    }
}

struct CountingReader(Option<i64>, Arc<AtomicUsize>, #[expect(dead_code, reason = "counts readers")] Arc<()>);

impl Source for Counting {
    fn len(&self) -> usize {
        self.n
    }
    fn reader(&self) -> Box<dyn Reader + Send> {
        Box::new(CountingReader(self.fail_at, self.reads.clone(), self.alive.clone()))
    }
    fn shape(&self) -> Vec<i64> {
        vec![1]
    }
    fn labels(&self) -> Option<Vec<i64>> {
        Some(self.labels.clone())
    }
    fn classes(&self) -> Arc<[String]> {
        Arc::from([])
    }
}

impl Reader for CountingReader {
    fn fetch(&mut self, index: &[i64]) -> Result<Batch> {
        self.1.fetch_add(1, Ordering::SeqCst);
        if let Some(bad) = self.0.filter(|b| index.contains(b)) {
            return Err(Error::new(format!("item {bad} is damaged")));
        }
        let index = Tensor::from_slice(index);
        Ok(Batch {
            input: index.to_kind(Kind::Float).unsqueeze(1),
            target: None,
            index,
            truth: Default::default(),
        })
    }
}

fn order(data: &Dataset, o: LoaderOptions) -> Vec<i64> {
    let batches: Vec<Batch> = data.loader(&o).unwrap().map(Result::unwrap).collect();
    batches.iter().flat_map(|b| Vec::<i64>::try_from(&b.index).unwrap()).collect()
}

fn shuffled(epoch: u64) -> LoaderOptions {
    LoaderOptions { batch_size: 7, shuffle: true, epoch, ..LoaderOptions::default() }
}

#[test]
fn the_order_depends_on_seed_and_epoch_alone() {
    let data = Dataset::new("n", Counting::new(100));
    seed::set(3).unwrap();
    let first = order(&data, shuffled(1));
    let _ = Tensor::randn([1000], (Kind::Float, Device::Cpu));
    assert_eq!(first, order(&data, LoaderOptions { prefetch: 9, ..shuffled(1) }));
    assert_ne!(first, order(&data, shuffled(2)));
    let mut all = first.clone();
    all.sort_unstable();
    assert_eq!(all, (0..100).collect::<Vec<_>>(), "each item exactly once");
    seed::set(4).unwrap();
    assert_ne!(first, order(&data, shuffled(1)));
    assert_eq!(order(&data, LoaderOptions::default()), (0..100).collect::<Vec<_>>());
}

#[test]
fn a_pass_goes_on_in_the_middle() {
    let data = Dataset::new("n", Counting::new(100));
    let all = order(&data, shuffled(5));
    assert_eq!(order(&data, LoaderOptions { skip_batches: 4, ..shuffled(5) }), all[28..]);
    assert_eq!(order(&data, LoaderOptions { skip_batches: 99, ..shuffled(5) }), Vec::<i64>::new());
    assert_eq!(order(&data, LoaderOptions { drop_last: true, ..shuffled(5) }), all[..98]);
    assert_eq!(data.loader(&LoaderOptions { drop_last: true, ..shuffled(5) }).unwrap().len(), 14);
    assert!(data.loader(&LoaderOptions { batch_size: 0, ..shuffled(5) }).is_err());
}

#[test]
fn leaving_early_ends_the_thread_and_reads_no_further() {
    let source = Counting::new(7000);
    let (reads, alive) = (source.reads.clone(), source.alive.clone());
    let mut loader = Dataset::new("n", source).loader(&shuffled(0)).unwrap();
    loader.next().unwrap().unwrap();
    // The data set is gone: what is alive beside ours is the reader's.
    assert_eq!(Arc::strong_count(&alive), 2);
    drop(loader);
    assert_eq!(Arc::strong_count(&alive), 1);
    assert!(reads.load(Ordering::SeqCst) < 10, "{reads:?} batches were read for one");
}

#[test]
fn an_error_is_given_once_and_ends_the_pass() {
    let data = Dataset::new("n", Counting { fail_at: Some(20), ..Counting::new(100) });
    let got: Vec<Result<Batch>> =
        data.loader(&LoaderOptions { batch_size: 7, ..LoaderOptions::default() }).unwrap().collect();
    assert_eq!(got.len(), 3);
    assert_eq!(got[2].as_ref().unwrap_err().msg, "item 20 is damaged");
}

#[test]
fn the_reading_thread_leaves_the_main_threads_alone() {
    tch::set_num_threads(2);
    let data = Dataset::new("n", Counting::new(100));
    let mut loader = data.loader(&shuffled(0)).unwrap();
    loader.next().unwrap().unwrap();
    let x = Tensor::ones([64, 64], (Kind::Float, Device::Cpu)).set_requires_grad(true);
    x.matmul(&x).sum(Kind::Float).backward();
    assert_eq!(tch::get_num_threads(), 2);
    drop(loader);
    assert_eq!(tch::get_num_threads(), 2);
}

/// The message of a script error.
pub fn said(err: &rhai::EvalAltResult) -> String {
    match err {
        rhai::EvalAltResult::ErrorRuntime(d, _) => match d.read_lock::<ScriptError>() {
            Some(e) => e.msg.clone(),
            None => d.to_string(),
        },
        other => other.to_string(),
    }
}

fn eval(code: &str) -> std::result::Result<Value, String> {
    let engine = cs385::bindings::engine();
    let value = engine.eval::<rhai::Dynamic>(code).map_err(|e| said(&e))?;
    cs385::bindings::convert::to_value(&value).map_err(|e| e.msg)
}

#[test]
fn splits_share_nothing_and_keep_classes() {
    let code = "let d = data::from_tensors(tensor::zeros([80, 1]), tensor::arange(80) % 4);
        let p = d.split([0.5, 0.25], #{stratify: STRATIFY, seed: 3});
        let out = [];
        for part in p { out.push(part.labels); }
        out";
    let parts = |stratify: &str| -> Vec<Vec<i64>> {
        let v = eval(&code.replace("STRATIFY", stratify)).unwrap();
        Vec::<Vec<i64>>::from_value(&v).unwrap()
    };
    let even = parts("true");
    for (part, each) in even.iter().zip([10, 5]) {
        for class in 0..4 {
            assert_eq!(part.iter().filter(|l| **l == class).count(), each);
        }
        assert!(!part.is_sorted(), "class by class: {part:?}");
    }
    let free = parts("false");
    assert_eq!(free.iter().map(Vec::len).collect::<Vec<_>>(), [40, 20]);
    assert_ne!(free, even);
}

#[test]
fn scripts_walk_batches() {
    let sum = "let d = data::from_tensors(tensor::arange(10).reshape([10, 1]), tensor::arange(10));
        let n = 0; let seen = [];
        for b in d.batches(4, #{shuffle: true, epoch: 2}) { n += 1; for i in 0..b.index.shape[0] { seen.push(b.index[i].item()); } }
        seen.sort();
        [n, seen]";
    assert_eq!(eval(sum).unwrap().describe(), "list of 2");
    let Value::List(out) = eval(sum).unwrap() else { panic!() };
    assert_eq!(i64::from_value(&out[0]).unwrap(), 3);
    let seen: Vec<f64> = Vec::from_value(&out[1]).unwrap();
    assert_eq!(seen, (0..10).map(f64::from).collect::<Vec<_>>());
    let early = "let n = 0; for b in data::from_tensors(tensor::zeros([1000, 1])).batches(1) { n += 1; if n == 3 { break; } } n";
    assert_eq!(i64::from_value(&eval(early).unwrap()).unwrap(), 3);
    assert!(
        eval("data::from_tensors(tensor::zeros([4, 1])).batches(0)").err().unwrap().contains("at least 1")
    );
}

#[test]
fn an_error_inside_a_walk_is_a_script_error() {
    let engine = cs385::bindings::engine();
    let mut scope = rhai::Scope::new();
    let data = Dataset::new("n", Counting { fail_at: Some(5), ..Counting::new(12) });
    scope.push("d", data);
    let code = "let n = 0;\nfor b in d.batches(2) { n += 1; }\nn";
    let err = engine.eval_with_scope::<i64>(&mut scope, code).unwrap_err();
    assert!(said(&err).contains("item 5 is damaged"), "{err:?}");
    assert_eq!(err.position().line(), Some(2));
    let code = "let n = 0; try { for b in d.batches(2) { n += 1; } } catch (e) { return [n, e.message]; }";
    let out = engine.eval_with_scope::<rhai::Array>(&mut scope, code).unwrap();
    assert_eq!((out[0].as_int(), out[1].clone().into_string()), (Ok(2), Ok("item 5 is damaged".into())));
}

#[test]
fn a_pass_over_something_as_large_as_mnist_is_quick() {
    let x = Tensor::zeros([60_000, 1, 28, 28], (Kind::Uint8, Device::Cpu));
    let code_free = cs385::core::func::Func::all();
    let make = code_free.iter().find(|f| f.path() == "data::from_tensors").unwrap();
    let data = (make.call)(&[Value::Tensor(x), Value::Nil, Value::Nil]).unwrap();
    let data = Dataset::from_value(&data).unwrap();
    let start = Instant::now();
    let items: usize = data
        .loader(&LoaderOptions { batch_size: 64, ..shuffled(0) })
        .unwrap()
        .map(|b| b.unwrap().len())
        .sum();
    let took = start.elapsed();
    eprintln!("one pass over 60,000 x 28 x 28: {took:?}");
    assert_eq!(items, 60_000);
    // 0.1 s on two quiet cores; the bound leaves room for busy ones.
    assert!(took < Duration::from_secs(3), "{took:?}");
}
