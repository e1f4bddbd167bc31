//! The suite of the port.

use std::sync::Arc;

use guildhall_ports::Quotas;

use crate::engine::Keys;

async fn fresh() -> (Arc<dyn Quotas>, ()) {
    (Arc::new(Keys::fresh().node().await), ())
}

guildhall_ports::quotas_promises!(fresh);
