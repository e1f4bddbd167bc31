//! Which nodes of the engine are believed to be what they should be.

use std::sync::Arc;

use guildhall_ports::Failure;
use openssl::error::ErrorStack;
use openssl::ssl::{SslConnector, SslConnectorBuilder, SslMethod, SslVerifyMode, SslVersion};
use openssl::x509::X509;
use openssl::x509::store::X509StoreBuilder;
use parking_lot::Mutex;
use scylla::client::session::OpenSsl010Config;

use crate::error::ENGINE;

/// A certificate that does not name the address that it was found at: `X509_V_ERR_IP_ADDRESS_MISMATCH`.
const OTHER_ADDRESS: i32 = 64;

/// Whom we believe. A node shows a certificate that an authority has signed, and that names the IP
/// address by which the node is reached: names are not known of those that are learnt from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    /// The authorities that the system knows.
    System,
    /// These authorities, as certificates in PEM.
    Authorities(String),
    /// These authorities, whatever address a certificate names. Right only for authorities that sign for
    /// nobody but the engine.
    AnyAddress(String),
}

/// Why a certificate was not believed last. The driver says no more than that one was not.
#[derive(Clone, Default)]
pub(crate) struct Doubt(Arc<Mutex<Option<&'static str>>>);

impl Doubt {
    /// The reason, if there was one.
    pub(crate) fn reason(&self) -> Option<&'static str> {
        *self.0.lock()
    }
}

impl Tls {
    /// As the driver takes it.
    pub(crate) fn context(&self, doubt: &Doubt) -> Result<OpenSsl010Config, Failure> {
        let builder = self.builder(doubt.clone()).map_err(|error| {
            let why = format!("the certificates of its authorities cannot be used: {error}");
            Failure::unavailable(ENGINE, why)
        })?;
        Ok(OpenSsl010Config::new(builder))
    }

    fn builder(&self, doubt: Doubt) -> Result<SslConnectorBuilder, ErrorStack> {
        // It demands a certificate of an authority that the system knows.
        let mut builder = SslConnector::builder(SslMethod::tls_client())?;
        builder.set_min_proto_version(Some(SslVersion::TLS1_2))?;
        if let Self::Authorities(pem) | Self::AnyAddress(pem) = self {
            let mut believed = X509StoreBuilder::new()?;
            let authorities = X509::stack_from_pem(pem.as_bytes())?;
            if authorities.is_empty() {
                // Says why there is none.
                X509::from_pem(pem.as_bytes())?;
            }
            for authority in authorities {
                believed.add_cert(authority)?;
            }
            builder.set_cert_store(believed.build());
        }
        let any_address = matches!(self, Self::AnyAddress(_));
        builder.set_verify_callback(SslVerifyMode::PEER, move |is_good, seen| {
            let wrong = seen.error();
            let is_believed = is_good || any_address && wrong.as_raw() == OTHER_ADDRESS;
            if !is_believed {
                *doubt.0.lock() = Some(wrong.error_string());
            }
            is_believed
        });
        Ok(builder)
    }
}
