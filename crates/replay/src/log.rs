//! Logs as bytes: a first line that says what it is, then events, each after its length.

use std::io::{self, Read};

use crate::Event;

/// The first bytes of every log. The number changes with the meaning of what follows.
pub const PREAMBLE: &[u8] = b"mixminus replay 2\n";

/// Most bytes of one event: half an hour of audio at 48 kHz is less.
pub const MAX_EVENT_BYTES: usize = 256 << 20;

/// Bytes of an event's length.
const LENGTH_BYTES: usize = 4;

/// Why a log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// It does not begin as a log does.
    #[error("this is no replay log of version 2")]
    NoLog,
    /// It cannot be read.
    #[error("the log cannot be read: {0}")]
    Io(#[from] io::Error),
    /// An event that is longer than any.
    #[error("event {event} claims {size_bytes} bytes, at most {MAX_EVENT_BYTES} are read")]
    TooLong {
        /// Which event, counted from 1.
        event: u64,
        /// Its size.
        size_bytes: usize,
    },
    /// Bytes that are no event.
    #[error("event {event} is damaged: {source}")]
    Damaged {
        /// Which event, counted from 1.
        event: u64,
        /// What is wrong.
        source: postcard::Error,
    },
}

/// An event as bytes for a log.
pub fn to_bytes(event: &Event) -> Box<[u8]> {
    let body = postcard::to_extend(event, vec![0; LENGTH_BYTES]);
    let mut bytes = body.expect("memory takes any event");
    let size_bytes = (bytes.len() - LENGTH_BYTES) as u32;
    bytes[..LENGTH_BYTES].copy_from_slice(&size_bytes.to_le_bytes());
    bytes.into()
}

/// Writes an event to the start of `out` and returns its size in bytes; `None` when it does not fit. Does not
/// allocate.
pub fn write(event: &Event, out: &mut [u8]) -> Option<usize> {
    let (length, body) = out.split_first_chunk_mut()?;
    let size_bytes = postcard::to_slice(event, body).ok()?.len();
    *length = (size_bytes as u32).to_le_bytes();
    Some(LENGTH_BYTES + size_bytes)
}

/// The events of a log, one after the other.
///
/// A log that ends in the middle of an event has lost that event with the process that wrote it, and ends
/// there.
#[derive(Debug)]
pub struct Reader<R> {
    bytes: R,
    events: u64,
    buffer: Vec<u8>,
}

impl<R: Read> Reader<R> {
    /// Begins to read a log.
    ///
    /// # Errors
    ///
    /// [`LogError`] when it is none.
    pub fn new(mut bytes: R) -> Result<Self, LogError> {
        let mut preamble = [0; PREAMBLE.len()];
        match bytes.read_exact(&mut preamble) {
            Ok(()) if preamble == *PREAMBLE => Ok(Self { bytes, events: 0, buffer: Vec::new() }),
            Ok(()) => Err(LogError::NoLog),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(LogError::NoLog),
            Err(error) => Err(error.into()),
        }
    }

    /// The next event; `None` at the end.
    ///
    /// # Errors
    ///
    /// [`LogError`] when the log is damaged or cannot be read.
    pub fn next_event(&mut self) -> Result<Option<Event<'static>>, LogError> {
        let mut length = [0; LENGTH_BYTES];
        if !fill(&mut self.bytes, &mut length)? {
            return Ok(None);
        }
        self.events += 1;
        let (event, size_bytes) = (self.events, u32::from_le_bytes(length) as usize);
        if size_bytes > MAX_EVENT_BYTES {
            return Err(LogError::TooLong { event, size_bytes });
        }
        self.buffer.clear();
        // Grows with what is there, not with what the length claims.
        (&mut self.bytes).take(size_bytes as u64).read_to_end(&mut self.buffer)?;
        if self.buffer.len() < size_bytes {
            return Ok(None);
        }
        postcard::from_bytes(&self.buffer).map(Some).map_err(|source| LogError::Damaged { event, source })
    }
}

/// Whether there were bytes enough.
fn fill(bytes: &mut impl Read, out: &mut [u8]) -> Result<bool, io::Error> {
    match bytes.read_exact(out) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::Rate;

    fn log(events: &[Event]) -> Vec<u8> {
        events.iter().fold(PREAMBLE.to_vec(), |log, event| [log, to_bytes(event).into()].concat())
    }

    fn read(log: &[u8]) -> Result<Vec<Event<'static>>, LogError> {
        let mut reader = Reader::new(log)?;
        std::iter::from_fn(|| reader.next_event().transpose()).collect()
    }

    fn clip() -> Event<'static> {
        Event::Clip {
            clip: 7,
            rate: Rate::Hz16000,
            loops: false,
            samples: Cow::Borrowed(&[1, -32_768, 32_767]),
        }
    }

    #[test]
    fn what_was_written_is_read() {
        let events = [clip(), Event::Tick { bridge: 3 }, Event::Cut];
        assert_eq!(read(&log(&events)).unwrap(), events);
    }

    #[test]
    fn an_event_is_the_same_bytes_with_and_without_allocation() {
        let mut out = [0; 32];
        let size_bytes = write(&clip(), &mut out).unwrap();
        assert_eq!(out[..size_bytes], *to_bytes(&clip()));
        assert_eq!(write(&clip(), &mut out[..size_bytes - 1]), None);
        assert_eq!(write(&clip(), &mut [0; 3]), None);
    }

    #[test]
    fn a_log_ends_before_the_event_that_was_being_written() {
        let whole = log(&[clip(), Event::Tick { bridge: 3 }]);
        for end in 1..=to_bytes(&Event::Tick { bridge: 3 }).len() {
            assert_eq!(read(&whole[..whole.len() - end]).unwrap(), [clip()]);
        }
    }

    #[test]
    fn what_is_no_log_or_damaged_is_refused() {
        assert!(matches!(read(b"RIFF"), Err(LogError::NoLog)));
        assert!(matches!(read(&[b'x'; 100]), Err(LogError::NoLog)));
        let damaged = [PREAMBLE, &[1, 0, 0, 0, 99]].concat();
        assert!(matches!(read(&damaged), Err(LogError::Damaged { event: 1, .. })));
        let endless = [PREAMBLE, &[0xff; 4]].concat();
        assert!(matches!(read(&endless), Err(LogError::TooLong { event: 1, .. })));
    }
}
