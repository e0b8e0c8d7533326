//! The history of a run as TensorBoard reads it: an event file, which is TFRecords of `Event` messages with a `Summary`
//! each (tensorflow/core/util/event.proto, framework/summary.proto). A few fields, so they are written by hand.

use super::trainer::Trainer;
use crate::core::{Result, atomic, paths};
use std::time::{SystemTime, UNIX_EPOCH};

/// Fixed, so that a resumed run goes on in it. TensorBoard looks for `tfevents`.
const NAME: &str = "events.out.tfevents.cs385";

/// Writes the whole history. What was written before stays byte for byte, so that a TensorBoard that has read so far
/// reads on from there.
///
/// # Errors
/// A file that cannot be written.
pub fn write(t: &Trainer) -> Result<()> {
    let path = paths::writable(t.file(NAME))?;
    let history = t.history();
    let seconds = history.column("seconds");
    let before = std::fs::read(&path).ok().filter(|_| seconds.len() > 1);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64());
    let began = before.and_then(|b| wall_time(&b)).unwrap_or_else(|| now - seconds.iter().sum::<f64>());
    let mut file = record(&[double(1, began), bytes(3, b"brain.Event:2")].concat());
    let mut at = began;
    for (row, seconds) in history.rows().iter().zip(seconds) {
        at += seconds;
        let epoch = row.iter().find(|(n, _)| n == "epoch").map_or(0.0, |(_, v)| *v);
        let values = row
            .iter()
            .filter(|(n, _)| n != "epoch")
            .map(|(n, v)| bytes(1, &[bytes(1, tag(n).as_bytes()), float(2, *v as f32)].concat()));
        let summary = values.collect::<Vec<_>>().concat();
        file.extend(record(&[double(1, at), integer(2, epoch as u64), bytes(5, &summary)].concat()));
    }
    atomic::write(path, &file)
}

/// `train_loss` → `loss/train`: TensorBoard draws what shares the first part side by side.
fn tag(column: &str) -> String {
    let of = |part: &str| column.strip_prefix(part)?.strip_prefix('_').map(|m| format!("{m}/{part}"));
    of("train").or_else(|| of("val")).unwrap_or_else(|| column.to_string())
}

/// When the first event of a file was.
fn wall_time(file: &[u8]) -> Option<f64> {
    // Length and checksum take 12 bytes, the tag of field 1 one.
    file.get(13..21)?.try_into().ok().map(f64::from_le_bytes)
}

/// A TFRecord: length, its checksum, data, its checksum.
fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    [&length[..], &masked(&length).to_le_bytes(), data, &masked(data).to_le_bytes()].concat()
}

fn masked(data: &[u8]) -> u32 {
    crc32c(data).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// CRC-32C (Castagnoli), bit by bit: a few kilobytes an epoch.
fn crc32c(data: &[u8]) -> u32 {
    !data.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |c, _| if c & 1 == 1 { (c >> 1) ^ 0x82f6_3b78 } else { c >> 1 })
    })
}

fn varint(mut v: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while v >= 0x80 {
        out.push(v as u8 | 0x80);
        v >>= 7;
    }
    out.push(v as u8);
    out
}

/// Fields of a message: number and wire type, then the value.
fn integer(field: u64, v: u64) -> Vec<u8> {
    [varint(field << 3), varint(v)].concat()
}

fn double(field: u64, v: f64) -> Vec<u8> {
    [varint(field << 3 | 1), v.to_le_bytes().to_vec()].concat()
}

fn bytes(field: u64, v: &[u8]) -> Vec<u8> {
    [varint(field << 3 | 2), varint(v.len() as u64), v.to_vec()].concat()
}

fn float(field: u64, v: f32) -> Vec<u8> {
    [varint(field << 3 | 5), v.to_le_bytes().to_vec()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_and_numbers_are_the_formats_own() {
        // RFC 3720, B.4.
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(varint(300), [0xac, 0x02]);
        assert_eq!((tag("train_top_k"), tag("lr")), ("top_k/train".to_string(), "lr".to_string()));
        assert_eq!(wall_time(&record(&double(1, 2.5))), Some(2.5));
    }
}
