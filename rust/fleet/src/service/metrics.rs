// SPDX-License-Identifier: Apache-2.0
//! What the service counts, for Prometheus.

use std::time::Duration;

use prometheus::{Encoder, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry, TextEncoder};

use super::board::{Admission, Counts, Outcome};
use super::record::Reason;

/// The counters of the service. None has the name of a client.
pub struct Metrics {
    registry: Registry,
    responses: IntCounterVec,
    problems: IntCounterVec,
    posted: IntCounterVec,
    ended: IntCounterVec,
    seconds: Histogram,
    waiting: IntGauge,
    running: IntGauge,
    cached: IntGauge,
    evicted: IntCounter,
}

/// Seconds that a job may take, for the histogram.
const BUCKETS: [f64; 9] = [0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0];

impl Metrics {
    /// Returns counters that are all zero.
    ///
    /// # Errors
    /// Two counters have the same name, or one has a bad name.
    pub fn new() -> Result<Self, prometheus::Error> {
        let family = |name: &str, help: &str, label: &str| IntCounterVec::new(Opts::new(name, help), &[label]);
        let out = Self {
            registry: Registry::new(),
            responses: family("wisp_http_responses_total", "Responses by status", "status")?,
            problems: family("wisp_http_problems_total", "Requests that were not done, by kind of problem", "problem")?,
            posted: family("wisp_jobs_posted_total", "Posted jobs: new, joined (waits or runs), hit (ended)", "as")?,
            ended: family("wisp_jobs_ended_total", "Runs of jobs by their end", "end")?,
            seconds: Histogram::with_opts(
                HistogramOpts::new("wisp_job_seconds", "Time that jobs ran").buckets(BUCKETS.to_vec()),
            )?,
            waiting: IntGauge::new("wisp_jobs_waiting", "Jobs that wait")?,
            running: IntGauge::new("wisp_jobs_running", "Jobs that run")?,
            cached: IntGauge::new("wisp_cache_bytes", "Bytes of results and records of jobs that have ended")?,
            evicted: IntCounter::new("wisp_cache_evictions_total", "Jobs that made room in the cache")?,
        };
        out.register()?;
        Ok(out)
    }

    fn register(&self) -> Result<(), prometheus::Error> {
        for family in [&self.responses, &self.problems, &self.posted, &self.ended] {
            self.registry.register(Box::new(family.clone()))?;
        }
        for gauge in [&self.waiting, &self.running, &self.cached] {
            self.registry.register(Box::new(gauge.clone()))?;
        }
        self.registry.register(Box::new(self.evicted.clone()))?;
        self.registry.register(Box::new(self.seconds.clone()))?;
        for word in ["new", "joined", "hit"] {
            self.posted.with_label_values(&[word]);
        }
        for word in ["done", "refused", "limit", "internal", "put_back"] {
            self.ended.with_label_values(&[word]);
        }
        Ok(())
    }

    /// Counts a response.
    pub fn response(&self, status: u16) {
        self.responses.with_label_values(&[&status.to_string()]).inc();
    }

    /// Counts a request that was not done.
    pub fn problem(&self, name: &str) {
        self.problems.with_label_values(&[name]).inc();
    }

    /// Counts a posted job.
    pub fn posted(&self, admission: Admission) {
        let word = match admission {
            Admission::New => "new",
            Admission::Joined => "joined",
            Admission::Hit => "hit",
        };
        self.posted.with_label_values(&[word]).inc();
    }

    /// Counts the end of a run.
    pub fn ended(&self, outcome: &Outcome, time: Duration) {
        let word = match outcome {
            Outcome::Done(..) => "done",
            Outcome::Failed(Reason::Refused, _) => "refused",
            Outcome::Failed(Reason::Limit, _) => "limit",
            Outcome::Failed(Reason::Internal, _) => "internal",
            Outcome::PutBack => "put_back",
        };
        self.ended.with_label_values(&[word]).inc();
        self.seconds.observe(time.as_secs_f64());
    }

    /// Returns all numbers in the text format of Prometheus.
    pub fn text(&self, counts: Counts) -> String {
        let number = |value: usize| i64::try_from(value).unwrap_or(i64::MAX);
        self.waiting.set(number(counts.waiting));
        self.running.set(number(counts.running));
        self.cached.set(i64::try_from(counts.cached).unwrap_or(i64::MAX));
        self.evicted.inc_by(counts.evicted.saturating_sub(self.evicted.get()));
        let mut out = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut out) {
            tracing::error!("metrics cannot be written: {error}");
        }
        String::from_utf8_lossy(&out).into_owned()
    }
}
