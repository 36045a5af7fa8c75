//! `obspipe-image`: the image of one static program, `FROM scratch`. What else an image can hold
//! is in the library.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use obspipe_image::{Error, Format, Image, Name, Program, static_programs};

/// Write the image of one static program as an archive that engines load.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The program; the image starts it as /<its file name>
    #[arg(long, value_name = "FILE")]
    program: PathBuf,
    /// What the image is called once it is loaded
    #[arg(long, value_name = "REPOSITORY:TAG")]
    name: Name,
    /// The archive to write
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// docker: what every engine loads; oci: an image layout
    #[arg(long, value_enum, default_value = "docker")]
    format: Layout,
    /// A label, such as org.opencontainers.image.version=1.0.0; may be repeated
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = pair)]
    labels: Vec<(String, String)>,
    /// A TCP port the program may listen on; may be repeated
    #[arg(long = "port", value_name = "PORT")]
    ports: Vec<u16>,
    /// The image's date in seconds since 1970
    #[arg(long, env = "SOURCE_DATE_EPOCH", default_value_t = 0, value_name = "SECONDS")]
    created: i64,
}

#[derive(Clone, Copy, ValueEnum)]
enum Layout {
    Docker,
    Oci,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("it must be KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            let source = std::error::Error::source(&error);
            let source = source.map(|it| format!(": {it}")).unwrap_or_default();
            eprintln!("error: {error}{source}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<String, Error> {
    let format = match arguments.format {
        Layout::Docker => Format::Docker,
        Layout::Oci => Format::Oci,
    };
    let written = image(arguments)?.write(format, &arguments.output)?;
    let (output, name) = (arguments.output.display(), &arguments.name);
    Ok(format!("{output}: {name}, {} bytes, {}", written.size, written.id))
}

fn image(arguments: &Arguments) -> Result<Image, Error> {
    let program = Program::read(&arguments.program)?;
    Ok(Image {
        labels: arguments.labels.iter().cloned().collect::<BTreeMap<_, _>>(),
        ports: arguments.ports.iter().copied().collect::<BTreeSet<_>>(),
        created: arguments.created,
        ..static_programs(arguments.name.clone(), "/", &[program])?
    })
}
