//! How the engines of a cluster are reached, by what the configuration says.

use anyhow::{Context, bail};
use guildhall_kafka::{ClusterConfig as KafkaConfig, Login, Mechanism};
use guildhall_ports::Failure;
use guildhall_scylla::{Credentials, Settings as CqlSettings, Tls};

use crate::certificates::Certificates;
use crate::config::{ClusterConfig, Config, CqlTls, Hosts, KafkaMechanism};

/// How the configuration says that the engines are reached.
pub(super) struct Reached {
    pub(super) postgres: guildhall_postgres::Config,
    pub(super) kafka: KafkaConfig,
    pub(super) cql: CqlSettings,
    pub(super) s3: Option<guildhall_s3::Config>,
    pub(super) redis: Option<guildhall_redis::Config>,
}

/// Refuses what no engine could be reached by, before any of them is.
pub(super) fn reached(config: &Config) -> anyhow::Result<Reached> {
    let cluster = &config.cluster;
    let (Some(postgres), Some(brokers), Some(nodes)) =
        (&cluster.postgres, &cluster.kafka, &cluster.cql)
    else {
        bail!("cluster.postgres, cluster.kafka and cluster.cql must be set for a cluster");
    };
    let certificates = Certificates::read(cluster)?;
    let s3 = cluster.s3.as_ref();
    let s3 = s3.map(|address| s3_at(address.reveal(), &certificates));
    let redis = cluster.redis.as_ref();
    let redis = redis.map(|address| redis_at(address.reveal(), &certificates));
    Ok(Reached {
        postgres: guildhall_postgres::Config {
            authorities: certificates.engines.clone(),
            ..guildhall_postgres::Config::new(postgres.reveal())
        },
        kafka: kafka_at(cluster, brokers, &certificates),
        cql: cql(cluster, nodes, &certificates),
        s3: s3.transpose().context("cluster.s3 cannot be used")?,
        redis: redis.transpose().context("cluster.redis cannot be used")?,
    })
}

fn kafka_at(cluster: &ClusterConfig, brokers: &Hosts, certificates: &Certificates) -> KafkaConfig {
    let mut config = KafkaConfig::new(brokers.joined());
    let Some(security) = cluster.kafka_security else {
        return config;
    };
    config.security.tls = security.has_tls().then(|| guildhall_kafka::Tls {
        authorities: certificates.engines.clone(),
        own: certificates.kafka.clone(),
    });
    let login = cluster
        .kafka_user
        .as_ref()
        .zip(cluster.kafka_password.as_ref());
    config.security.login = login.map(|(user, password)| Login {
        mechanism: match cluster.kafka_mechanism {
            KafkaMechanism::Plain => Mechanism::Plain,
            KafkaMechanism::ScramSha256 => Mechanism::ScramSha256,
            KafkaMechanism::ScramSha512 => Mechanism::ScramSha512,
        },
        user: user.as_str().to_owned(),
        password: password.reveal().to_owned(),
    });
    config
}

fn cql(cluster: &ClusterConfig, nodes: &Hosts, certificates: &Certificates) -> CqlSettings {
    let mut settings = CqlSettings::new(nodes.list().to_vec(), cluster.cql_keyspace.as_str());
    settings.replication_factor = u8::try_from(cluster.cql_replicas).unwrap_or(u8::MAX);
    settings.tls = match (cluster.cql_tls, certificates.engines.clone()) {
        (CqlTls::Off, _) => None,
        (CqlTls::On, Some(pem)) => Some(Tls::Authorities(pem)),
        (CqlTls::Authority, Some(pem)) => Some(Tls::AnyAddress(pem)),
        // A configuration has no second of these without the authority's certificate.
        (CqlTls::On | CqlTls::Authority, None) => Some(Tls::System),
    };
    let login = cluster.cql_user.as_ref().zip(cluster.cql_password.as_ref());
    settings.credentials = login.map(|(user, password)| Credentials {
        user: user.as_str().to_owned(),
        password: password.reveal().to_owned(),
    });
    settings
}

fn s3_at(address: &str, certificates: &Certificates) -> Result<guildhall_s3::Config, Failure> {
    let config = guildhall_s3::Config::parse(address)?;
    match &certificates.engines {
        Some(pem) => config.with_authorities(pem.clone()),
        None => Ok(config),
    }
}

fn redis_at(
    address: &str,
    certificates: &Certificates,
) -> Result<guildhall_redis::Config, Failure> {
    let config = guildhall_redis::Config::parse(address)?;
    Ok(match &certificates.engines {
        Some(pem) => config.with_authorities(pem.clone()),
        None => config,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Sources;

    /// What is said of a cluster with this setting beside those that it needs.
    fn refused(key: &str, value: &str) -> String {
        let settings = [
            ("POSTGRES", "postgres://g:hush@db/g"),
            ("KAFKA", "kafka:9092"),
            ("CQL", "scylla:9042"),
            (key, value),
        ];
        let settings = settings.map(|(key, value)| {
            let name = format!("GUILDHALL__CLUSTER__{key}");
            (name.into(), value.into())
        });
        let config = Config::load(&Sources {
            environment: settings.to_vec(),
            ..Sources::default()
        });
        let refused = reached(&config.unwrap()).err().unwrap();
        format!("{refused:#}")
    }

    #[test]
    fn what_only_the_adapter_can_refuse_is_refused_before_anything_is_reached() {
        for (key, value, setting, expected) in [
            ("S3", "https://key:hush@s3/Files", "cluster.s3", "/BUCKET"),
            (
                "REDIS",
                "redis://:hu%FFsh@redis",
                "cluster.redis",
                "/DATABASE",
            ),
        ] {
            let words = refused(key, value);
            assert!(words.contains(setting), "{words}");
            assert!(words.contains(expected), "{words}");
            assert!(!words.contains("hush") && !words.contains("sh@"), "{words}");
        }
    }
}
