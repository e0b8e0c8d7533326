//! Principal components: exact by the eigenvectors of the covariance (or of the Gram matrix where there are fewer
//! points than features), or randomised (Halko, Martinsson & Tropp 2011, algorithm 4.4) where that is long.

use super::check;
use super::tsne::init::normal;
use crate::core::{Error, Result, interrupt};
use ndarray::{Array1, Array2, ArrayView2, Axis, s};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tch::{Kind, Tensor};

/// How components are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Exact where the smaller of points and features is at most 2,000.
    Auto,
    /// Eigenvectors.
    Exact,
    /// A random sketch.
    Randomised,
}

/// Directions of the greatest variance.
#[derive(Clone, Debug)]
pub struct Pca {
    /// Mean of every feature.
    pub mean: Array1<f64>,
    /// [dims, features], of length 1; the largest entry of each is positive.
    pub components: Array2<f64>,
    /// Variance along each (of a sample: divided by n − 1).
    pub variance: Vec<f64>,
    /// Share of the whole variance.
    pub ratio: Vec<f64>,
}

/// Rows that are turned into f64 at once.
const ROWS: usize = 8192;

fn tensor(x: &Array2<f64>) -> Result<Tensor> {
    let flat: Vec<f64> = x.iter().copied().collect();
    Ok(Tensor::f_from_slice(&flat)?.f_reshape([x.nrows() as i64, x.ncols() as i64])?)
}

fn array(t: &Tensor) -> Result<Array2<f64>> {
    let (rows, columns) = t.size2()?;
    let flat = Vec::<f64>::try_from(t.f_contiguous()?.f_flatten(0, -1)?)?;
    Array2::from_shape_vec((rows as usize, columns as usize), flat).map_err(|e| Error::new(e.to_string()))
}

/// Blocks of centred rows.
fn blocks<'a>(
    x: &'a ArrayView2<f32>,
    mean: &'a Array1<f64>,
) -> impl Iterator<Item = (usize, Result<Tensor>)> + 'a {
    (0..x.nrows()).step_by(ROWS).map(move |from| {
        let rows = x.slice(s![from..(from + ROWS).min(x.nrows()), ..]);
        (from, interrupt::check().and_then(|()| tensor(&(&rows.mapv(f64::from) - mean))))
    })
}

impl Pca {
    /// The first `dims` components of the rows of `x`.
    ///
    /// # Errors
    /// Numbers that are not finite; more components than points or features; Ctrl-C.
    pub fn fit(x: &ArrayView2<f32>, dims: usize, method: Method, seed: u64) -> Result<Self> {
        check::finite(x)?;
        let (n, d) = x.dim();
        let most = n.min(d);
        if dims == 0 || dims > most {
            return Err(Error::new(format!("cannot find {dims} components of {n} points with {d} features"))
                .hint(format!("ask for 1..{most}")));
        }
        let mean =
            x.rows().into_iter().fold(Array1::<f64>::zeros(d), |sum, r| sum + r.mapv(f64::from)) / n as f64;
        let whole: f64 =
            x.rows().into_iter().map(|r| (&r.mapv(f64::from) - &mean).mapv(|v| v * v).sum()).sum();
        let exact = match method {
            Method::Auto => most <= 2000,
            m => m == Method::Exact,
        };
        let (squares, directions) =
            if exact { exactly(x, &mean, dims)? } else { sketched(x, &mean, dims, seed)? };
        let mut components = directions;
        for mut row in components.axis_iter_mut(Axis(0)) {
            let largest = row.iter().copied().fold(0.0, |a: f64, b| if b.abs() > a.abs() { b } else { a });
            if largest < 0.0 {
                row.mapv_inplace(|v| -v);
            }
        }
        let free = n.saturating_sub(1).max(1) as f64;
        let variance: Vec<f64> = squares.iter().map(|v| v.max(0.0) / free).collect();
        let ratio = squares.iter().map(|v| if whole > 0.0 { v.max(0.0) / whole } else { 0.0 }).collect();
        Ok(Self { mean, components, variance, ratio })
    }

