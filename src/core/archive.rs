//! Zip archives in memory (.npz, PyTorch checkpoints). Nothing is unpacked to the disk, so names inside
//! are names only; sizes are checked before anything is allocated.

use std::borrow::Cow;
use std::io;

use flate2::Crc;
use zip::{CompressionMethod, ZipArchive};

use crate::core::bytes::{ratio_limit, unpack};
use crate::core::{Error, Result};

/// An open archive.
pub struct Archive<'a> {
    zip: ZipArchive<io::Cursor<&'a [u8]>>,
    bytes: &'a [u8],
    taken: u64,
}

impl<'a> Archive<'a> {
    /// Reads the archive's directory.
    ///
    /// # Errors
    /// Bytes that are no zip archive, or a damaged one.
    pub fn open(bytes: &'a [u8]) -> Result<Self> {
        let zip = ZipArchive::new(io::Cursor::new(bytes)).map_err(|e| {
            Error::new(format!("damaged zip archive: {e}"))
                .hint("the file is incomplete or damaged; fetch it again")
        })?;
        Ok(Self { zip, bytes, taken: 0 })
    }

    /// The names of the entries, in the order of the directory.
    pub fn names(&self) -> Vec<String> {
        self.zip.file_names().map(str::to_string).collect()
    }

    /// An entry's bytes; a stored entry is not copied. Take each entry once.
    ///
    /// # Errors
    /// No such entry, encryption, another compression than deflate, an untrue size, a wrong checksum,
    /// entries that overlap.
    pub fn get(&mut self, name: &str) -> Result<Cow<'a, [u8]>> {
        self.content(name).map_err(|e| e.within(format!("entry `{}`", name.escape_debug())))
    }

    fn content(&mut self, name: &str) -> Result<Cow<'a, [u8]>> {
        let index = self.zip.index_for_name(name).ok_or_else(|| Error::new("not in the archive"))?;
        let damaged = |e: zip::result::ZipError| Error::new(format!("damaged: {e}"));
        let entry = self.zip.by_index_raw(index).map_err(damaged)?;
        let (size, packed) = (entry.size(), entry.compressed_size());
        let (method, checksum, start) = (entry.compression(), entry.crc32(), entry.data_start());
        if entry.encrypted() {
            return Err(Error::new("is encrypted"));
        }
        drop(entry);
        let part = usize::try_from(start)
            .ok()
            .zip(usize::try_from(packed).ok())
            .and_then(|(start, len)| self.bytes.get(start..start.checked_add(len)?))
            .ok_or_else(|| {
                Error::new(format!("{packed} bytes expected at byte {start}, the file ends before"))
            })?;
        // Many entries over the same bytes are how a small archive unpacks to terabytes.
        self.taken += packed;
        if self.taken > self.bytes.len() as u64 {
            return Err(Error::new("damaged: entries overlap"));
        }
        match method {
            CompressionMethod::Stored if size == packed => {
                let mut crc = Crc::new();
                crc.update(part);
                // torch.save can be told to leave the checksums out; it writes zeros then.
                if checksum != 0 && crc.sum() != checksum {
                    return Err(Error::new("damaged: wrong checksum"));
                }
                Ok(Cow::Borrowed(part))
            }
            CompressionMethod::Deflated if size <= ratio_limit(part.len()) => {
                let entry = self.zip.by_index(index).map_err(damaged)?;
                let bytes = unpack(entry, part.len(), size)?;
                if bytes.len() as u64 != size {
                    return Err(Error::new(format!("holds {} bytes, {size} were declared", bytes.len())));
                }
                Ok(Cow::Owned(bytes))
            }
            CompressionMethod::Stored | CompressionMethod::Deflated => {
                Err(Error::new(format!("declares {size} bytes, which {packed} packed bytes cannot hold")))
            }
            _ => Err(Error::new(format!("compression {method} is not read, only stored and deflate are"))),
        }
    }
}
