//! `manifolds X.npy MAP.npy MODE RATE`: t-SNE by manifolds-rs of the float32 table X, the map beside it, and one JSON
//! line: seconds, MB above the idle process. MODE is bh, qd, fft or fft_3k; RATE is default or n (the learning rate).

use manifolds_rs::{TsneParams, tsne};
use std::fs;
use std::time::Instant;

/// A two-dimensional float32 array of NumPy.
fn read(path: &str) -> (Vec<f32>, usize, usize) {
    let bytes = fs::read(path).unwrap();
    let head = u16::from_le_bytes([bytes[8], bytes[9]]) as usize;
    let text = std::str::from_utf8(&bytes[10..10 + head]).unwrap();
    assert!(text.contains("'<f4'") && text.contains("'fortran_order': False"), "{text}");
    let shape = text.split('(').nth(1).unwrap().split(')').next().unwrap();
    let shape: Vec<usize> = shape.split(',').filter_map(|n| n.trim().parse().ok()).collect();
    let values = bytes[10 + head..].chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    (values.collect(), shape[0], shape[1])
}

fn write(path: &str, axes: &[Vec<f32>]) {
    let n = axes[0].len();
    let head = format!("{{'descr': '<f4', 'fortran_order': True, 'shape': ({n}, {}), }}", axes.len());
    let head = format!("{head:<117}\n");
    let mut out = b"\x93NUMPY\x01\x00".to_vec();
    out.extend((head.len() as u16).to_le_bytes());
    out.extend(head.as_bytes());
    out.extend(axes.iter().flatten().flat_map(|v| v.to_le_bytes()));
    fs::write(path, out).unwrap();
}

/// MB that this process has held at most.
fn peak() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [path, to, mode, rate] = args.as_slice() else { panic!("manifolds X.npy MAP.npy MODE RATE") };
    let (x, n, d) = read(path);
    let idle = peak();
    let map = |n: usize, epochs: Option<usize>| {
        let mut p = TsneParams::<f32>::default();
        if rate == "n" {
            p.optim_params.lr = Some(n as f32);
        }
        if let Some(epochs) = epochs {
            (p.optim_params.n_epochs, p.optim_params.early_exag_iter) = (epochs, epochs / 2);
        }
        tsne((&x[..n * d], n, d), None, &p, mode, 1, 0).unwrap()
    };
    map(n.min(1000), Some(40));
    let began = Instant::now();
    let places = map(n, None);
    println!("[{}, {}]", began.elapsed().as_secs_f64(), peak() - idle);
    write(to, &places);
}
