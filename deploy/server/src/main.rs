//! The `guildhall` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    guildhall_server::command_line::main(std::env::args_os(), std::env::vars_os())
}
