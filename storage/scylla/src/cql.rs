//! One connection to the engine: statements that are bounded in time and number.

use std::sync::Arc;

use guildhall_ports::Failure;
use scylla::client::execution_profile::ExecutionProfile;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::deserialize::row::DeserializeRow;
use scylla::errors::NewSessionError;
use scylla::policies::load_balancing::DefaultPolicy;
use scylla::policies::retry::DefaultRetryPolicy;
use scylla::serialize::row::SerializeRow;
use scylla::statement::batch::{Batch, BatchStatement, BatchType};
use scylla::statement::prepared::PreparedStatement;
use scylla::statement::{Consistency as Level, Statement};
use scylla::value::CqlValue;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::bounds::{
    AGREEMENT_EVERY, CONNECT_MAX, IN_FLIGHT_MAX, KEEPALIVE, OPEN_MAX, REQUEST_MAX, SCHEMA_MAX,
};
use crate::error::CqlError;
use crate::settings::{Consistency, Settings};
use crate::tls::Doubt;

/// A connection to the engine. It finds the engine again by itself.
#[derive(Debug)]
pub(crate) struct Cql {
    session: Session,
    in_flight: Semaphore,
}

/// The values of one statement of a batch.
pub(crate) type Values = Vec<CqlValue>;

impl Cql {
    /// Connects, without choosing a keyspace.
    pub(crate) async fn connect(settings: &Settings) -> Result<Self, Failure> {
        settings.check()?;
        let (mut builder, doubt) = (builder(settings), Doubt::default());
        if let Some(tls) = &settings.tls {
            builder = builder.tls_context(Some(tls.context(&doubt)?));
        }
        let session = timeout(OPEN_MAX, builder.build()).await;
        let session = session.map_err(CqlError::from)?;
        Ok(Self {
            session: session.map_err(|error| refused(settings, &doubt, &error))?,
            in_flight: Semaphore::new(IN_FLIGHT_MAX),
        })
    }

    /// From here on statements mean tables of this keyspace.
    pub(crate) async fn choose(&self, keyspace: &str) -> Result<(), CqlError> {
        Ok(timeout(OPEN_MAX, self.session.use_keyspace(keyspace, false)).await??)
    }

    /// Makes a statement ready. All of ours may be carried out twice.
    pub(crate) async fn prepare(&self, cql: &str) -> Result<PreparedStatement, CqlError> {
        let mut statement = timeout(OPEN_MAX, self.session.prepare(cql)).await??;
        statement.set_is_idempotent(true);
        Ok(statement)
    }

    /// Carries out a statement that changes the schema and waits until all nodes know of it, which
    /// the driver does by itself.
    pub(crate) async fn change_schema(&self, cql: &str) -> Result<(), CqlError> {
        let mut statement = Statement::new(cql);
        statement.set_request_timeout(Some(SCHEMA_MAX));
        timeout(SCHEMA_MAX, self.session.query_unpaged(statement, &())).await??;
        Ok(())
    }

    /// What a statement that was not prepared answers.
    pub(crate) async fn ask<R>(
        &self,
        cql: &str,
        values: impl SerializeRow,
    ) -> Result<Vec<R>, CqlError>
    where
        R: for<'frame, 'metadata> DeserializeRow<'frame, 'metadata>,
    {
        let result = timeout(REQUEST_MAX, self.session.query_unpaged(cql, values)).await??;
        Ok(result
            .into_rows_result()?
            .rows()?
            .collect::<Result<_, _>>()?)
    }

    /// The rows that a statement answers. It bounds their number itself.
    pub(crate) async fn rows<R>(
        &self,
        statement: &PreparedStatement,
        values: impl SerializeRow,
    ) -> Result<Vec<R>, CqlError>
    where
        R: for<'frame, 'metadata> DeserializeRow<'frame, 'metadata>,
    {
        let result = timeout(REQUEST_MAX, async {
            let _turn = self.in_flight.acquire().await;
            Box::pin(self.session.execute_unpaged(statement, values)).await
        });
        let rows = result.await??.into_rows_result()?;
        Ok(rows.rows()?.collect::<Result<_, _>>()?)
    }

