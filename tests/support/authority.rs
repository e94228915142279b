//! An authority that vouches for who speaks on a TLS connection. Its keys are made for one test and are never the same.

use std::sync::Arc;

use rcgen::{BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

/// An authority.
pub struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

/// Somebody whom an authority vouches for.
pub struct Identity {
    certificate: Certificate,
    key: KeyPair,
}

impl Authority {
    /// Makes one of that name.
    pub fn new(name: &str) -> Self {
        let key = KeyPair::generate().expect("a key can be made");
        let mut params = CertificateParams::new([]).expect("no name is wrong");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.self_signed(&key).expect("an authority signs itself");
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    /// Its certificate.
    pub fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// Vouches for somebody with these names or addresses.
    pub fn identity<const N: usize>(&self, names: [&str; N]) -> Identity {
        let key = KeyPair::generate().expect("a key can be made");
        let params = CertificateParams::new(names.map(str::to_owned)).expect("these are names");
        let certificate = params.signed_by(&key, &self.issuer).expect("an authority signs");
        Identity { certificate, key }
    }
}

impl Identity {
    /// The certificate.
    pub fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// The private key.
    pub fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }

    /// What ends TLS connections as this one. With `clients`, only for those whom that authority vouches for.
    pub fn acceptor(&self, clients: Option<&Authority>) -> TlsAcceptor {
        let provider = Arc::new(ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .expect("there are versions of TLS");
        let config = match clients {
            None => config.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.certificate.der().clone()).expect("an authority's certificate is one");
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
                config.with_client_cert_verifier(verifier.expect("there is an authority"))
            }
        };
        let key = PrivateKeyDer::try_from(self.key.serialize_der()).expect("a key has a form");
        let config = config.with_single_cert(vec![self.certificate.der().clone()], key);
        TlsAcceptor::from(Arc::new(config.expect("key and certificate belong together")))
    }
}
