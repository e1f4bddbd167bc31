//! Engines and nodes that are reached by TLS and with passwords, on the certificates that
//! `deploy/engines/certificates` makes.

use std::path::Path;
use std::process::Command;

use guildhall_e2e::binary;

use crate::Engines;

/// Who the scripts let in.
const USER: &str = "guildhall";
const PASSWORD: &str = "sesame";

impl Engines {
    /// The same, with everything that can be encrypted encrypted: PostgreSQL and Kafka, whose directories
    /// are in this folder, the CQL engine, and the link between nodes. S3 and Redis stay as they are.
    pub(crate) fn by_tls(mut self, folder: &Path) -> Self {
        let postgres = self.value("GUILDHALL__CLUSTER__POSTGRES");
        let postgres = format!("{postgres}?sslmode=verify-full");
        let kafka = format!("127.0.0.1:{}", way_in(&folder.join("kafka"), "SASL_SSL"));
        let certificates = certificates();
        let file = |name: &str| format!("{certificates}/{name}");
        for (setting, value) in [
            ("GUILDHALL__CLUSTER__POSTGRES", postgres),
            ("GUILDHALL__CLUSTER__KAFKA", kafka),
            ("GUILDHALL__CLUSTER__KAFKA_SECURITY", "SASL_SSL".to_owned()),
            ("GUILDHALL__CLUSTER__KAFKA_USER", USER.to_owned()),
            ("GUILDHALL__CLUSTER__KAFKA_PASSWORD", PASSWORD.to_owned()),
            ("GUILDHALL__CLUSTER__CQL_TLS", "on".to_owned()),
            (
                "GUILDHALL__CLUSTER__ENGINE_AUTHORITY",
                file("authority.pem"),
            ),
            ("GUILDHALL__CLUSTER__LINK_CERTIFICATE", file("own.pem")),
            ("GUILDHALL__CLUSTER__LINK_KEY", file("own.key")),
            ("GUILDHALL__CLUSTER__LINK_AUTHORITY", file("authority.pem")),
        ] {
            self.set(setting, value);
        }
        self
    }

    /// The same with the Redis in this directory, which is reached by TLS.
    ///
    /// # Panics
    ///
    /// Where there is none.
    pub fn with_redis_by_tls(mut self, dir: &Path) -> Self {
        let port = std::fs::read_to_string(dir.join("tls-port")).expect("it has a port for TLS");
        let url = format!("rediss://{USER}:{PASSWORD}@127.0.0.1:{}", port.trim());
        let authority = format!("{}/authority.pem", certificates());
        self.set("GUILDHALL__CLUSTER__REDIS", url);
        self.set("GUILDHALL__CLUSTER__ENGINE_AUTHORITY", authority);
        self
    }

    fn value(&self, setting: &str) -> &str {
        let found = self.settings.iter().find(|(name, _)| *name == setting);
        &found.expect("the engine has an address").1
    }
}

/// The port of a way in to a guarded Kafka.
fn way_in(dir: &Path, way: &str) -> String {
    let ways = std::fs::read_to_string(dir.join("guarded")).expect("the broker is guarded");
    let mut ways = ways.lines().filter_map(|line| line.split_once('='));
    let found = ways.find(|(name, _)| *name == way);
    found.expect("there is such a way").1.to_owned()
}

/// The folder of the certificates.
fn certificates() -> String {
    let script = binary::repository().join("deploy/engines/certificates");
    let made = Command::new(script)
        .output()
        .expect("the script can be run");
    let folder = String::from_utf8(made.stdout).expect("paths are text");
    folder.trim().to_owned()
}
