//! An upload in parts, which is given up unless it is completed.

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use guildhall_ports::Failure;
use guildhall_ports::blobs::BlobKey;
use tokio::runtime::Handle;

use crate::blobs::Store;
use crate::client;
use crate::error::{ENGINE, failure};

/// What the engine has of an object that nobody sees yet.
pub(crate) struct Upload {
    store: Arc<Store>,
    key: String,
    id: String,
    parts: Vec<CompletedPart>,
    is_completed: bool,
    /// Where it is given up: whoever drops it need not be on the runtime.
    runtime: Handle,
}

impl Upload {
    pub(crate) async fn begin(
        store: Arc<Store>,
        key: BlobKey,
        headers: HashMap<String, String>,
    ) -> Result<Self, Failure> {
        let key = key.to_string();
        let begin = store.client.create_multipart_upload();
        let begun = begin
            .bucket(&store.bucket)
            .key(&key)
            .set_metadata(Some(headers))
            .send()
            .await
            .map_err(|error| failure(&error))?;
        let id = begun.upload_id().ok_or_else(|| incomplete("upload"))?;
        Ok(Self {
            id: id.to_owned(),
            store,
            key,
            parts: Vec::new(),
            is_completed: false,
            runtime: Handle::current(),
        })
    }

    /// Sends the next part.
    pub(crate) async fn send(&mut self, bytes: Bytes) -> Result<(), Failure> {
        let number = self.parts.len().saturating_add(1);
        let number = i32::try_from(number)
            .map_err(|_| Failure::unavailable(ENGINE, "an upload of too many parts"))?;
        let part = self.store.client.upload_part();
        let sent = part
            .bucket(&self.store.bucket)
            .key(&self.key)
            .upload_id(&self.id)
            .part_number(number)
            .body(bytes.into())
            .send()
            .await
            .map_err(|error| failure(&error))?;
        let tag = sent.e_tag().ok_or_else(|| incomplete("part"))?;
        let part = CompletedPart::builder().part_number(number).e_tag(tag);
        self.parts.push(part.build());
        Ok(())
    }

    /// Makes the object of its parts, and visible.
    pub(crate) async fn complete(mut self) -> Result<(), Failure> {
        let parts = std::mem::take(&mut self.parts);
        let whole = CompletedMultipartUpload::builder().set_parts(Some(parts));
        let complete = self.store.client.complete_multipart_upload();
        complete
            .bucket(&self.store.bucket)
            .key(&self.key)
            .upload_id(&self.id)
            .multipart_upload(whole.build())
            .customize()
            .config_override(client::patient())
            .send()
            .await
            .map_err(|error| failure(&error))?;
        self.is_completed = true;
        Ok(())
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if self.is_completed {
            return;
        }
        let abort = self.store.client.abort_multipart_upload();
        let abort = abort
            .bucket(&self.store.bucket)
            .key(&self.key)
            .upload_id(&self.id);
        // The client bounds how long it takes. What it cannot give up, because the engine is away,
        // the bucket's lifecycle does.
        self.runtime.spawn(abort.send());
    }
}

fn incomplete(what: &str) -> Failure {
    Failure::unavailable(ENGINE, format!("it gave no name to the {what}"))
}
