//! Load, histories and the offline delivery checker.
