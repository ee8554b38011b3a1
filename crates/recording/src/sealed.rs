//! Files that are encrypted and yet can be read and written anywhere.
//!
//! Content is sealed in segments of 64 KiB by AES-256-GCM, with a key of the file's own (HKDF of the given key and the
//! file's random id) and a new random nonce each time. Index and id are authenticated with each segment, and so is the
//! length. Who has an earlier state of the whole file can put that back, which only the hash chain shows.
//!
//! ```text
//! 0     "mixseal1", id of 32 bytes
//! 40    length: nonce of 12 bytes, 8 bytes sealed, tag of 16 bytes
//! 128   index of 8 bytes and a segment: the last one that was replaced
//! 65700 segments: nonce of 12 bytes, 65,536 bytes sealed, tag of 16 bytes
//! ```
//!
//! A segment that is there already is written aside before it is replaced. A process that is killed amid a write
//! leaves the old one or the new one.

use std::fmt;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::rand::{SecureRandom, SystemRandom};

use crate::Medium;

const MAGIC: &[u8; 8] = b"mixseal1";
const ID_BYTES: usize = 32;
const TAG_BYTES: usize = 16;
const SEGMENT_BYTES: usize = 1 << 16;
const SEALED_BYTES: usize = NONCE_LEN + SEGMENT_BYTES + TAG_BYTES;
const LENGTH_BYTES: usize = NONCE_LEN + 8 + TAG_BYTES;
const LENGTH_AT: u64 = (MAGIC.len() + ID_BYTES) as u64;
const ASIDE_AT: u64 = 128;
const SEGMENTS_AT: u64 = ASIDE_AT + 8 + SEALED_BYTES as u64;

/// What is authenticated in place of an index with the length.
const LENGTH_INDEX: u64 = u64::MAX;

/// A key of 256 bits that files are sealed with.
#[derive(Clone)]
pub struct SealingKey([u8; 32]);

impl SealingKey {
    /// The key with these bytes, which are random.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SealingKey(..)")
    }
}

/// A file whose content is sealed. What is written is in it once it is [flushed](Write::flush).
pub struct SealedFile<F> {
    file: F,
    seal: Seal,
    length: u64,
    /// Segments that are in the file.
    segments: u64,
    position: u64,
    /// The segment at hand.
    index: u64,
    segment: Vec<u8>,
    changed: bool,
}

struct Seal {
    key: LessSafeKey,
    id: [u8; ID_BYTES],
    random: SystemRandom,
}

impl Seal {
    fn new(key: &SealingKey, id: [u8; ID_BYTES]) -> Self {
        let own = Salt::new(HKDF_SHA256, &id).extract(&key.0);
        let own = own.expand(&[b"mixminus recording"], &AES_256_GCM).expect("HKDF gives 32 bytes");
        Self { key: LessSafeKey::new(UnboundKey::from(own)), id, random: SystemRandom::new() }
    }

    fn context(&self, index: u64) -> Aad<Vec<u8>> {
        Aad::from([&self.id[..], &index.to_le_bytes()].concat())
    }

    /// Nonce, ciphertext and tag of `plain`.
    fn seal(&self, index: u64, plain: &[u8]) -> io::Result<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).map_err(|_| io::Error::other("the system gives no random numbers"))?;
        let mut sealed = [&nonce[..], plain].concat();
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self.key.seal_in_place_separate_tag(nonce, self.context(index), &mut sealed[NONCE_LEN..]);
        sealed.extend(tag.expect("a segment is far below the limit of AES-GCM").as_ref());
        Ok(sealed)
    }

    fn open(&self, index: u64, sealed: &[u8]) -> io::Result<Vec<u8>> {
        let (nonce, sealed) = sealed.split_at(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(nonce).expect("it has the length of a nonce");
        let mut plain = sealed.to_vec();
        match self.key.open_in_place(nonce, self.context(index), &mut plain) {
            Ok(opened) => {
                let bytes = opened.len();
                plain.truncate(bytes);
                Ok(plain)
            }
            Err(_) => Err(broken()),
        }
    }
}

/// Whether a file that begins so is sealed. No format of audio begins like that.
pub fn is_sealed(start: &[u8]) -> bool {
    start.starts_with(MAGIC)
}

fn broken() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "a sealed file was changed, or its key is another")
}

