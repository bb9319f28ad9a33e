//! `version`: what this program was built from.

use std::fmt::Write as _;

use clap::Args;

use super::Format;
use crate::{build_info::BuildInfo, output};

/// Arguments of `version`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  scale-from-zero version
  scale-from-zero version -o json | jq -r .commit")]
pub struct VersionArgs {
    /// How to print it.
    #[arg(long, short, value_name = "FORMAT", value_enum, default_value_t)]
    pub output: Format,
}

/// Prints it.
///
/// # Errors
/// It cannot be written to standard output.
pub fn version(args: &VersionArgs) -> anyhow::Result<()> {
    let info = BuildInfo::get();
    let text = match args.output {
        Format::Text => text(&info),
        Format::Json => serde_json::to_string_pretty(&info)? + "\n",
    };
    Ok(output::print(&text)?)
}

fn text(info: &BuildInfo) -> String {
    let date = info
        .source_date
        .map_or_else(String::new, |date| format!(" of {date}"));
    let features = if info.features.is_empty() {
        "none".to_owned()
    } else {
        info.features.join(", ")
    };
    let mut text = format!("scale-from-zero {}\n", info.version);
    let rows = [
        ("commit", format!("{}{date}", info.commit)),
        ("built by", info.rustc.to_owned()),
        ("for", format!("{}, {}", info.target, info.profile)),
        ("features", features),
        ("kinds", info.kinds.join("\n            ")),
    ];
    for (name, value) in rows {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {name:<9} {value}");
    }
    text
}
