//! `tocsin manifest print`

use anyhow::Result;

use super::Wish;
use crate::deployment::Stack;
use crate::output::Output;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Print names of outputs in the place of addresses, for which no stack is needed.
    #[arg(long)]
    placeholders: bool,
}

pub(super) async fn run(stack: &Stack, wish: &Wish, Arguments { placeholders }: Arguments, output: Output) -> Result<()> {
    let deployment = if placeholders { None } else { wish.deployment(stack, output).await? };
    let document = wish.document(deployment.as_ref())?;
    let yaml = document.yaml()?;
    output.print(&document.json()?, || anstream::print!("{yaml}"))
}