impl<F: Medium> SealedFile<F> {
    /// Begins an empty file.
    ///
    /// # Errors
    ///
    /// When it cannot be written, or the system gives no random numbers.
    pub fn create(mut file: F, key: &SealingKey) -> io::Result<Self> {
        let mut id = [0; ID_BYTES];
        SystemRandom::new()
            .fill(&mut id)
            .map_err(|_| io::Error::other("the system gives no random numbers"))?;
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&[&MAGIC[..], &id].concat())?;
        let mut sealed = Self::new(file, Seal::new(key, id), 0);
        sealed.write_length()?;
        Ok(sealed)
    }

    /// Opens a file that was sealed with `key`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidData`] when it was sealed with another or changed since, as far as that is seen by now; or
    /// when it cannot be read.
    pub fn open(mut file: F, key: &SealingKey) -> io::Result<Self> {
        let mut start = [0; LENGTH_AT as usize + LENGTH_BYTES];
        file.seek(SeekFrom::Start(0))?;
        file.read_exact(&mut start)?;
        let (magic, rest) = start.split_at(MAGIC.len());
        let (id, length) = rest.split_at(ID_BYTES);
        if magic != MAGIC {
            return Err(io::Error::new(ErrorKind::InvalidData, "this is no sealed file"));
        }
        let seal = Seal::new(key, id.try_into().expect("it has the length of an id"));
        let length = seal.open(LENGTH_INDEX, length)?;
        let length = u64::from_le_bytes(length.try_into().expect("8 bytes were sealed"));
        let mut sealed = Self::new(file, seal, length);
        if length > 0 {
            sealed.segment = sealed.read_segment(0)?;
        }
        Ok(sealed)
    }

    fn new(file: F, seal: Seal, length: u64) -> Self {
        let segments = length.div_ceil(SEGMENT_BYTES as u64);
        let segment = vec![0; SEGMENT_BYTES];
        Self { file, seal, length, segments, position: 0, index: 0, segment, changed: false }
    }

    /// Takes the segment with this index in hand.
    fn take(&mut self, index: u64) -> io::Result<()> {
        if index != self.index {
            self.store()?;
            self.segment =
                if index < self.segments { self.read_segment(index)? } else { vec![0; SEGMENT_BYTES] };
            self.index = index;
        }
        Ok(())
    }

    fn read_segment(&mut self, index: u64) -> io::Result<Vec<u8>> {
        let mut sealed = vec![0; 8 + SEALED_BYTES];
        self.file.seek(SeekFrom::Start(place(index)))?;
        let whole = match self.file.read_exact(&mut sealed[8..]) {
            Err(error) if error.kind() != ErrorKind::UnexpectedEof => return Err(error),
            read => read.map_err(|_| broken()).and_then(|()| self.seal.open(index, &sealed[8..])),
        };
        whole.or_else(|error| {
            self.file.seek(SeekFrom::Start(ASIDE_AT))?;
            self.file.read_exact(&mut sealed)?;
            if sealed[..8] == index.to_le_bytes() { self.seal.open(index, &sealed[8..]) } else { Err(error) }
        })
    }

    /// Writes the segment at hand, if it was changed.
    fn store(&mut self) -> io::Result<()> {
        if !self.changed {
            return Ok(());
        }
        let sealed = self.seal.seal(self.index, &self.segment)?;
        if self.index < self.segments {
            self.file.seek(SeekFrom::Start(ASIDE_AT))?;
            self.file.write_all(&[&self.index.to_le_bytes()[..], &sealed].concat())?;
        }
        self.file.seek(SeekFrom::Start(place(self.index)))?;
        self.file.write_all(&sealed)?;
        self.segments = self.segments.max(self.index + 1);
        self.changed = false;
        Ok(())
    }

    fn write_length(&mut self) -> io::Result<()> {
        let sealed = self.seal.seal(LENGTH_INDEX, &self.length.to_le_bytes())?;
        self.file.seek(SeekFrom::Start(LENGTH_AT))?;
        self.file.write_all(&sealed)?;
        self.file.flush()
    }

    /// Overwrites a part of one segment, and gives how many bytes that are.
    fn put(&mut self, at: u64, bytes: &[u8]) -> io::Result<usize> {
        self.take(at / SEGMENT_BYTES as u64)?;
        let place = &mut self.segment[(at % SEGMENT_BYTES as u64) as usize..];
        let count = bytes.len().min(place.len());
        place[..count].copy_from_slice(&bytes[..count]);
        self.changed = true;
        self.length = self.length.max(at + count as u64);
        Ok(count)
    }

    fn lengthen(&mut self, bytes: u64) -> io::Result<()> {
        let zeros = vec![0; SEGMENT_BYTES];
        while self.length < bytes {
            let count = (bytes - self.length).min(SEGMENT_BYTES as u64) as usize;
            self.put(self.length, &zeros[..count])?;
        }
        Ok(())
    }
}

/// Where a segment is.
fn place(index: u64) -> u64 {
    SEGMENTS_AT + index * SEALED_BYTES as u64
}

impl<F: Medium> Read for SealedFile<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.length.saturating_sub(self.position);
        if left == 0 || buffer.is_empty() {
            return Ok(0);
        }
        self.take(self.position / SEGMENT_BYTES as u64)?;
        let segment = &self.segment[(self.position % SEGMENT_BYTES as u64) as usize..];
        let count = (buffer.len().min(segment.len()) as u64).min(left) as usize;
        buffer[..count].copy_from_slice(&segment[..count]);
        self.position += count as u64;
        Ok(count)
    }
}

impl<F: Medium> Write for SealedFile<F> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.lengthen(self.position)?;
        let count = self.put(self.position, buffer)?;
        self.position += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.store()?;
        self.write_length()
    }
}

