//! `vetgate batches report` and `vetgate batches template`

use std::io::{IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use domain::CheckType;
use reqwest::Response;

use crate::cli::word_of;
use crate::client::Client;
use crate::client::access::usage;
use crate::commands::{print, told_to_stop};

#[derive(Debug, Args)]
pub struct ReportOptions {
    #[arg(value_name = "BATCH")]
    id: String,
    /// Not given: as the file's name says, else csv
    #[arg(long, value_parser = ["csv", "xlsx", "ndjson"])]
    format: Option<String>,
    /// Where to write it. Not given: to standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct TemplateOptions {
    #[arg(value_name = "TYPE", value_parser = word_of(CheckType::ALL, CheckType::as_str))]
    check_type: String,
    /// Not given: as the file's name says, else csv
    #[arg(long, value_parser = ["csv", "xlsx"])]
    format: Option<String>,
    /// Where to write it. Not given: to standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub async fn report(client: &Client, options: &ReportOptions) -> anyhow::Result<()> {
    let target = Target::of(options.format.as_deref(), options.output.as_deref(), &["csv", "xlsx", "ndjson"])?;
    target.take(client, &["batches", &options.id, "report"]).await
}

pub async fn template(client: &Client, options: &TemplateOptions) -> anyhow::Result<()> {
    let target = Target::of(options.format.as_deref(), options.output.as_deref(), &["csv", "xlsx"])?;
    target.take(client, &["batch-templates", &options.check_type]).await
}

/// Where something goes, and in which format.
struct Target<'o> {
    format: &'o str,
    file: Option<&'o Path>,
}

impl<'o> Target<'o> {
    fn of(format: Option<&'o str>, file: Option<&'o Path>, known: &[&'static str]) -> anyhow::Result<Self> {
        let extension = file.and_then(Path::extension).and_then(|extension| extension.to_str());
        let format = match (format, extension) {
            (Some(format), _) => format,
            (None, None) => "csv",
            (None, Some(extension)) => {
                let named = known.iter().find(|format| extension.eq_ignore_ascii_case(format));
                named.copied().ok_or_else(|| {
                    usage(format!(".{extension} is no format of it. Name one with --format: {}", known.join(", ")))
                })?
            }
        };
        if format == "xlsx" && file.is_none() && std::io::stdout().is_terminal() {
            return Err(usage("a workbook is nothing for a terminal. Name a file with --output"));
        }
        Ok(Self { format, file })
    }

    async fn take(&self, client: &Client, path: &[&str]) -> anyhow::Result<()> {
        let answer = client.download(path, &[("format", Some(self.format))]).await?;
        match self.file {
            Some(file) => tokio::select! {
                written = to_file(answer, file) => {
                    written.with_context(|| format!("{} cannot be written", file.display()))
                }
                // What was received must not be left lying about.
                stopped = told_to_stop() => stopped.map_err(Into::into).and_then(|()| Err(anyhow::anyhow!("it was stopped"))),
            },
            None => match copy(answer, &mut std::io::stdout().lock()).await {
                // Whoever reads it has seen enough.
                Err(error) if error.downcast_ref().is_some_and(print::is_closed) => Ok(()),
                copied => copied,
            },
        }
    }
}

/// Under another name until it is whole. It may hold what vendors found out about people: it is its owner's alone.
async fn to_file(answer: Response, path: &Path) -> anyhow::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    copy(answer, file.as_file_mut()).await?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

async fn copy(mut answer: Response, to: &mut impl Write) -> anyhow::Result<()> {
    while let Some(piece) = answer.chunk().await.map_err(reqwest::Error::without_url).context("it was cut short")? {
        to.write_all(&piece)?;
    }
    Ok(to.flush()?)
}
