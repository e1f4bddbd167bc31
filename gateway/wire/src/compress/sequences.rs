//! The part of libzstd that its safe bindings leave out: a frame whose blocks repeat no offset of
//! what stood before them.
//!
//! Ordinary blocks begin with the last three offsets of the block before, so they cannot be moved
//! to another stream. libzstd can be asked for the matches of a body alone, and to encode matches
//! without looking for repeated offsets; both functions are outside its stable interface, and its
//! header calls the first one flawed and only for debugging. Therefore each frame is read back
//! before it is used, and what fails is sent uncompressed. The library is built from the version
//! that `Cargo.lock` pins, so neither function disappears under us.
#![expect(
    unsafe_code,
    reason = "libzstd's sequence functions have no safe binding; this module is the binding"
)]

use std::ptr::NonNull;

use zstd_safe::DCtx;
use zstd_safe::zstd_sys as sys;

/// Work per byte. A message of 916 bytes comes to 467 in 7 µs; level 3 takes 13 µs and saves nothing,
/// because there is no history to search.
const LEVEL: i32 = 1;

/// A compressor of bodies that share nothing.
pub(super) struct Encoder {
    context: NonNull<sys::ZSTD_CCtx>,
    check: DCtx<'static>,
}

impl Encoder {
    /// `None` where there is no memory for it.
    pub(super) fn new(window_log: u8) -> Option<Self> {
        use sys::ZSTD_cParameter as Parameter;

        let check = DCtx::try_create()?;
        // SAFETY: the function takes nothing and returns null or a context that is ours.
        let context = NonNull::new(unsafe { sys::ZSTD_createCCtx() })?;
        // Owned before anything can fail, so that it is freed.
        let encoder = Self { context, check };
        for (parameter, value) in [
            (Parameter::ZSTD_c_compressionLevel, LEVEL),
            (Parameter::ZSTD_c_windowLog, window_log.into()),
            (Parameter::ZSTD_c_contentSizeFlag, 0),
            (Parameter::ZSTD_c_checksumFlag, 0),
            (BLOCK_DELIMITERS, EXPLICIT),
            (VALIDATE_SEQUENCES, 1),
            (REPCODE_RESOLUTION, DISABLED),
        ] {
            // SAFETY: the context is alive and used by nobody else; wrong values are refused.
            let code = unsafe { sys::ZSTD_CCtx_setParameter(context.as_ptr(), parameter, value) };
            succeeded(code)?;
        }
        Some(encoder)
    }

    /// A frame that holds exactly these bytes, or `None` where libzstd gives up.
    pub(super) fn frame(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let sequences = self.matches(bytes)?;
        let frame = self.encode(bytes, &sequences)?;
        let mut read_back = Vec::with_capacity(bytes.len());
        self.check.decompress(&mut read_back, &frame).ok()?;
        (read_back == bytes).then_some(frame)
    }

    /// Which parts of the body repeat earlier parts, block by block.
    fn matches(&mut self, bytes: &[u8]) -> Option<Vec<sys::ZSTD_Sequence>> {
        // SAFETY: the function computes with its argument only.
        let bound = unsafe { sys::ZSTD_sequenceBound(bytes.len()) };
        let mut sequences: Vec<sys::ZSTD_Sequence> = Vec::with_capacity(bound);
        // SAFETY: the context is alive and used by nobody else. The library writes at most `bound`
        // sequences, for which there is room, and reads exactly `bytes`. It keeps a pointer to the
        // sequences in the context, which only this function lets it use, after setting it anew.
        let count = succeeded(unsafe {
            sys::ZSTD_generateSequences(
                self.context.as_ptr(),
                sequences.as_mut_ptr(),
                bound,
                bytes.as_ptr().cast(),
                bytes.len(),
            )
        })?;
        if bound < count {
            return None;
        }
        // SAFETY: the library has written the first `count` of `bound` sequences, which are plain
        // numbers.
        unsafe { sequences.set_len(count) };
        Some(sequences)
    }

    /// The frame of these bytes with these matches.
    fn encode(&mut self, bytes: &[u8], sequences: &[sys::ZSTD_Sequence]) -> Option<Vec<u8>> {
        let bound = zstd_safe::compress_bound(bytes.len());
        let mut frame: Vec<u8> = Vec::with_capacity(bound);
        // SAFETY: the context is alive and used by nobody else. The library writes at most `bound`
        // bytes, for which there is room, and reads exactly `sequences` and `bytes`; it was asked
        // to refuse sequences that do not fit the bytes.
        let len = succeeded(unsafe {
            sys::ZSTD_compressSequences(
                self.context.as_ptr(),
                frame.as_mut_ptr().cast(),
                bound,
                sequences.as_ptr(),
                sequences.len(),
                bytes.as_ptr().cast(),
                bytes.len(),
            )
        })?;
        if bound < len {
            return None;
        }
        // SAFETY: the library has written the first `len` of `bound` bytes.
        unsafe { frame.set_len(len) };
        Some(frame)
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: the context came from `ZSTD_createCCtx`, is freed once, and is not used after.
        unsafe { sys::ZSTD_freeCCtx(self.context.as_ptr()) };
    }
}

/// `ZSTD_c_blockDelimiters`: where blocks end is said by the sequences.
const BLOCK_DELIMITERS: sys::ZSTD_cParameter = sys::ZSTD_cParameter::ZSTD_c_experimentalParam11;
/// `ZSTD_sf_explicitBlockDelimiters`.
const EXPLICIT: i32 = 1;
/// `ZSTD_c_validateSequences`.
const VALIDATE_SEQUENCES: sys::ZSTD_cParameter = sys::ZSTD_cParameter::ZSTD_c_experimentalParam12;
/// `ZSTD_c_repcodeResolution`, named `ZSTD_c_searchForExternalRepcodes` before.
const REPCODE_RESOLUTION: sys::ZSTD_cParameter = sys::ZSTD_cParameter::ZSTD_c_experimentalParam19;
/// `ZSTD_ps_disable`.
const DISABLED: i32 = 2;

/// What a function of the library returned, unless it was an error.
fn succeeded(code: usize) -> Option<usize> {
    // SAFETY: the function computes with its argument only.
    (unsafe { sys::ZSTD_isError(code) } == 0).then_some(code)
}
