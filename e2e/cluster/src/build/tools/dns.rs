//! CoreDNS, which answers for a cluster's names. How it is run is not known here.

use std::path::{Path, PathBuf};

use super::module;
use crate::build::Recipe;
use crate::error::Result;
use crate::progress::Progress;

const COREDNS: &str = "github.com/coredns/coredns@v1.14.2";
const RECIPE: Recipe =
    Recipe { what: "coredns v1.14.2", takes: "about 2 minutes on two cores", inputs: &[COREDNS] };

/// The path of `coredns`.
///
/// # Errors
/// Go is missing, or the build failed.
pub(crate) async fn coredns(progress: &dyn Progress) -> Result<PathBuf> {
    let directory = RECIPE
        .provide(progress, async |fresh: &Path, log: &Path| {
            module::install(module::unsummed(fresh), &[COREDNS], fresh, log).await
        })
        .await?;
    Ok(directory.join("bin/coredns"))
}
