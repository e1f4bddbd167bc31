//! ractor actors around the pure machines: load, apply, persist, publish, recover.