impl<F: Medium> Seek for SealedFile<F> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        let place = match position {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(offset) => self.length.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = place.ok_or(ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

impl<F: Medium> Medium for SealedFile<F> {
    fn set_len(&mut self, bytes: u64) -> io::Result<()> {
        if bytes < self.length {
            let last = bytes / SEGMENT_BYTES as u64;
            self.take(last)?;
            self.segment[(bytes % SEGMENT_BYTES as u64) as usize..].fill(0);
            self.changed = true;
            self.length = bytes;
            self.flush()?;
            self.segments = bytes.div_ceil(SEGMENT_BYTES as u64);
            return self.file.set_len(place(last + 1));
        }
        self.lengthen(bytes)?;
        self.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FileName, MemoryStorage, Storage};

    const KEY: SealingKey = SealingKey::new([7; 32]);

    /// Three segments and a bit, and the file they are sealed in.
    fn sealed() -> (Vec<u8>, MemoryStorage) {
        let mut storage = MemoryStorage::default();
        let mut file = SealedFile::create(storage.create(FileName::Main).unwrap(), &KEY).unwrap();
        let content: Vec<_> = (0..200_000_u32).map(|n| (n.wrapping_mul(n) >> 7) as u8).collect();
        file.write_all(&content).unwrap();
        file.flush().unwrap();
        (content, storage)
    }

    fn open(storage: &MemoryStorage, key: &SealingKey) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        SealedFile::open(storage.clone().open(FileName::Main)?, key)?.read_to_end(&mut content)?;
        Ok(content)
    }

    fn refused(storage: &MemoryStorage, key: &SealingKey) -> bool {
        open(storage, key).unwrap_err().kind() == ErrorKind::InvalidData
    }

    /// A copy of the file after something was done to it.
    fn with(storage: &MemoryStorage, change: impl FnOnce(&mut Vec<u8>)) -> MemoryStorage {
        let mut bytes = storage.bytes(FileName::Main).unwrap();
        change(&mut bytes);
        let mut changed = MemoryStorage::default();
        changed.create(FileName::Main).unwrap().write_all(&bytes).unwrap();
        changed
    }

    #[test]
    fn what_is_written_anywhere_is_read_back() {
        let (mut content, mut storage) = sealed();
        let mut file = SealedFile::open(storage.open(FileName::Main).unwrap(), &KEY).unwrap();
        for (at, text) in [(0, "start"), (65_530, "across segments"), (199_998, "longer"), (300_000, "far")] {
            file.seek(SeekFrom::Start(at as u64)).unwrap();
            file.write_all(text.as_bytes()).unwrap();
            content.resize(content.len().max(at + text.len()), 0);
            content[at..at + text.len()].copy_from_slice(text.as_bytes());
        }
        file.flush().unwrap();
        assert_eq!(open(&storage, &KEY).unwrap(), content);
        for bytes in [250_000, 65_536, 65_535, 0, 70_000] {
            file.set_len(bytes).unwrap();
            content.resize(bytes as usize, 0);
            assert_eq!(open(&storage, &KEY).unwrap(), content, "{bytes}");
        }
        file.seek(SeekFrom::End(-1)).unwrap();
        assert!(file.seek(SeekFrom::Current(-70_000)).is_err());
    }

    #[test]
    fn nothing_of_the_content_is_in_the_file() {
        let (content, storage) = sealed();
        let bytes = storage.bytes(FileName::Main).unwrap();
        assert!(!content.chunks(5_000).any(|part| bytes.windows(16).any(|found| found == &part[..16])));
        assert!(!format!("{KEY:?}").contains('7'));
    }

    #[test]
    fn another_key_and_any_changed_byte_are_refused() {
        let (content, storage) = sealed();
        assert!(refused(&storage, &SealingKey::new([8; 32])));
        let segments =
            (0..4).flat_map(|index| [0, 12, 40_000, SEALED_BYTES as u64 - 1].map(|at| place(index) + at));
        for at in [0, 8, 39, 40, 52, 75].into_iter().chain(segments) {
            assert!(refused(&with(&storage, |bytes| bytes[at as usize] ^= 1), &KEY), "byte {at}");
        }
        let swap = |bytes: &mut Vec<u8>| {
            let (first, second) = bytes[SEGMENTS_AT as usize..].split_at_mut(SEALED_BYTES);
            first.swap_with_slice(&mut second[..SEALED_BYTES]);
        };
        assert!(refused(&with(&storage, swap), &KEY), "segments in another order");
        assert!(
            refused(&with(&storage, |bytes| bytes.truncate(place(3) as usize)), &KEY),
            "without its last segment"
        );
        assert_eq!(open(&with(&storage, |_| ()), &KEY).unwrap(), content);
    }

    #[test]
    fn a_segment_half_replaced_is_found_aside() {
        let (mut content, mut storage) = sealed();
        let mut file = SealedFile::open(storage.open(FileName::Main).unwrap(), &KEY).unwrap();
        file.seek(SeekFrom::Start(70_000)).unwrap();
        file.write_all(b"replaced").unwrap();
        file.flush().unwrap();
        content[70_000..70_008].copy_from_slice(b"replaced");
        let torn = with(&storage, |bytes| bytes[place(1) as usize + 30_000..][..20_000].fill(0));
        assert_eq!(open(&torn, &KEY).unwrap(), content);
    }
}
