//! Where the texts come from: the real disk, with one made-up fault.

use std::{io, path::Path};

use ddd_core::{Classify, ErrorKind};

/// The disk. Its one fault is made up: the first attempt to read the file at `flaky` fails, to show a retry.
#[derive(Debug)]
pub struct Disk {
    pub flaky: Option<String>,
}

/// Why a text cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("there is no such file")]
    Missing,
    #[error("it is a directory, not a file")]
    Directory,
    #[error("it is not a regular file")]
    Special,
    #[error("it is not UTF-8 text: byte {position} is out of place")]
    NotText { position: usize },
    #[error("flaky disk (made up, to show a retry)")]
    Flaky,
    #[error("it cannot be read")]
    Disk(#[source] io::Error),
}

/// The kind decides whether the task is tried again: what is missing will be missing again, a flaky disk may recover.
impl Classify for ReadError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Missing => ErrorKind::NotFound,
            Self::Directory | Self::Special | Self::NotText { .. } => ErrorKind::Invalid,
            Self::Flaky | Self::Disk(_) => ErrorKind::Unavailable,
        }
    }
}

impl Disk {
    /// The text of a file.
    ///
    /// # Errors
    /// It is no text, or cannot be read.
    pub async fn read(&self, path: &str) -> Result<String, ReadError> {
        let metadata = tokio::fs::metadata(path).await.map_err(ReadError::of)?;
        if metadata.is_dir() {
            return Err(ReadError::Directory);
        }
        if !metadata.is_file() {
            return Err(ReadError::Special);
        }
        let bytes = tokio::fs::read(Path::new(path)).await.map_err(ReadError::of)?;
        String::from_utf8(bytes).map_err(|it| ReadError::NotText { position: it.utf8_error().valid_up_to() })
    }

    /// The same, as the given attempt; the first one meets the fault.
    ///
    /// # Errors
    /// As [`Disk::read`], or the fault.
    pub async fn read_at_attempt(&self, path: &str, attempt: u32) -> Result<String, ReadError> {
        if attempt == 1 && self.flaky.as_deref() == Some(path) {
            return Err(ReadError::Flaky);
        }
        self.read(path).await
    }
}

impl ReadError {
    fn of(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing,
            _ => Self::Disk(error),
        }
    }
}
