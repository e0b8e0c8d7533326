//! One seed gives PyTorch's initial weights, bit for bit (oracles/init/make.py).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use cs385::nn::Net;
use support::{Script, below, fixture};

const LAYERS: [(&str, &str); 11] = [
    ("conv2d", "nn::conv2d(3, 8, 3)"),
    ("conv2d_groups", "nn::conv2d(4, 6, [3, 5], #{groups: 2})"),
    ("conv_transpose2d", "nn::conv_transpose2d(4, 6, 4)"),
    ("conv_transpose2d_groups", "nn::conv_transpose2d(4, 6, 4, #{groups: 2})"),
    ("linear", "nn::linear(10, 7)"),
    ("linear_no_bias", "nn::linear(10, 7, #{bias: false})"),
    ("batch_norm2d", "nn::batch_norm2d(5)"),
    ("layer_norm", "nn::layer_norm(6)"),
    ("group_norm", "nn::group_norm(2, 6)"),
    ("embedding", "nn::embedding(11, 4)"),
    ("prelu", "nn::prelu()"),
];

const NET: &str = "nn::sequential([
    nn::conv2d(3, 8, 3), nn::batch_norm2d(8), nn::relu(), nn::conv2d(8, 4, 3, #{bias: false}),
    nn::conv_transpose2d(4, 6, 4), nn::flatten(), nn::linear(10, 7), nn::layer_norm(7), nn::embedding(11, 4),
    nn::prelu(), nn::linear(7, 2)])";

// One test: the generator belongs to the process.
#[test]
fn initial_weights_are_pytorchs_bits() {
    let all = fixture("init");
    let mut s = Script::new();
    for (name, script) in LAYERS.into_iter().chain([("net", NET)]) {
        let net: Net = s.eval_object(&format!("seed(0); {script}"));
        let mut ours = net.named();
        ours.sort_by(|a, b| a.0.cmp(&b.0));
        let theirs = below(&all, name);
        assert_eq!(ours.len(), theirs.len(), "{name}");
        for ((key, t, _), (want, u)) in ours.iter().zip(&theirs) {
            assert_eq!(key, want, "{name}");
            assert_eq!((t.kind(), t.size()), (u.kind(), u.size()), "{name}/{key}");
            assert!(t.detach().equal(u), "{name}/{key}:\n{t}\n{u}");
        }
    }
}
