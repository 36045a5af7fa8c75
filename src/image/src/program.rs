//! Programs that need no other file, and the image that holds nothing but such. What is static,
//! and for which processor, is read from the ELF file itself.

use std::fs::File;
use std::path::{Path, PathBuf};

use object::read::elf::{FileHeader as _, ProgramHeader as _};
use object::{LittleEndian, ReadCache, elf};

use crate::error::{Error, Result};
use crate::image::{Architecture, Image};
use crate::layer::Layer;
use crate::name::Name;

/// A host file that runs in an empty root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    path: PathBuf,
    architecture: Architecture,
}

impl Program {
    /// Looks at a host file.
    ///
    /// # Errors
    /// It is no program for Linux on one of the processors, or asks for a loader.
    pub fn read(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(Error::io(format!("read {}", path.display())))?;
        let architecture = architecture(&ReadCache::new(file));
        let architecture =
            architecture.map_err(|why| Error::Program { path: path.to_owned(), why })?;
        Ok(Self { path: path.to_owned(), architecture })
    }

    /// The processor it is for.
    #[must_use]
    pub fn architecture(&self) -> Architecture {
        self.architecture
    }

    /// The name of its file.
    fn name(&self) -> Result<&str> {
        let name = self.path.file_name().and_then(|name| name.to_str());
        name.ok_or_else(|| Error::Unsupported(self.path.clone()))
    }
}

fn architecture(file: &ReadCache<File>) -> Result<Architecture, &'static str> {
    let header = elf::FileHeader64::<LittleEndian>::parse(file);
    let header = header.map_err(|_| "it is no ELF file of 64 bits")?;
    let segments = header.program_headers(LittleEndian, file);
    let segments = segments.map_err(|_| "its ELF headers are cut off")?;
    if segments.iter().any(|segment| segment.p_type(LittleEndian) == elf::PT_INTERP) {
        return Err("it asks for a loader and shared libraries");
    }
    match header.e_machine(LittleEndian) {
        elf::EM_X86_64 => Ok(Architecture::Amd64),
        elf::EM_AARCH64 => Ok(Architecture::Arm64),
        _ => Err("no image is made for its processor"),
    }
}

/// An image of static programs in `directory` (`/` or, say, `/bin`), each under the name of its
/// file. The first is what the image runs.
///
/// # Errors
/// There is none, they are for different processors, or two have one name.
pub fn static_programs(name: Name, directory: &str, programs: &[Program]) -> Result<Image> {
    let wrong = |path: &Path, why| Error::Program { path: path.to_owned(), why };
    let first = programs.first().ok_or_else(|| wrong(Path::new(""), "none is named"))?;
    let mut layer = Layer::new();
    for program in programs {
        if program.architecture != first.architecture {
            return Err(wrong(&program.path, "it is for another processor than the first"));
        }
        layer.file(&inside(directory, program)?, 0o755, program.path.as_path())?;
    }
    let mut image = Image::new(name, first.architecture, &[&inside(directory, first)?]);
    image.layers.push(layer);
    Ok(image)
}

fn inside(directory: &str, program: &Program) -> Result<String> {
    Ok(format!("{}/{}", directory.trim_end_matches('/'), program.name()?))
}

#[cfg(test)]
mod tests;
