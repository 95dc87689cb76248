//! `tocsin completions SHELL`

use std::io;

use anyhow::Result;
use clap_complete::Shell;

/// Print what a shell needs to complete this program's words: `tocsin completions bash > ~/.local/share/bash-completion/completions/tocsin`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The shell.
    shell: Shell,
}

pub(crate) fn run(arguments: &Arguments, program: &mut clap::Command) -> Result<()> {
    // Made before it is printed: whoever reads only the beginning has not made it fail.
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, program, "tocsin", &mut script);
    match io::Write::write_all(&mut io::stdout(), &script) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
