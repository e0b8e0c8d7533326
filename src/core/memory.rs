//! How much memory the process holds, as the system tells.

use super::ffi;

/// A line of the process's status, in bytes.
fn status(key: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix(key))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kb| kb * 1024)
}

/// Bytes held now, without what is only kept for later, which is returned to the system.
pub fn needed() -> Option<u64> {
    ffi::return_memory();
    held()
}

/// Bytes held now.
pub fn held() -> Option<u64> {
    status("VmRSS:")
}

/// Bytes held now, more than `most`; what is only kept for later is returned to the system before it is told.
pub fn above(most: u64) -> Option<u64> {
    held().filter(|h| *h > most)?;
    needed().filter(|h| *h > most)
}

/// The most that was ever held, in bytes.
pub fn peak() -> Option<u64> {
    status("VmHWM:")
}

/// `940 B`, `1.5 kB`, `234 MB`, `2.3 GB`.
pub fn words(bytes: u64) -> String {
    let b = bytes as f64;
    let short = |v: f64, unit: &str| match v {
        v if v < 9.95 => format!("{v:.1} {unit}"),
        v => format!("{v:.0} {unit}"),
    };
    match bytes {
        0..1000 => format!("{bytes} B"),
        1000..999_500 => short(b / 1e3, "kB"),
        999_500..999_500_000 => short(b / 1e6, "MB"),
        _ => short(b / 1e9, "GB"),
    }
}

/// `500MB`, `1.5 GB`, `2G`, `1000000`.
pub fn read(text: &str) -> Option<u64> {
    let text = text.trim().to_lowercase();
    let unit = text.find(|c: char| c.is_alphabetic()).unwrap_or(text.len());
    let (number, unit) = (text[..unit].trim().parse::<f64>().ok()?, text[unit..].trim_end_matches('b'));
    let scale = match unit {
        "" => 1.0,
        "k" => 1e3,
        "m" => 1e6,
        "g" => 1e9,
        _ => return None,
    };
    (number > 0.0 && number.is_finite()).then_some((number * scale) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_said_and_read() {
        let said = [940, 1_500, 99_960, 234_000_000, 999_600_000, 2_340_000_000].map(words);
        assert_eq!(said, ["940 B", "1.5 kB", "100 kB", "234 MB", "1.0 GB", "2.3 GB"]);
        let read = ["500MB", "1.5 GB", "2g", "12", "4 kb"].map(|t| read(t).unwrap());
        assert_eq!(read, [500_000_000, 1_500_000_000, 2_000_000_000, 12, 4_000]);
        for bad in ["", "GB", "-1", "0", "1 XB", "nan", "inf"] {
            assert_eq!(super::read(bad), None, "{bad}");
        }
        assert!(held().unwrap() > 1_000_000 && peak() >= held().map(|h| h / 2));
    }
}
