// SPDX-License-Identifier: Apache-2.0
//! Which jobs there are: admission, order, owners, results, eviction.
//!
//! Everything here may write to disk and is called from threads that may wait.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::sync::Arc;

use tokio::sync::Notify;

use super::order::Order;
use super::problem::Problem;
use super::record::{Job, Reason, Record, State};
use super::store::Store;
use super::tokens::Client;
use super::upload::Upload;

/// Starts of a job after which the server that ended each time is not risked again.
const ATTEMPTS: u32 = 3;

/// The way in which a job was admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It waits in the queue now.
    New,
    /// It waited or ran already.
    Joined,
    /// Its end is known.
    Hit,
}

/// A job that a worker has taken.
pub struct Run {
    /// The job as it was taken.
    pub record: Record,
    /// Is notified when nobody wants the job any more.
    pub kill: Arc<Notify>,
}

/// The end of a run.
pub enum Outcome {
    /// With an image, and with words of the compiler.
    Done(Vec<u8>, String),
    /// Without one.
    Failed(Reason, String),
    /// By the server, which is about to end: the job waits again.
    PutBack,
}

struct Running {
    id: String,
    /// The client whose turn it was.
    payer: String,
    kill: Arc<Notify>,
}

struct Entry {
    record: Record,
    /// Key in `uses`, for a job that has ended.
    used: u64,
}

/// Limits of the board.
#[derive(Clone, Copy)]
pub struct Limits {
    /// Jobs that wait at once.
    pub queue: usize,
    /// Bytes of results and records of jobs that have ended.
    pub cache: u64,
}

/// Numbers for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Jobs that wait.
    pub waiting: usize,
    /// Jobs that run.
    pub running: usize,
    /// Bytes of the cache.
    pub cached: u64,
    /// Jobs that made room in the cache since the start.
    pub evicted: u64,
}

/// The jobs of the service.
pub struct Board {
    store: Arc<Store>,
    limits: Limits,
    entries: HashMap<String, Entry>,
    /// Jobs that wait: sequence and id.
    queue: BTreeMap<u64, String>,
    /// Jobs that run, by sequence. Their entries may have gone.
    running: HashMap<u64, Running>,
    /// Jobs that have ended, by the time of their last use.
    uses: BTreeMap<u64, String>,
    /// When each owner had a job started last.
    served: HashMap<String, u64>,
    /// Counts events: submissions, starts, uses.
    clock: u64,
    cached: u64,
    evicted: u64,
    stopping: bool,
}

fn on_disk(error: io::Error) -> Problem {
    tracing::error!("the state folder cannot be written: {error}");
    Problem::internal("the service cannot write to its disk")
}

impl Board {
    /// Returns the jobs that lie in the state folder.
    pub fn open(store: Arc<Store>, limits: Limits) -> io::Result<Self> {
        let records = store.records()?;
        let clock = records.iter().map(|record| record.sequence).max().unwrap_or(0);
        let mut board = Self {
            store,
            limits,
            entries: HashMap::new(),
            queue: BTreeMap::new(),
            running: HashMap::new(),
            uses: BTreeMap::new(),
            served: HashMap::new(),
            clock,
            cached: 0,
            evicted: 0,
            stopping: false,
        };
        records.into_iter().for_each(|record| board.insert(record));
        board.evict("");
        Ok(board)
    }

    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    fn insert(&mut self, record: Record) {
        let used = self.tick();
        let id = record.id.clone();
        if record.state == State::Queued {
            self.queue.insert(record.sequence, id.clone());
        } else {
            self.uses.insert(used, id.clone());
            self.cached += record.cost();
        }
        self.entries.insert(id, Entry { record, used });
    }

    /// Takes a job out of memory, not off the disk.
    fn take(&mut self, id: &str) -> Option<Record> {
        let entry = self.entries.remove(id)?;
        self.queue.remove(&entry.record.sequence);
        if self.uses.remove(&entry.used).is_some() {
            self.cached -= entry.record.cost();
        }
        Some(entry.record)
    }

    /// Puts a changed job in the place of the one with its id, on disk first.
    fn replace(&mut self, record: Record) -> io::Result<()> {
        self.store.write_record(&record)?;
        self.take(&record.id);
        self.insert(record);
        Ok(())
    }

    fn drop_module(&self, wasm_sha256: &str) {
        let needed = |id: &String| self.entries.get(id).is_some_and(|entry| entry.record.wasm_sha256 == wasm_sha256);
        if !self.queue.values().any(needed) && !self.running.values().any(|run| needed(&run.id)) {
            self.store.drop_module(wasm_sha256);
        }
    }

    fn forget(&mut self, id: &str) -> io::Result<()> {
        let Some(record) = self.take(id) else { return Ok(()) };
        self.drop_module(&record.wasm_sha256);
        self.store.drop_record(id)
    }

