//! One seed gives torchvision's initial weights of every model (oracles/models/make.py).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use cs385::nn::Net;
use support::{Script, fixture};
use tch::Kind;

// One test: the generator belongs to the process.
#[test]
fn a_seed_gives_torchvisions_start() {
    let all = fixture("models");
    let started: Vec<&String> = all.keys().filter(|k| k.ends_with("/start")).collect();
    assert_eq!(started.len(), 11);
    for key in started {
        let call = match key.strip_suffix("/start").unwrap() {
            "plain_cnn_bn" => "models::plain_cnn(#{bn_dropout: true})".to_string(),
            name => format!("models::{name}()"),
        };
        let net: Net = Script::new().eval_object(&format!("seed(0); {call}"));
        let (named, want) = (net.named(), &all[key]);
        assert_eq!(want.size(), [named.len() as i64, 4], "{call}");
        for (i, (path, t, _)) in named.iter().enumerate() {
            let t = t.detach().to_kind(Kind::Double).flatten(0, -1);
            let std = t.std_dim(None::<&[i64]>, false, false);
            let numbers = [t.get(0), t.get(-1), t.mean(Kind::Double), std].map(|v| v.double_value(&[]));
            for (j, got) in numbers.into_iter().enumerate() {
                let want = want.double_value(&[i as i64, j as i64]);
                let near = (got - want).abs() <= 1e-7 * (1.0 + want.abs());
                assert!(near, "{call}: {path}, number {j}: {got} {want}");
            }
        }
    }
}
