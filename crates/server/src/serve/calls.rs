//! Where calls come from: the user agent, the endpoints that it knows, and what answers each call.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use mixminus_control::{Action, Application, CallUrls, HttpMethod};
use mixminus_sip::{Attempts, Credentials, Registrar, StreamLimits, UserAgent, UserAgentConfig};
use mixminus_store::Store;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::sip_tls::SipTls;
use super::{ServeError, TURNOVER};
use crate::account::Accounts;
use crate::config::{self, Config, HttpUrl};
use crate::endpoints::{self, Arriving, Reception};
use crate::exchange::{Clock, Dialling, Trunk};

/// Calls on their way to the exchange, with what answers them.
pub(super) struct Calls {
    /// Where they go in.
    pub arrivals: mpsc::Sender<Arriving>,
    /// Where they come out.
    pub queue: mpsc::Receiver<Arriving>,
}

/// Starts the user agent; calls come with what answers them, until `stop`. The task is over once it is
/// written where endpoints are.
pub(super) async fn take(
    config: &Config,
    (store, accounts, attempts): (&Arc<dyn Store>, &Accounts, &Arc<Attempts>),
    clock: Clock,
    stop: &CancellationToken,
) -> Result<(Arc<UserAgent>, Registrar, Calls, JoinHandle<()>), ServeError> {
    let registrar = Registrar::default();
    endpoints::restore(&**store, &registrar, clock).await?;
    let keeping = endpoints::keep(Arc::clone(store), registrar.clone(), clock, stop.clone());
    let kept = tokio::spawn(keeping);
    let endpoints = endpoints::config(config, store, &registrar, attempts);
    let tls = SipTls::load(config)?;
    let agent = UserAgentConfig { endpoints, ..agent_config(config, tls.as_ref()) };
    let (agent, calls) = UserAgent::start(agent).await.map_err(ServeError::Sip)?;
    if let Some(SipTls { server, .. }) = tls {
        let stop = stop.clone();
        tokio::spawn(async move { server.watch(stop).await });
    }
    let (arrivals, queue) = mpsc::channel(1);
    let reception = reception(config, store, accounts).run(calls, arrivals.clone());
    tokio::spawn(stop.clone().run_until_cancelled_owned(reception));
    Ok((Arc::new(agent), registrar, Calls { arrivals, queue }, kept))
}

fn agent_config(config: &Config, tls: Option<&SipTls>) -> UserAgentConfig {
    let streams = StreamLimits {
        max_connections: config.sip.max_connections.get() as usize,
        max_per_address: config.sip.max_connections_per_address.get() as usize,
        ..StreamLimits::default()
    };
    let networks = config.trunks.values().flat_map(|trunk| trunk.networks.iter().flatten());
    UserAgentConfig {
        listen: config.sip.listen.clone(),
        public_address: config.sip.public_address,
        tls_server: tls.map(|tls| tls.server.config()),
        tls_client: tls.map(|tls| Arc::clone(&tls.client)),
        streams,
        allow: config.sip.allow.iter().chain(networks).copied().collect(),
        max_calls: config.limits.max_calls.get() as usize + TURNOVER,
        session_expires: Duration::from_secs(config.sip.session_expires_s.get().into()),
        min_session_expires: Duration::from_secs(config.sip.min_session_expires_s.get().into()),
        name_server: config.sip.name_server,
        ..UserAgentConfig::default()
    }
}

/// How calls are placed.
pub(super) fn dialling(config: &Config, registrar: Registrar) -> Dialling {
    let sip = &config.sip;
    let address = config.sip.public_address.unwrap_or_else(|| config.sip.listen[0].address.ip());
    Dialling {
        trunks: config.trunks.values().map(trunk).collect(),
        endpoints_srtp: config.media.srtp_endpoints,
        peers: sip.call.iter().map(|peer| peer.0.clone()).collect(),
        barred: sip.deny_prefixes.iter().flatten().map(|prefix| prefix.0.clone()).collect(),
        registrar,
        host: match address {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        },
    }
}

fn trunk(config: &config::Trunk) -> Trunk {
    let password = config.password.as_ref().map(|password| password.expose().to_owned());
    let credentials = config
        .username
        .clone()
        .map(|username| Credentials { username: username.0, password: password.unwrap_or_default() });
    Trunk {
        host: config.host.clone().map(|host| host.0).unwrap_or_default(),
        credentials,
        prefixes: config.prefixes.iter().flatten().map(|prefix| prefix.0.clone()).collect(),
        order: config.order.get() as u16,
        networks: config.networks.clone().unwrap_or_default(),
        srtp: config.srtp,
    }
}

/// Finds out what answers calls, before the exchange hears of them.
fn reception(config: &Config, store: &Arc<dyn Store>, accounts: &Accounts) -> Reception {
    let application = &config.application;
    Reception {
        store: Arc::clone(store),
        account: accounts.main_id().clone(),
        otherwise: application.answer_url.as_ref().map_or(Application::BuiltIn, |url| {
            let answer = Action { url: url.as_str().to_owned(), method: application.answer_method.0 };
            Application::Url { answer, urls: urls(application) }
        }),
        numbers: config.sip.numbers.iter().flatten().map(|route| route.0.clone()).collect(),
    }
}

fn urls(application: &config::Application) -> CallUrls {
    let action = |url: &Option<HttpUrl>, method: HttpMethod| {
        url.as_ref().map(|url| Action { url: url.as_str().to_owned(), method })
    };
    CallUrls {
        fallback: action(&application.fallback_url, application.fallback_method.0),
        hangup: action(&application.hangup_url, application.hangup_method.0),
        ..CallUrls::default()
    }
}
