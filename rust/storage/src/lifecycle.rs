// SPDX-License-Identifier: Apache-2.0
//! What happens to an app once it is installed.

use crate::app::{App, AppRecord, Slot};
use crate::journal::counters;
use crate::layout::{MAX_RETIRED, PAYLOAD_MAX};
use crate::record::Kind;
use crate::store::Store;
use crate::{Flash, StoreError};
use wisp_trust::KeyId;

impl<F: Flash> Store<'_, F> {
    pub(crate) fn put(&mut self, slot: Slot, app: App) -> Result<(), StoreError> {
        self.record_and_retire(slot, app, &[])
    }

    fn record_and_retire(&mut self, slot: Slot, app: App, retires: &[u8]) -> Result<(), StoreError> {
        // an update that ran stays one that can be confirmed
        let attempts = if app.candidate.is_some() { self.place(slot).attempts } else { 0 };
        let record = AppRecord { slot: slot.0, closes_upload: false, app, attempts, retires };
        self.append(Kind::App, record.write(&mut [0; PAYLOAD_MAX]))
    }

    /// Keeps the candidate: it becomes the running image, and the space of the old one is free. The old image
    /// must not be executing any more.
    ///
    /// # Errors
    /// [`StoreError::NoCandidate`], [`StoreError::Untried`], [`StoreError::NotFound`],
    /// [`StoreError::Flash`], [`StoreError::JournalFull`].
    pub fn confirm(&mut self, slot: Slot) -> Result<(), StoreError> {
        self.confirm_and_retire(slot, &[])
    }

    /// Keeps the candidate, and with the same record retires the keys with these ids (8 bytes each). The caller has
    /// checked that the candidate's signer may do that.
    ///
    /// # Errors
    /// Returns the errors of [`Store::confirm`], and [`StoreError::RetiredFull`].
    pub fn confirm_and_retire(&mut self, slot: Slot, retires: &[u8]) -> Result<(), StoreError> {
        let app = self.app(slot)?;
        let image = app.candidate.ok_or(StoreError::NoCandidate)?;
        if self.place(slot).attempts == 0 {
            return Err(StoreError::Untried);
        }
        let new = retires.chunks_exact(8).filter(|id| !self.retired().iter().any(|known| known == id)).count();
        if self.retired().len() + new > MAX_RETIRED || retires.len() > 8 * MAX_RETIRED {
            return Err(StoreError::RetiredFull);
        }
        let floor = app.floor.max(image.rollback);
        let version = image.version;
        let app = App { running: Some(image), candidate: None, floor, version, disabled: false, ..app };
        self.record_and_retire(slot, app, retires)
    }

    /// Forgets retired keys for which `keep` returns false: those that the firmware no longer carries are refused
    /// without that.
    ///
    /// # Errors
    /// [`StoreError::Flash`].
    pub fn forget_retired(&mut self, mut keep: impl FnMut(&KeyId) -> bool) -> Result<(), StoreError> {
        let mut kept = [KeyId::default(); MAX_RETIRED];
        let mut count = 0;
        for id in self.retired().iter().filter(|id| keep(id)) {
            if let Some(place) = kept.get_mut(usize::from(count)) {
                *place = *id;
                count += 1;
            }
        }
        if count == self.retired_count {
            return Ok(());
        }
        (self.retired, self.retired_count) = (kept, count);
        // the snapshot has what is left
        self.rotate()
    }

    /// Drops the candidate, which must not be executing. An app without a running image is gone then.
    ///
    /// # Errors
    /// [`StoreError::NoCandidate`], [`StoreError::NotFound`], [`StoreError::Flash`],
    /// [`StoreError::JournalFull`].
    pub fn roll_back(&mut self, slot: Slot) -> Result<(), StoreError> {
        let app = self.app(slot)?;
        if app.candidate.is_none() {
            return Err(StoreError::NoCandidate);
        }
        self.put(slot, App { candidate: None, disabled: false, ..app })
    }

    /// Drops the app's images, which must not be executing. Its rollback counter and its version are remembered:
    /// in its place, and the counter, when another app takes that, beside it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Flash`], [`StoreError::JournalFull`].
    pub fn uninstall(&mut self, slot: Slot) -> Result<(), StoreError> {
        let app = self.app(slot)?;
        if !app.is_installed() {
            return Err(StoreError::NotFound);
        }
        self.put(slot, App { running: None, candidate: None, disabled: false, manual: false, ..app })
    }

    /// Says whether the app is kept from starting by itself because it crashed too often. Forgets crashes.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Flash`], [`StoreError::JournalFull`].
    pub fn set_disabled(&mut self, slot: Slot, disabled: bool) -> Result<(), StoreError> {
        let app = self.app(slot)?;
        if app.disabled == disabled && self.place(slot).crashes == 0 {
            return Ok(());
        }
        self.put(slot, App { disabled, ..app })
    }

    /// Says whether the app is started by hand only. Forgets crashes.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Flash`], [`StoreError::JournalFull`].
    pub fn set_manual(&mut self, slot: Slot, manual: bool) -> Result<(), StoreError> {
        let app = self.app(slot)?;
        if app.manual == manual {
            return Ok(());
        }
        self.put(slot, App { manual, ..app })
    }

    /// Counts a start of the candidate, before it starts: one that takes the whole device down is rolled back
    /// by the count. The number of starts so far, this one included.
    ///
    /// # Errors
    /// [`StoreError::NoCandidate`], [`StoreError::NotFound`], [`StoreError::Flash`],
    /// [`StoreError::JournalFull`].
    pub fn attempt(&mut self, slot: Slot) -> Result<u8, StoreError> {
        self.app(slot)?.candidate.ok_or(StoreError::NoCandidate)?;
        let (attempts, crashes) = self.counters(slot);
        let attempts = attempts.saturating_add(1);
        self.append(Kind::Counters, &counters(slot, attempts, crashes))?;
        Ok(attempts)
    }

    /// Counts a crash. Returns the number of crashes since the app's state changed or [`Store::set_disabled`].
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Flash`], [`StoreError::JournalFull`].
    pub fn crashed(&mut self, slot: Slot) -> Result<u16, StoreError> {
        if self.place(slot).at == 0 {
            return Err(StoreError::NotFound);
        }
        let (attempts, crashes) = self.counters(slot);
        let crashes = crashes.saturating_add(1);
        self.append(Kind::Counters, &counters(slot, attempts, crashes))?;
        Ok(crashes)
    }
}
