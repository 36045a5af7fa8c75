//! Who may talk to the control plane: a token for each user, the kubeconfig
//! of each, and the audit policy. Writes files into the run directory; starts nothing.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// File names, relative to the run directory, where the programs are started.
pub(crate) const TOKENS: &str = "tokens.csv";
pub(crate) const AUDIT_POLICY: &str = "audit-policy.yaml";
pub(crate) const AUDIT_LOG: &str = "audit.log";
pub(crate) const CERTIFICATES: &str = "certificates";
/// Written by kube-apiserver, which makes its own certificate.
pub(crate) const CA: &str = "certificates/apiserver.crt";

/// Every request once, when it has been answered (a watch: when it ends), by whoever made it.
const POLICY: &str = "\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules: [{level: Metadata}]
";

/// The users: the programs get the rights that RBAC's bootstrap roles give them by name.
const USERS: [(&str, &str, &str); 6] = [
    ("admin", "admin.kubeconfig", "system:masters"),
    ("system:kube-controller-manager", CONTROLLER_MANAGER, ""),
    ("system:kube-scheduler", SCHEDULER, ""),
    ("system:node:local-node", NODE, "system:nodes"),
    ("system:kube-proxy", PROXY, ""),
    ("local-cluster:dns", COREDNS, "system:masters"),
];
pub(crate) const CONTROLLER_MANAGER: &str = "controller-manager.kubeconfig";
pub(crate) const SCHEDULER: &str = "scheduler.kubeconfig";
pub(crate) const NODE: &str = "node.kubeconfig";
pub(crate) const PROXY: &str = "proxy.kubeconfig";
pub(crate) const COREDNS: &str = "coredns.kubeconfig";

/// What a client of the cluster needs to know.
#[derive(Clone)]
pub(crate) struct Access {
    pub(crate) server: String,
    pub(crate) ca_file: PathBuf,
    pub(crate) kubeconfig: PathBuf,
    pub(crate) kubeconfig_yaml: String,
    pub(crate) admin_token: String,
    pub(crate) audit_log: PathBuf,
}

/// Writes all of it for an API server at `server`, which does not run yet.
pub(crate) fn write(directory: &Path, server: String) -> Result<Access> {
    let ca_file = directory.join(CA);
    write_private(&directory.join(AUDIT_POLICY), POLICY)?;
    let mut tokens = String::new();
    let mut admin = (String::new(), String::new());
    for (user, file, group) in USERS {
        let token = random_token()?;
        tokens.push_str(&format!("{token},{user},{user},{group}\n"));
        let text = kubeconfig(&server, &ca_file, user, &token);
        write_private(&directory.join(file), &text)?;
        if user == "admin" {
            admin = (token, text);
        }
    }
    write_private(&directory.join(TOKENS), &tokens)?;
    Ok(Access {
        server,
        ca_file,
        kubeconfig: directory.join(USERS[0].1),
        kubeconfig_yaml: admin.1,
        admin_token: admin.0,
        audit_log: directory.join(AUDIT_LOG),
    })
}

/// JSON strings are YAML strings, so no path or name can break it.
fn kubeconfig(server: &str, ca_file: &Path, user: &str, token: &str) -> String {
    let ca_file = serde_json::Value::from(ca_file.to_string_lossy());
    format!(
        "apiVersion: v1\n\
         kind: Config\n\
         clusters: [{{name: local-cluster, cluster: {{server: \"{server}\", certificate-authority: {ca_file}}}}}]\n\
         users: [{{name: \"{user}\", user: {{token: \"{token}\"}}}}]\n\
         contexts: [{{name: local-cluster, context: {{cluster: local-cluster, user: \"{user}\"}}}}]\n\
         current-context: local-cluster\n"
    )
}

/// Writes a file that nobody else may read.
pub(crate) fn write_private(path: &Path, text: &str) -> Result<()> {
    File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(Error::io(format!("write {}", path.display())))
}

fn random_token() -> Result<String> {
    let mut bytes = [0; 16];
    fs::File::open("/dev/urandom")
        .and_then(|mut random| random.read_exact(&mut bytes))
        .map_err(Error::io("read /dev/urandom"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
