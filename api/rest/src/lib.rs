//! The HTTP routes of both dialects.
