// SPDX-License-Identifier: Apache-2.0
//! Receives a module: to disk, within limits of length and patience.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use axum::body::Body;
use axum::http::{header, HeaderMap};
use http_body_util::BodyExt;
use sha2::{Digest, Sha256};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use super::order::hex;
use super::problem::Problem;

/// A body that was received. Its file is deleted with it, unless the board took the file.
#[derive(Debug)]
pub struct Upload {
    /// The file, synchronised to disk.
    pub path: PathBuf,
    /// Hash of its bytes, in hexadecimal digits.
    pub sha256: String,
}

impl Drop for Upload {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn on_disk(error: std::io::Error) -> Problem {
    tracing::error!("an upload cannot be written: {error}");
    Problem::internal("the service cannot write to its disk")
}

/// Receives a body of at most `limit` bytes into the file `path`, whose parts come within `idle` of each other.
///
/// # Errors
/// The body is empty, too long, too slow, or ends early. The disk does not take it.
pub async fn receive(
    headers: &HeaderMap,
    mut body: Body,
    path: PathBuf,
    limit: u64,
    idle: Duration,
) -> Result<Upload, Problem> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(Problem::too_large(limit));
    }
    let mut file = File::create(&path).await.map_err(on_disk)?;
    let mut upload = Upload { path, sha256: String::new() };
    let (mut hash, mut length) = (Sha256::new(), 0);
    loop {
        let frame = match timeout(idle, body.frame()).await {
            Err(_) => return Err(Problem::too_slow(idle.as_secs())),
            Ok(None) => break,
            Ok(Some(Err(_))) => return Err(Problem::cut_short(length)),
            Ok(Some(Ok(frame))) => frame,
        };
        let Some(bytes) = frame.data_ref() else { continue };
        length += bytes.len() as u64;
        if length > limit {
            return Err(Problem::too_large(limit));
        }
        hash.update(bytes);
        file.write_all(bytes).await.map_err(on_disk)?;
    }
    if length == 0 {
        return Err(Problem::empty_body());
    }
    file.sync_all().await.map_err(on_disk)?;
    upload.sha256 = hex(&hash.finalize());
    Ok(upload)
}
