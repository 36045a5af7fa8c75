//! The certificate by which the API server is known to the kubelet, for logs and exec, and the
//! throw-away authority that signed it.

use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};

use crate::error::{Error, Result};
use crate::plane::access::write_private;

/// Files, relative to the run directory.
pub(super) const AUTHORITY: &str = "kubelet-client-ca.crt";
pub(crate) const CLIENT: &str = "kubelet-client.crt";
pub(crate) const CLIENT_KEY: &str = "kubelet-client.key";

/// Makes both.
pub(crate) fn write(directory: &Path) -> Result<()> {
    let (authority, client, key) = make().map_err(|error| Error::Io {
        action: "make a certificate for the kubelet's client".to_owned(),
        source: std::io::Error::other(error),
    })?;
    for (name, text) in [(AUTHORITY, authority), (CLIENT, client), (CLIENT_KEY, key)] {
        write_private(&directory.join(name), &text)?;
    }
    Ok(())
}

fn make() -> Result<(String, String, String), rcgen::Error> {
    let authority_key = KeyPair::generate()?;
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.distinguished_name.push(DnType::CommonName, "local-cluster");
    let authority_pem = authority.self_signed(&authority_key)?.pem();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate()?;
    let mut client = CertificateParams::new(Vec::new())?;
    client.distinguished_name.push(DnType::CommonName, "kube-apiserver");
    // The kubelet asks the API server whether this group may do what is asked.
    client.distinguished_name.push(DnType::OrganizationName, "system:masters");
    client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let client = client.signed_by(&key, &issuer)?.pem();
    Ok((authority_pem, client, key.serialize_pem()))
}