    /// The first of the rows that a statement answers.
    pub(crate) async fn row<R>(
        &self,
        statement: &PreparedStatement,
        values: impl SerializeRow,
    ) -> Result<Option<R>, CqlError>
    where
        R: for<'frame, 'metadata> DeserializeRow<'frame, 'metadata>,
    {
        Ok(self.rows(statement, values).await?.into_iter().next())
    }

    /// Carries out a statement that answers nothing.
    pub(crate) async fn write(
        &self,
        statement: &PreparedStatement,
        values: impl SerializeRow,
    ) -> Result<(), CqlError> {
        let result = timeout(REQUEST_MAX, async {
            let _turn = self.in_flight.acquire().await;
            Box::pin(self.session.execute_unpaged(statement, values)).await
        });
        result.await??;
        Ok(())
    }

    /// Writes rows of one and the same partition as one mutation.
    pub(crate) async fn write_rows<V: SerializeRow>(
        &self,
        statement: &PreparedStatement,
        mut rows: Vec<V>,
    ) -> Result<(), CqlError> {
        match rows.pop() {
            Some(row) if rows.is_empty() => self.write(statement, row).await,
            Some(row) => {
                rows.push(row);
                let rows = rows.into_iter().map(|row| (statement, row));
                self.write_together(rows.collect()).await
            }
            None => Ok(()),
        }
    }

    /// Carries out statements about one and the same partition as one mutation.
    pub(crate) async fn write_together<V: SerializeRow>(
        &self,
        statements: Vec<(&PreparedStatement, V)>,
    ) -> Result<(), CqlError> {
        let (statements, values): (Vec<_>, Vec<_>) = statements
            .into_iter()
            .map(|(statement, values)| (BatchStatement::from(statement.clone()), values))
            .unzip();
        // Unlogged: one partition needs no log to be changed at once.
        let mut batch = Batch::new_with_statements(BatchType::Unlogged, statements);
        batch.set_is_idempotent(true);
        let result = timeout(REQUEST_MAX, async {
            let _turn = self.in_flight.acquire().await;
            Box::pin(self.session.batch(&batch, values)).await
        });
        result.await??;
        Ok(())
    }
}

/// Why there is no connection, with what the driver leaves out.
fn refused(settings: &Settings, doubt: &Doubt, error: &NewSessionError) -> CqlError {
    let said = error.to_string();
    CqlError::Engine(match doubt.reason() {
        Some(reason) => format!("its certificate is not believed: {reason}; {said}"),
        None if settings.tls.is_none() && said.contains("reset by peer") => {
            format!("{said}; if it speaks TLS alone, it has to be reached by TLS")
        }
        None => said,
    })
}

fn builder(settings: &Settings) -> SessionBuilder {
    let mut balancing = DefaultPolicy::builder().token_aware(true);
    if let Some(datacenter) = &settings.datacenter {
        balancing = balancing.prefer_datacenter(datacenter.clone());
    }
    let profile = ExecutionProfile::builder()
        .consistency(match settings.consistency {
            Consistency::LocalQuorum => Level::LocalQuorum,
            Consistency::Quorum => Level::Quorum,
        })
        .request_timeout(Some(REQUEST_MAX))
        .retry_policy(Arc::new(DefaultRetryPolicy::new()))
        .load_balancing_policy(balancing.build())
        .build();
    let mut builder = SessionBuilder::new()
        .known_nodes(&settings.nodes)
        .keyspaces_to_fetch([settings.keyspace.clone()])
        .default_execution_profile_handle(profile.into_handle())
        .connection_timeout(CONNECT_MAX)
        .keepalive_interval(KEEPALIVE.0)
        .keepalive_timeout(KEEPALIVE.1)
        .schema_agreement_timeout(SCHEMA_MAX)
        .schema_agreement_interval(AGREEMENT_EVERY)
        .refresh_metadata_on_auto_schema_agreement(false);
    if let Some(credentials) = &settings.credentials {
        builder = builder.user(&credentials.user, &credentials.password);
    }
    builder
}
