//! `vetgate openapi`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;

use super::print;

/// What to do with the contract; neither: print it.
#[derive(Debug, Args)]
pub struct Options {
    /// Writes it to this file
    #[arg(long, value_name = "PATH", conflicts_with = "check")]
    pub write: Option<PathBuf>,
    /// Compares this file with it
    #[arg(long, value_name = "PATH")]
    pub check: Option<PathBuf>,
}

/// Prints, writes or checks the contract.
pub fn openapi(options: &Options) -> anyhow::Result<ExitCode> {
    let document = api::openapi().to_pretty_json()? + "\n";
    if let Some(path) = &options.write {
        std::fs::write(path, document).with_context(|| format!("{} cannot be written", path.display()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let Some(path) = &options.check else {
        print::line(document.trim_end())?;
        return Ok(ExitCode::SUCCESS);
    };
    let kept = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    if kept == document {
        return Ok(ExitCode::SUCCESS);
    }
    let line = kept.lines().zip(document.lines()).take_while(|(kept, made)| kept == made).count() + 1;
    let path = path.display();
    print::tell(format_args!("vetgate: {path} differs from what this version serves, from line {line} on."));
    print::tell(format_args!("If the change is meant, write it anew: vetgate openapi --write {path}"));
    Ok(ExitCode::FAILURE)
}
