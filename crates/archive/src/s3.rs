//! Stores that speak S3's protocol.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::{BackoffConfig, ClientOptions, RetryConfig};
use secrecy::{ExposeSecret, SecretString};

use crate::{ArchiveError, ObjectPlace};

/// Longest wait for a connection, and for the answer to one request: a part of 8 MiB in that time takes 1.1 Mbit/s.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const REQUEST_TIMEOUT: Duration = Duration::from_mins(1);
/// Tries of one request before its caller hears of it. The caller has a longer breath.
const RETRIES: usize = 2;

/// Who may use a bucket.
#[derive(Clone, Debug)]
pub struct AccessKey {
    /// The access key id.
    pub id: String,
    /// The secret access key.
    pub secret: SecretString,
}

/// A bucket.
#[derive(Clone, Debug)]
pub struct S3 {
    /// URL of the service; Amazon's when left out.
    pub endpoint: Option<String>,
    /// Name of the bucket.
    pub bucket: String,
    /// Its region.
    pub region: String,
    /// The credentials; those of the machine's role when left out.
    pub key: Option<AccessKey>,
    /// Whether the bucket stands in the path instead of the host name.
    pub path_style: bool,
    /// Whether `http://` will do.
    pub allow_http: bool,
}

impl S3 {
    /// The store. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// The endpoint is no URL, or is `http://` without `allow_http`.
    pub fn open(&self) -> Result<Arc<dyn ObjectPlace>, ArchiveError> {
        // Whoever installed one before will have the same.
        rustls::crypto::ring::default_provider().install_default().ok();
        let client = ClientOptions::new().with_connect_timeout(CONNECT_TIMEOUT).with_timeout(REQUEST_TIMEOUT);
        let retry = RetryConfig {
            max_retries: RETRIES,
            retry_timeout: REQUEST_TIMEOUT,
            backoff: BackoffConfig::default(),
        };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&self.bucket)
            .with_region(&self.region)
            .with_client_options(client)
            .with_allow_http(self.allow_http)
            .with_retry(retry)
            .with_virtual_hosted_style_request(!self.path_style)
            // One request for each object is what every such service understands.
            .with_disable_bulk_delete(true);
        if let Some(endpoint) = &self.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        if let Some(AccessKey { id, secret }) = &self.key {
            builder = builder.with_access_key_id(id).with_secret_access_key(secret.expose_secret());
        }
        Ok(Arc::new(builder.build()?))
    }
}