    /// Coordinates of the rows of `x` along the components.
    ///
    /// # Errors
    /// Rows of another length; Ctrl-C.
    pub fn transform(&self, x: &ArrayView2<f32>) -> Result<Array2<f32>> {
        if x.ncols() != self.mean.len() {
            return Err(Error::new(format!(
                "points with {} features given, the components have {}",
                x.ncols(),
                self.mean.len()
            )));
        }
        let axes = tensor(&self.components)?.f_tr()?;
        let mut out = Array2::zeros((x.nrows(), self.components.nrows()));
        for (from, block) in blocks(x, &self.mean) {
            let part = array(&block?.f_matmul(&axes)?)?;
            out.slice_mut(s![from..from + part.nrows(), ..]).assign(&part.mapv(|v| v as f32));
        }
        Ok(out)
    }
}

/// The last `dims` of ascending eigenpairs, greatest first.
fn greatest(matrix: &Tensor, dims: usize) -> Result<(Vec<f64>, Tensor)> {
    let (values, vectors) = matrix.f_linalg_eigh("L")?;
    let values = Vec::<f64>::try_from(values.f_flip([0])?.f_narrow(0, 0, dims as i64)?)?;
    Ok((values, vectors.f_flip([1])?.f_narrow(1, 0, dims as i64)?))
}

/// Squared singular values and right singular vectors by rows.
fn exactly(x: &ArrayView2<f32>, mean: &Array1<f64>, dims: usize) -> Result<(Vec<f64>, Array2<f64>)> {
    let (n, d) = x.dim();
    if d <= n {
        let mut sum = Tensor::f_zeros([d as i64, d as i64], (Kind::Double, tch::Device::Cpu))?;
        for (_, block) in blocks(x, mean) {
            let block = block?;
            sum = sum.f_add(&block.f_tr()?.f_matmul(&block)?)?;
        }
        let (values, vectors) = greatest(&sum, dims)?;
        return Ok((values, array(&vectors.f_tr()?)?));
    }
    let centred = tensor(&(&x.mapv(f64::from) - mean))?;
    let (values, vectors) = greatest(&centred.f_matmul(&centred.f_tr()?)?, dims)?;
    let rows = vectors.f_tr()?.f_matmul(&centred)?;
    // Directions without variance have no length of their own: orthonormal ones are put in.
    let (q, r) = Tensor::f_linalg_qr(&rows.f_tr()?, "reduced")?;
    let sign = r.f_diagonal(0, 0, 1)?.f_sign()?;
    let sign = sign.f_add(&sign.f_eq(0.0)?.f_to_kind(Kind::Double)?)?;
    Ok((values, array(&q.f_mul(&sign)?.f_tr()?)?))
}

fn sketched(
    x: &ArrayView2<f32>,
    mean: &Array1<f64>,
    dims: usize,
    seed: u64,
) -> Result<(Vec<f64>, Array2<f64>)> {
    let (n, d) = x.dim();
    let width = (dims + 10).min(n.min(d));
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut basis = tensor(&Array2::from_shape_simple_fn((d, width), || f64::from(normal(&mut rng))))?;
    // Power iterations: each one passes the data once, X'X q.
    for _ in 0..8 {
        let mut next = basis.f_zeros_like()?;
        let q = Tensor::f_linalg_qr(&basis, "reduced")?.0;
        for (_, block) in blocks(x, mean) {
            let block = block?;
            next = next.f_add(&block.f_tr()?.f_matmul(&block.f_matmul(&q)?)?)?;
        }
        basis = next;
    }
    let q = Tensor::f_linalg_qr(&basis, "reduced")?.0;
    let mut small = Tensor::f_zeros([width as i64, width as i64], (Kind::Double, tch::Device::Cpu))?;
    for (_, block) in blocks(x, mean) {
        let seen = block?.f_matmul(&q)?;
        small = small.f_add(&seen.f_tr()?.f_matmul(&seen)?)?;
    }
    let (values, vectors) = greatest(&small, dims)?;
    Ok((values, array(&q.f_matmul(&vectors)?.f_tr()?)?))
}
