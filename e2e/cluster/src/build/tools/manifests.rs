//! What judges manifests: kubeconform by schemas, kube-score and checkov by what is good practice.
//! By which schemas, and which of their opinions are shared, is not known here.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::{module, python};
use crate::build::Recipe;
use crate::error::Result;
use crate::progress::Progress;

const KUBECONFORM: &str = "github.com/yannh/kubeconform/cmd/kubeconform@v0.7.0";
const KUBECONFORM_RECIPE: Recipe =
    Recipe { what: "kubeconform v0.7.0", takes: "half a minute", inputs: &[KUBECONFORM] };

const KUBE_SCORE: &str = "github.com/zegl/kube-score/cmd/kube-score@v1.20.0";
const KUBE_SCORE_RECIPE: Recipe =
    Recipe { what: "kube-score v1.20.0", takes: "half a minute", inputs: &[KUBE_SCORE] };

const CHECKOV: &str = "checkov==3.3.30";
const CHECKOV_RECIPE: Recipe =
    Recipe { what: "checkov 3.3.30", takes: "about a minute", inputs: &[CHECKOV] };

/// The path of `kubeconform`.
///
/// # Errors
/// Go is missing, or the build failed.
pub async fn kubeconform(progress: &dyn Progress) -> Result<PathBuf> {
    let directory = KUBECONFORM_RECIPE
        .provide(progress, async |fresh: &Path, log: &Path| {
            module::install(module::unsummed(fresh), &[KUBECONFORM], fresh, log).await
        })
        .await?;
    Ok(directory.join("bin/kubeconform"))
}

/// The path of `kube-score`.
///
/// # Errors
/// Go is missing, or the build failed.
pub async fn kube_score(progress: &dyn Progress) -> Result<PathBuf> {
    let directory = KUBE_SCORE_RECIPE
        .provide(progress, async |fresh: &Path, log: &Path| {
            module::install(module::unsummed(fresh), &[KUBE_SCORE], fresh, log).await
        })
        .await?;
    Ok(directory.join("bin/kube-score"))
}

/// The interpreter of a virtual environment with `checkov`; run it as `-m checkov.main`.
///
/// # Errors
/// As [`super::python_sdk`].
pub async fn checkov(progress: &dyn Progress) -> Result<PathBuf> {
    let directory = CHECKOV_RECIPE
        .provide(progress, async |fresh: &Path, log: &Path| {
            python::build(&CHECKOV_RECIPE, &[OsStr::new(CHECKOV)], fresh, log).await
        })
        .await?;
    python::present(&directory)
}
