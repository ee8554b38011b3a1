//! Requests whose sender has to be found out: registrations, calls of endpoints, their questions.

use std::sync::Arc;

use rsipstack::sip::{Header, HeadersExt, Method, StatusCode, ToTypedHeader};
use rsipstack::transaction::transaction::Transaction;
use tokio::sync::OwnedSemaphorePermit;
use tracing::{debug, info};

use crate::agent::Agent;
use crate::endpoints::{EndpointConfig, Identity};
use crate::location::Flow;
use crate::message::{self, Masked};
use crate::register::{self, Refusal};
use crate::registrar::now;

/// When an endpoint may come back whose password cannot be looked up, in seconds.
const RETRY_SECONDS: u64 = 10;

impl Agent {
    /// Finds out who sent `request` and serves it.
    pub(crate) async fn identify(self: Arc<Self>, request: Transaction, _room: OwnedSemaphorePermit) {
        let (Some(endpoints), Some(source)) = (&self.door.endpoints, message::source(&request)) else {
            return;
        };
        let (status, headers) = match endpoints.identify(&request.original, source.ip(), now()).await {
            Identity::Endpoint(username) => match request.original.method {
                Method::Register => match register(&request, &endpoints.config, &username) {
                    Ok(headers) => (StatusCode::OK, headers),
                    Err(refusal) => refusal,
                },
                Method::Message => return self.tell_address(&request, &endpoints.config).await,
                _ => match self.invite(&request, Some(username)) {
                    Ok(offered) => return self.begin(request, offered),
                    Err(refusal) => refusal,
                },
            },
            Identity::Trunk if request.original.method == Method::Invite => match self.invite(&request, None)
            {
                Ok(offered) => return self.begin(request, offered),
                Err(refusal) => refusal,
            },
            Identity::Trunk => (StatusCode::Forbidden, vec![]),
            Identity::Unknown(challenges) => (StatusCode::Unauthorized, challenges),
            Identity::Refused => {
                info!(%source, method = %request.original.method, "refused: no endpoint with this password");
                (StatusCode::Forbidden, vec![])
            }
            Identity::Unavailable => {
                (StatusCode::ServiceUnavailable, vec![message::retry_after(RETRY_SECONDS)])
            }
        };
        self.answer(&request, status, headers).await;
    }

    /// Tells an endpoint its own address; there is nobody else whom it could write to.
    async fn tell_address(&self, request: &Transaction, config: &EndpointConfig) {
        let asked = config.address_query.as_deref().map(str::as_bytes);
        let source = message::source(request).filter(|_| asked == Some(request.original.body.trim_ascii()));
        match source {
            Some(source) => {
                let address = source.ip().to_canonical().to_string().into_bytes();
                let headers = vec![Header::ContentType("text/plain".into())];
                self.reply(request, StatusCode::OK, (headers, Some(address))).await;
            }
            None => self.answer(request, StatusCode::NotFound, vec![]).await,
        }
    }
}

/// Serves the REGISTER of `username` and tells the contacts that it has then.
fn register(request: &Transaction, config: &EndpointConfig, username: &str) -> Result<Vec<Header>, Refusal> {
    let (now, original) = (now(), &request.original);
    let bad = || (StatusCode::BadRequest, vec![]);
    let to = original.to_header().and_then(ToTypedHeader::typed).map_err(|_| bad())?;
    if message::user(&to.uri) != username {
        return Err((StatusCode::Forbidden, vec![]));
    }
    let flow = request.connection.as_ref().and_then(Flow::over).ok_or_else(bad)?;
    let call_id = original.call_id_header().map_err(|_| bad())?.value();
    let wish = register::wish(original, &flow, config.expiry, now)?;
    let asked = (call_id, message::cseq(original));
    let bindings = config.registrar.register(username, asked, wish, now);
    let bindings = bindings.map_err(|_| (StatusCode::ServerInternalError, vec![]))?;
    debug!(endpoint = %Masked(username), contacts = bindings.len(), "registered");
    Ok(register::headers(original, &bindings, now))
}
