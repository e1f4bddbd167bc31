//! Promises that hold while machines fail, kept by the real binary as a process: it is killed at
//! every place where that makes a difference, its disk fills and fails, its clock jumps, it is
//! frozen, and clients hold on to it in every way that costs them nothing.

mod clock;
mod crash_points;
mod disk_errors;
mod disk_full;
mod frozen;
mod readers;
mod strangers;
