//! Promises to users and operators, kept by the real binary as a process.

mod bots;
mod coverage;
mod delivery;
mod encodings;
mod gateway;
mod hostile_frames;
mod hostile_rest;
mod lifecycle;
mod members;
mod presence;
mod quick_start;
mod secrets;
mod slow_reader;
mod tokens;
mod visibility;
