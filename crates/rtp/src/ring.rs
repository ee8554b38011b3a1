//! Samples by their position in the stream.

/// A bounded window of a stream, of which parts may be missing. Positions count samples and wrap.
#[derive(Debug)]
pub(crate) struct Ring {
    samples: Box<[i16]>,
    present: Box<[bool]>,
}

/// One stretch of a window that is all present or all missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) present: bool,
    pub(crate) length: usize,
}

impl Ring {
    /// Room for at least `samples`, rounded up to a power of two so that it divides all positions.
    pub(crate) fn new(samples: usize) -> Self {
        let samples = samples.next_power_of_two();
        Self { samples: vec![0; samples].into(), present: vec![false; samples].into() }
    }

    pub(crate) fn capacity(&self) -> usize {
        self.samples.len()
    }

    pub(crate) fn write(&mut self, position: u32, samples: &[i16]) {
        let start = self.index(position);
        let (head, tail) = samples.split_at(samples.len().min(self.capacity() - start));
        self.samples[start..start + head.len()].copy_from_slice(head);
        self.samples[..tail.len()].copy_from_slice(tail);
        self.mark(position, samples.len(), true);
    }

    /// Copies what begins at `position`; what is missing is left as it is.
    pub(crate) fn read(&self, position: u32, out: &mut [i16]) {
        let start = self.index(position);
        let middle = out.len().min(self.capacity() - start);
        let (head, tail) = out.split_at_mut(middle);
        head.copy_from_slice(&self.samples[start..start + head.len()]);
        tail.copy_from_slice(&self.samples[..tail.len()]);
    }

    /// The first run of the `length` samples from `position`; `length` is at least 1.
    pub(crate) fn run(&self, position: u32, length: usize) -> Run {
        let start = self.index(position);
        let present = self.present[start];
        let wrapped = self.present[start..].iter().chain(&self.present[..start]);
        Run { present, length: wrapped.take(length).take_while(|&&other| other == present).count() }
    }

    /// Forgets `length` samples from `position`.
    pub(crate) fn forget(&mut self, position: u32, length: usize) {
        self.mark(position, length.min(self.capacity()), false);
    }

    pub(crate) fn clear(&mut self) {
        self.present.fill(false);
    }

    fn mark(&mut self, position: u32, length: usize, present: bool) {
        let start = self.index(position);
        let head = length.min(self.capacity() - start);
        self.present[start..start + head].fill(present);
        self.present[..length - head].fill(present);
    }

    fn index(&self, position: u32) -> usize {
        position as usize & (self.capacity() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_found_at_their_position_across_both_wraps() {
        let mut ring = Ring::new(8);
        ring.write(u32::MAX - 1, &[1, 2, 3, 4]);
        let mut out = [0; 4];
        ring.read(u32::MAX - 1, &mut out);
        assert_eq!(out, [1, 2, 3, 4]);
        assert_eq!(ring.run(u32::MAX - 1, 8), Run { present: true, length: 4 });
        assert_eq!(ring.run(2, 4), Run { present: false, length: 4 });
    }

    #[test]
    fn what_is_forgotten_is_missing() {
        let mut ring = Ring::new(8);
        ring.write(6, &[1, 2, 3, 4]);
        ring.forget(7, 2);
        assert_eq!(ring.run(6, 4), Run { present: true, length: 1 });
        assert_eq!(ring.run(7, 3), Run { present: false, length: 2 });
        assert_eq!(ring.run(9, 1), Run { present: true, length: 1 });
    }
}
