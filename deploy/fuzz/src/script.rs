//! Bytes as a script of decisions: the same bytes always tell the same story, and a script that is
//! over decides for zero.

/// What is left of the bytes.
pub(crate) struct Script<'a> {
    rest: &'a [u8],
}

impl<'a> Script<'a> {
    pub(crate) fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    /// Nothing is left.
    pub(crate) fn is_over(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.array::<1>()[0]
    }

    pub(crate) fn is_set(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// A number below `bound`, which is at most 65,536; few bytes for small bounds.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let raw = if bound <= 256 {
            usize::from(self.byte())
        } else {
            usize::from(u16::from_le_bytes(self.array()))
        };
        raw % bound
    }

    pub(crate) fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.array())
    }

    pub(crate) fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.array())
    }

    /// One of these.
    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// The next bytes, fewer where the script ends before.
    pub(crate) fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(length.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    /// A text of at most `bytes_max` bytes of the script; what is no UTF-8 is replaced.
    pub(crate) fn text(&mut self, bytes_max: usize) -> String {
        let length = self.below(bytes_max + 1);
        String::from_utf8_lossy(self.take(length)).into_owned()
    }

    /// All that is left.
    pub(crate) fn rest(self) -> &'a [u8] {
        self.rest
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut array = [0; N];
        let taken = self.take(N);
        array[..taken.len()].copy_from_slice(taken);
        array
    }
}
