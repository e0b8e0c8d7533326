//! Seg-Eigen-CAM (Chung and Ying, Applied Sciences 2025, https://doi.org/10.3390/app15137562).

use super::{Rule, first_component};

cam! {
    /// Seg-Eigen-CAM: the first principal component of activation times |gradient|.
    ///
    /// Of `|∂s/∂A| · A` (eq. 10); its sign is turned where the most negative place is stronger than the most positive
    /// (eq. 13). Made for targets that are a region of a segmentation.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// cam::seg_eigen_cam(net, "act", tensor::ones([2, 1, 8, 8]), 1).shape // => [2, 8, 8]
    /// ```
    seg_eigen_cam, (), |_o| Rule::Map(&|act, grad| {
        let map = first_component(&grad.f_abs()?.f_mul(act)?)?;
        let (low, high) = (map.f_amin([1, 2], true)?.f_abs()?, map.f_amax([1, 2], true)?.f_abs()?);
        Ok(map.f_where_self(&low.f_le_tensor(&high)?, &map.f_neg()?)?)
    })
}