    /// Deletes what was used least recently, but not the job `keep`.
    fn evict(&mut self, keep: &str) {
        while self.cached > self.limits.cache {
            let Some(id) = self.uses.values().find(|id| *id != keep).cloned() else { return };
            self.evicted += 1;
            if let Err(error) = self.forget(&id) {
                tracing::error!("job {id} is not evicted: {error}");
            }
        }
    }

    fn view(&self, record: &Record) -> Job {
        let running = self.running.contains_key(&record.sequence);
        Job::of(record, running, Some(self.queue.range(..record.sequence).count()))
    }

    /// Returns the number of jobs that wait or run for a client.
    fn active(&self, client: &str) -> usize {
        let waits = |id: &&String| self.entries.get(*id).is_some_and(|entry| entry.record.owners.contains(client));
        let waiting = self.queue.values().filter(waits).count();
        waiting + self.running.values().filter(|run| run.payer == client).count()
    }

    fn check_active(&self, client: &Client) -> Result<(), Problem> {
        let active = self.active(&client.name);
        if active < client.active {
            return Ok(());
        }
        let text = format!("{active} jobs of this token wait or run, and it may have {} at once", client.active);
        Err(Problem::quota(text, 5))
    }

    /// Admits a job, or finds the one that exists.
    ///
    /// # Errors
    /// The client's quota is used up, the queue is full, the server is stopping, the disk does not take the job.
    pub fn submit(
        &mut self,
        upload: &Upload,
        order: Order,
        compiler: &str,
        client: &Client,
    ) -> Result<(Job, Admission), Problem> {
        if self.stopping {
            return Err(Problem::stopping());
        }
        let id = order.id(&upload.sha256, compiler);
        let mut owners = BTreeSet::new();
        if let Some(record) = self.entries.get(&id).map(|entry| entry.record.clone()) {
            if let Some(admission) = self.known(&record, compiler) {
                return self.join(record, client, admission).map(|job| (job, admission));
            }
            owners = record.owners;
        }
        self.check_active(client)?;
        if self.queue.len() >= self.limits.queue {
            return Err(Problem::queue_full(self.limits.queue));
        }
        client.count_job()?;
        owners.insert(client.name.clone());
        let record = Record {
            id,
            sequence: self.tick(),
            wasm_sha256: upload.sha256.clone(),
            order,
            compiler: compiler.into(),
            owners,
            attempts: 0,
            state: State::Queued,
        };
        self.store.keep_module(&upload.path, &upload.sha256).map_err(on_disk)?;
        if let Err(error) = self.replace(record.clone()) {
            self.drop_module(&upload.sha256);
            return Err(on_disk(error));
        }
        Ok((self.view(&record), Admission::New))
    }

    /// Returns how a job with the same id serves a request, or `None` if it has to be done again.
    fn known(&self, record: &Record, compiler: &str) -> Option<Admission> {
        match &record.state {
            State::Queued => Some(Admission::Joined),
            _ if record.compiler != compiler => None,
            State::Done { sha256, .. } => self.store.read_result(&record.id, sha256).map(|_| Admission::Hit),
            State::Failed { reason, .. } => (*reason == Reason::Refused).then_some(Admission::Hit),
        }
    }

    fn join(&mut self, mut record: Record, client: &Client, admission: Admission) -> Result<Job, Problem> {
        if !record.owners.contains(&client.name) {
            if admission == Admission::Joined {
                self.check_active(client)?;
            }
            record.owners.insert(client.name.clone());
            self.store.write_record(&record).map_err(on_disk)?;
            if let Some(entry) = self.entries.get_mut(&record.id) {
                entry.record.owners.clone_from(&record.owners);
            }
        }
        self.touch(&record.id);
        Ok(self.view(&record))
    }

    /// Counts a use of a job that has ended.
    fn touch(&mut self, id: &str) {
        let now = self.tick();
        if let Some(entry) = self.entries.get_mut(id) {
            if self.uses.remove(&entry.used).is_some() {
                self.uses.insert(now, id.into());
            }
            entry.used = now;
        }
    }

    fn owned(&self, id: &str, client: &str) -> Result<&Record, Problem> {
        let entry = self.entries.get(id).filter(|entry| entry.record.owners.contains(client));
        entry.map(|entry| &entry.record).ok_or_else(Problem::no_such_job)
    }

    /// Returns a job of a client.
    pub fn job(&self, id: &str, client: &str) -> Result<Job, Problem> {
        self.owned(id, client).map(|record| self.view(record))
    }

