// SPDX-License-Identifier: Apache-2.0
//! The standard input of the process, read in a thread of its own so that a wait for it can end.

use std::io::{self, Read};
use std::sync::mpsc::{channel, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

/// Longest time between two looks at whether a wait is to end.
const INTERVAL: Duration = Duration::from_millis(20);

/// The standard input. Nothing is read before the app asks for it.
#[derive(Debug)]
pub(crate) struct Stdin {
    asks: Sender<usize>,
    answers: Receiver<io::Result<Vec<u8>>>,
    /// A read that was asked for has not been answered.
    pending: bool,
    /// Bytes that were read and that the app did not take.
    left: Vec<u8>,
}

impl Stdin {
    /// Starts the thread that reads from `source`.
    pub(crate) fn new(mut source: impl Read + Send + 'static) -> Self {
        let (asks, asked) = channel::<usize>();
        let (answer, answers) = channel();
        // the thread ends with the process, or with the next read after the app is gone
        std::thread::spawn(move || {
            for length in asked {
                let mut bytes = vec![0; length];
                let read = source.read(&mut bytes).map(|read| {
                    bytes.truncate(read);
                    bytes
                });
                if answer.send(read).is_err() {
                    return;
                }
            }
        });
        Stdin { asks, answers, pending: false, left: Vec::new() }
    }

    /// Reads at most as many bytes as the buffer has room for, at least one unless the input is at its end. Waits until
    /// there are some. Returns `None` if `is_over` returned true meanwhile.
    ///
    /// # Errors
    /// Returns the operating system's error.
    pub(crate) fn read(&mut self, buffer: &mut [u8], mut is_over: impl FnMut() -> bool) -> io::Result<Option<usize>> {
        if self.left.is_empty() {
            if !self.pending {
                // without its thread the input is at its end
                self.pending = self.asks.send(buffer.len()).is_ok();
            }
            loop {
                match self.answers.recv_timeout(INTERVAL) {
                    Ok(read) => {
                        self.pending = false;
                        self.left = read?;
                        break;
                    }
                    Err(RecvTimeoutError::Disconnected) => break,
                    Err(RecvTimeoutError::Timeout) if is_over() => return Ok(None),
                    Err(RecvTimeoutError::Timeout) => {}
                }
            }
        }
        let taken = self.left.len().min(buffer.len());
        buffer[..taken].copy_from_slice(&self.left[..taken]);
        self.left.drain(..taken);
        Ok(Some(taken))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_read_did_not_wait_for_is_there_for_the_next() {
        let (mut input, silent) = (Stdin::new(Silent), &mut [0; 4]);
        assert_eq!(input.read(silent, || true).unwrap(), None);
        let mut input = Stdin::new(&b"abcdef"[..]);
        input.asks.send(6).unwrap();
        input.pending = true;
        let mut buffer = [0; 4];
        assert_eq!(input.read(&mut buffer, || false).unwrap(), Some(4));
        assert_eq!(&buffer, b"abcd");
        assert_eq!(input.read(&mut buffer, || false).unwrap(), Some(2));
        assert_eq!(&buffer[..2], b"ef");
        assert_eq!(input.read(&mut buffer, || false).unwrap(), Some(0));
    }

    /// An input that never has anything.
    struct Silent;

    impl Read for Silent {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            loop {
                std::thread::park();
            }
        }
    }
}
