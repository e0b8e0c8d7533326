//! Products of matrices and linear algebra. Matrices are the last two axes; those before are a batch.

use super::args::parts;
use crate::core::{Error, Map, Result};
use tch::Tensor;

/// A product whose shapes must fit: the message has both.
fn product(a: &Tensor, b: &Tensor, r: Result<Tensor, tch::TchError>) -> Result<Tensor> {
    r.map_err(|e| Error::from(e).within(format!("{:?} and {:?}", a.size(), b.size())))
}

functions! {
    on "Tensor";
    /// Product of matrices or vectors, with broadcasting of the batch.
    /// ```rhai
    /// tensor([[1, 2], [3, 4]]).matmul(tensor([1, 1])) // => tensor([3, 7])
    /// ```
    fn matmul(x: Tensor, other: Tensor) -> Tensor { product(&x, &other, x.f_matmul(&other))? }

    /// Product of two matrices.
    /// ```rhai
    /// tensor([[1, 2], [3, 4]]).mm(tensor([[1], [1]])) // => tensor([[3],
    ///                                                 //            [7]])
    /// ```
    fn mm(x: Tensor, other: Tensor) -> Tensor { product(&x, &other, x.f_mm(&other))? }

    /// Product of two batches of matrices, `[N, A, B]` and `[N, B, C]`.
    /// ```rhai
    /// tensor::ones([2, 3, 4]).bmm(tensor::ones([2, 4, 5])).shape // => [2, 3, 5]
    /// ```
    fn bmm(x: Tensor, other: Tensor) -> Tensor { product(&x, &other, x.f_bmm(&other))? }

    /// Product of a matrix and a vector.
    /// ```rhai
    /// tensor([[1, 2], [3, 4]]).mv(tensor([1, 0])) // => tensor([1, 3])
    /// ```
    fn mv(x: Tensor, vector: Tensor) -> Tensor { product(&x, &vector, x.f_mv(&vector))? }

    /// Sum of the products of two vectors' elements.
    /// ```rhai
    /// tensor([1, 2]).dot(tensor([3, 4])) // => tensor(11)
    /// ```
    fn dot(x: Tensor, other: Tensor) -> Tensor { product(&x, &other, x.f_dot(&other))? }

    /// The cross product of vectors of three along an axis.
    /// ```rhai
    /// tensor([1, 0, 0]).cross(tensor([0, 1, 0])) // => tensor([0, 0, 1])
    /// ```
    fn cross(x: Tensor, other: Tensor, dim: Option<i64>) -> Tensor { x.f_linalg_cross(&other, dim.unwrap_or(-1))? }

    /// The Kronecker product.
    /// ```rhai
    /// tensor([1, 10]).kron(tensor([1, 2])) // => tensor([ 1,  2, 10, 20])
    /// ```
    fn kron(x: Tensor, other: Tensor) -> Tensor { x.f_kron(&other)? }

    /// Sum of the diagonal of a matrix.
    /// ```rhai
    /// tensor([[1, 2], [3, 4]]).trace() // => tensor(5)
    /// ```
    fn trace(x: Tensor) -> Tensor { x.f_trace()? }

    /// The determinant of square matrices.
    /// ```rhai
    /// tensor([[1.0, 2], [3, 4]]).det() // => tensor(-2.)
    /// ```
    fn det(x: Tensor) -> Tensor { x.f_det()? }

    /// The logarithm of the determinant; NaN where it is negative.
    /// ```rhai
    /// tensor([[2.0, 0], [0, 3]]).logdet() // => tensor(1.7918)
    /// ```
    fn logdet(x: Tensor) -> Tensor { x.f_logdet()? }

    /// Sign and logarithm of the size of the determinant, `#{sign, logabsdet}`.
    /// ```rhai
    /// tensor([[0.0, 1], [1, 0]]).slogdet().sign // => tensor(-1.)
    /// ```
    fn slogdet(x: Tensor) -> Map {
        let (sign, size) = x.f_slogdet()?;
        parts(["sign", "logabsdet"], [sign, size])
    }

    /// The inverse of square matrices.
    /// ```rhai
    /// tensor([[2.0, 0], [0, 4]]).inverse() // => tensor([[0.5000, 0.0000],
    ///                                      //            [0.0000, 0.2500]])
    /// ```
    fn inverse(x: Tensor) -> Tensor { x.f_inverse()? }

    /// The Moore-Penrose inverse of matrices.
    /// ```rhai
    /// tensor([[2.0], [0]]).pinv() // => tensor([[0.5000, 0.0000]])
    /// ```
    fn pinv(x: Tensor) -> Tensor { x.f_linalg_pinv_atol_rtol_float(None, None, false)? }

    /// The solution X of A X = B.
    /// ```rhai
    /// tensor([[2.0, 0], [0, 4]]).solve(tensor([2.0, 8])) // => tensor([1., 2.])
    /// ```
    fn solve(a: Tensor, b: Tensor) -> Tensor { Tensor::f_linalg_solve(&a, &b, true)? }

    /// The X that brings A X nearest to B, in least squares.
    /// ```rhai
    /// tensor([[1.0], [1]]).lstsq(tensor([[1.0], [3]])) // => tensor([[2.]])
    /// ```
    fn lstsq(a: Tensor, b: Tensor) -> Tensor {
        let driver = if a.device().is_cuda() { "gels" } else { "gelsy" };
        a.f_linalg_lstsq(&b, None, driver)?.0
    }

    /// Singular values and vectors, `#{U, S, Vh}` with x = U · diag(S) · Vh.
    /// ```rhai
    /// tensor([[3.0, 0], [0, 2]]).svd().S // => tensor([3., 2.])
    /// ```
    fn svd(x: Tensor, full_matrices: Option<bool>) -> Map {
        // `linalg_svd` takes no driver on the CPU, which tch cannot leave out; `svd` does the same without.
        let (u, s, v) = x.f_svd(!full_matrices.unwrap_or(true), true)?;
        let vh = v.f_mh()?;
        parts(["U", "S", "Vh"], [u, s, vh])
    }

    /// Eigenvalues (rising) and eigenvectors of symmetric matrices.
    ///
    /// As `#{eigenvalues, eigenvectors}`, the vectors in columns.
    /// ```rhai
    /// tensor([[2.0, 1], [1, 2]]).eigh().eigenvalues // => tensor([1., 3.])
    /// ```
    fn eigh(x: Tensor) -> Map {
        let (values, vectors) = x.f_linalg_eigh("L")?;
        parts(["eigenvalues", "eigenvectors"], [values, vectors])
    }

    /// Orthogonal and triangular factors, `#{Q, R}` with x = Q · R.
    /// ```rhai
    /// let f = tensor([[1.0, 2], [3, 4]]).qr();
    /// f.Q.matmul(f.R).allclose(tensor([[1.0, 2], [3, 4]]), 1e-4, 1e-4) // => true
    /// ```
    fn qr(x: Tensor) -> Map {
        let (q, r) = Tensor::f_linalg_qr(&x, "reduced")?;
        parts(["Q", "R"], [q, r])
    }

    /// The lower triangular L with L · Lᵀ = x, for positive definite matrices.
    /// ```rhai
    /// tensor([[4.0, 2], [2, 5]]).cholesky() // => tensor([[2., 0.],
    ///                                       //            [1., 2.]])
    /// ```
    fn cholesky(x: Tensor, upper: Option<bool>) -> Tensor { x.f_linalg_cholesky(upper.unwrap_or(false))? }

    /// A square matrix multiplied by itself `n` times.
    /// ```rhai
    /// tensor([[1, 1], [0, 1]]).matrix_power(3) // => tensor([[1, 3],
    ///                                          //            [0, 1]])
    /// ```
    fn matrix_power(x: Tensor, n: i64) -> Tensor { x.f_matrix_power(n)? }

    /// The rank of matrices.
    /// ```rhai
    /// tensor([[1.0, 2], [2, 4]]).matrix_rank() // => tensor(1)
    /// ```
    fn matrix_rank(x: Tensor) -> Tensor { x.f_linalg_matrix_rank_atol_rtol_float(None, None, false)? }

    /// The covariance matrix; rows are variables, columns observations.
    /// ```rhai
    /// tensor([[1.0, 2, 3], [1, 2, 3]]).cov() // => tensor([[1., 1.],
    ///                                        //            [1., 1.]])
    /// ```
    fn cov(x: Tensor, correction: Option<i64>) -> Tensor {
        x.f_cov(correction.unwrap_or(1), None::<Tensor>, None)?
    }

    /// The matrix of correlation coefficients of rows that are variables.
    /// ```rhai
    /// tensor([[1.0, 2, 3], [3, 2, 1]]).corrcoef() // => tensor([[ 1., -1.],
    ///                                             //            [-1.,  1.]])
    /// ```
    fn corrcoef(x: Tensor) -> Tensor { x.f_corrcoef()? }
}
