// SPDX-License-Identifier: Apache-2.0
//! A job as it lies on disk and as clients see it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::order::Order;

/// Why a job failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// The compiler refuses the module: the same module will fail again
    Refused,
    /// The job reached a limit of the service
    Limit,
    /// The compiler or the service has a fault
    Internal,
}

/// The state of a job on disk. A job that runs is a queued one there: if the server dies, the job runs again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "state")]
pub enum State {
    /// It waits, or runs.
    Queued,
    /// There is a result.
    Done {
        /// Length of the image.
        bytes: u64,
        /// Hash of the image.
        sha256: String,
        /// Notes of the compiler.
        words: String,
    },
    /// There will be none.
    Failed {
        /// The kind of failure.
        reason: Reason,
        /// Sentences of the compiler, or of the service.
        words: String,
    },
}

/// A job as it lies on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Id of the job.
    pub id: String,
    /// Number of the submission, ascending. A job that is posted again after it was deleted has another.
    pub sequence: u64,
    /// Hash of the module, in hexadecimal digits.
    pub wasm_sha256: String,
    /// Target and options.
    pub order: Order,
    /// The compiler that the result is from, or is to be from.
    pub compiler: String,
    /// Names of the tokens that posted it.
    pub owners: BTreeSet<String>,
    /// Starts that no end followed.
    pub attempts: u32,
    /// The state on disk.
    #[serde(flatten)]
    pub state: State,
}

impl Record {
    /// Returns the bytes that the job takes in the cache, its record included.
    pub fn cost(&self) -> u64 {
        1024 + match &self.state {
            State::Queued => 0,
            State::Done { bytes, words, .. } => bytes + words.len() as u64,
            State::Failed { words, .. } => words.len() as u64,
        }
    }
}

/// The state of a job, as clients see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// It waits
    Queued,
    /// A compiler works on it
    Running,
    /// There is a result
    Done,
    /// There will be no result
    Failed,
}

impl Phase {
    /// Returns the word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

/// A job as clients see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Job {
    /// Id of the job: the same module, options and compiler have the same
    pub id: String,
    /// The state of the job
    pub state: Phase,
    /// Hash of the module, in hexadecimal digits
    pub wasm_sha256: String,
    /// Target and options
    pub options: Order,
    /// The compiler
    pub compiler: String,
    /// Jobs that wait before this one, if it waits
    pub before: Option<usize>,
    /// Why it failed, if it did
    pub reason: Option<Reason>,
    /// Sentences of the compiler
    pub words: Option<String>,
    /// The image, if the job is done
    pub result: Option<JobResult>,
}

/// The image that a job made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobResult {
    /// Path of the image
    pub href: String,
    /// Length of the image
    pub bytes: u64,
    /// Hash of the image, in hexadecimal digits
    pub sha256: String,
}

impl Job {
    /// Returns what clients see of a record.
    pub fn of(record: &Record, running: bool, before: Option<usize>) -> Self {
        let (state, reason, words, result) = match &record.state {
            State::Queued if running => (Phase::Running, None, None, None),
            State::Queued => (Phase::Queued, None, None, None),
            State::Done { bytes, sha256, words } => {
                let href = format!("/v1/jobs/{}/result", record.id);
                let result = JobResult { href, bytes: *bytes, sha256: sha256.clone() };
                (Phase::Done, None, Some(words.clone()), Some(result))
            }
            State::Failed { reason, words } => (Phase::Failed, Some(*reason), Some(words.clone()), None),
        };
        Self {
            id: record.id.clone(),
            state,
            wasm_sha256: record.wasm_sha256.clone(),
            options: record.order.clone(),
            compiler: record.compiler.clone(),
            before: before.filter(|_| state == Phase::Queued),
            reason,
            words,
            result,
        }
    }
}
