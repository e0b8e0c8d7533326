//! Numbers as people read them.

/// To four decimals, or to four digits with an exponent where these would say nothing.
pub fn short(v: f64) -> String {
    if v != 0.0 && (v.abs() < 1e-3 || v.abs() >= 1e4) { format!("{v:.3e}") } else { format!("{v:.4}") }
}