    /// Returns the image that a job of a client made, and its hash.
    pub fn result(&mut self, id: &str, client: &str) -> Result<(Vec<u8>, String), Problem> {
        let record = self.owned(id, client)?;
        let sha256 = match &record.state {
            State::Queued => return Err(Problem::not_done(self.view(record).state.word())),
            State::Failed { words, .. } => return Err(Problem::failed(words)),
            State::Done { sha256, .. } => sha256.clone(),
        };
        if let Some(bytes) = self.store.read_result(id, &sha256) {
            self.touch(id);
            return Ok((bytes, sha256));
        }
        tracing::error!("the result of job {id} was damaged on disk; it is deleted");
        self.forget(id).map_err(on_disk)?;
        Err(Problem::damaged())
    }

    /// Takes a job from a client. It ends if no other client has posted it.
    pub fn cancel(&mut self, id: &str, client: &str) -> Result<(), Problem> {
        let mut record = self.owned(id, client)?.clone();
        record.owners.remove(client);
        let finished = matches!(record.state, State::Done { .. });
        if finished || !record.owners.is_empty() {
            // a result stays, for whoever posts the same again
            self.store.write_record(&record).map_err(on_disk)?;
            if let Some(entry) = self.entries.get_mut(id) {
                entry.record.owners = record.owners;
            }
            return Ok(());
        }
        if let Some(run) = self.running.get(&record.sequence) {
            run.kill.notify_one();
        }
        self.forget(id).map_err(on_disk)
    }

    /// Takes the job that is next: of the client with the fewest running jobs, of those the one that waited longest
    /// for its turn, and of its jobs the oldest.
    pub fn next(&mut self) -> Option<Run> {
        while !self.stopping {
            let turn = |owner: &String| {
                let running = self.running.values().filter(|run| run.payer == *owner).count();
                (running, self.served.get(owner).copied().unwrap_or(0), owner.clone())
            };
            let candidates = self.queue.iter().filter_map(|(sequence, id)| {
                let owners = &self.entries.get(id)?.record.owners;
                Some((owners.iter().map(turn).min()?, *sequence, id.clone()))
            });
            let ((_, _, payer), sequence, id) = candidates.min()?;
            if let Some(run) = self.start(&id, sequence, payer) {
                return Some(run);
            }
        }
        None
    }

    fn start(&mut self, id: &str, sequence: u64, payer: String) -> Option<Run> {
        let mut record = self.entries.get(id)?.record.clone();
        record.attempts += 1;
        if record.attempts > ATTEMPTS {
            let words = format!("the service ended {ATTEMPTS} times while this job ran");
            self.end(record, State::Failed { reason: Reason::Internal, words });
            return None;
        }
        if let Err(error) = self.store.write_record(&record) {
            tracing::error!("the start of job {id} is not recorded: {error}");
        }
        self.queue.remove(&sequence);
        if let Some(entry) = self.entries.get_mut(id) {
            entry.record.attempts = record.attempts;
        }
        let now = self.tick();
        self.served.insert(payer.clone(), now);
        let kill = Arc::new(Notify::new());
        self.running.insert(sequence, Running { id: id.into(), payer, kill: kill.clone() });
        Some(Run { record, kill })
    }

    /// Takes the end of a run. The job may have been deleted since.
    pub fn finish(&mut self, run: &Run, compiler: &str, outcome: Outcome) {
        let (id, sequence) = (&run.record.id, run.record.sequence);
        self.running.remove(&sequence);
        let current = self.entries.get(id).filter(|entry| entry.record.sequence == sequence);
        let Some(mut record) = current.map(|entry| entry.record.clone()) else { return };
        record.compiler = compiler.into();
        let state = match outcome {
            Outcome::PutBack => {
                record.attempts -= 1;
                State::Queued
            }
            Outcome::Failed(reason, words) => State::Failed { reason, words },
            Outcome::Done(image, words) => match self.store.write_result(id, &image) {
                Ok(()) => State::Done { bytes: image.len() as u64, sha256: super::order::sha256(&image), words },
                Err(error) => {
                    tracing::error!("the result of job {id} cannot be written: {error}");
                    let words = "the service could not write the result to its disk".into();
                    State::Failed { reason: Reason::Internal, words }
                }
            },
        };
        self.end(record, state);
    }

    fn end(&mut self, record: Record, state: State) {
        let record = Record { state, ..record };
        let (id, wasm) = (record.id.clone(), record.wasm_sha256.clone());
        if let Err(error) = self.replace(record.clone()) {
            // the job is in order for as long as the server runs, and runs again after it
            tracing::error!("the end of job {id} is not recorded: {error}");
            self.take(&id);
            self.insert(record);
        }
        self.drop_module(&wasm);
        self.evict(&id);
    }

    /// Takes no more jobs and starts none.
    pub fn stop(&mut self) {
        self.stopping = true;
    }

    /// Returns whether the server is about to end.
    pub fn is_stopping(&self) -> bool {
        self.stopping
    }

    /// Returns the numbers for metrics.
    pub fn counts(&self) -> Counts {
        let (waiting, running) = (self.queue.len(), self.running.len());
        Counts { waiting, running, cached: self.cached, evicted: self.evicted }
    }
}
