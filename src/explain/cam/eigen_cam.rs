//! Eigen-CAM (Muhammad and Yeasin, IJCNN 2020, https://arxiv.org/abs/2008.00299).

use super::{Rule, first_component};

cam! {
    /// Eigen-CAM: the activations' first principal component.
    ///
    /// The layer's places are points in the space of its channels; the map is their projection on the direction in
    /// which they differ most (the first right singular vector, centred). No gradient: the map does not depend on the target. The sign,
    /// which the method leaves open, is the one with which the map grows with the sum of the activations.
    /// ```rhai
    /// let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
    ///                           ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
    /// cam::eigen_cam(net, "act", tensor::ones([2, 1, 8, 8]), 1).shape // => [2, 8, 8]
    /// ```
    eigen_cam, (), |_o| Rule::Still(&|act| first_component(act))
}
