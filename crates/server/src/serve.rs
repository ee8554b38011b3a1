//! Puts the service together, runs it until it is told to stop, and takes it apart.

mod calls;
mod error;
mod keeping;
mod ports;
mod signals;
mod sip_tls;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use mixminus_archive::Archive;
use mixminus_control::{Limits, Recorded, RecordingId, RecordingRecord, Switchboard};
use mixminus_dtls::{Identity, IdentityError};
use mixminus_media::{Media, MediaConfig, ReplayLog};
use mixminus_plivo::xml;
use mixminus_sip::{Attempts, ListenAddress, Registrar, Trace, UserAgent};
use mixminus_store::{Batch, NewCallback, SqliteStore, Store, StoreError};
use rand::rngs::StdRng;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::account::{self, Accounts, Provenance};
use crate::config::{Config, SrtpKeying};
use crate::dialect::{self, Means};
use crate::exchange::handle::ExchangeHandle;
use crate::exchange::{
    Admission, Answering, Backlog, Clock, Documents, Equipment, Exchange, Intake, Journal, SrtpTerms, Status,
    Terms, queued, queued_for_call, queued_for_recording,
};
use crate::http::{self, ApiLimits, ApiState, Exposition, Measured, Phase, SipSockets, health};
use crate::live::Live;
use crate::messages::MessageService;
use crate::outbox::{Counts, Keep, Outbox, Retry};
use crate::prompts::{AudioFiles, Prompts, Speech};
use crate::rate::RateLimits;
use crate::recogniser::Recogniser;
use crate::recorder::{self, Recovered};
use crate::recording_place::RecordingPlace;
use crate::retention::Retention;
use crate::signer::Signer;
use crate::startup::{self, Welcome};
use crate::streams::Streams;
use crate::web::{Destinations, WebClient};
use crate::whip::Whip;
pub use error::ServeError;
use ports::Ports;
use signals::Signals;

/// Commands of API clients that wait for the exchange; more wait to be queued.
const MAX_QUEUED_COMMANDS: usize = 256;
/// What callers are asked to wait while we drain: the time of a restart.
const DRAIN_RETRY_AFTER: Duration = Duration::from_secs(10);
/// Calls beyond `limits.max_calls` that signalling and media have room for: those
/// that are about to be refused and those whose end is still being agreed.
const TURNOVER: usize = 256;
/// How often the store is told that we live. After a crash, what was live
/// ended at the last of these.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// Runs the service until SIGINT or SIGTERM, then drains it.
///
/// # Errors
///
/// Something that it needs to start is missing; nothing listens then.
pub async fn run(config: Config) -> Result<(), ServeError> {
    let mut signals = Signals::new().map_err(ServeError::Signals)?;
    let service = Service::start(&config).await?;
    signals.next().await;
    let backlog = Arc::clone(&service.backlog);
    tracing::info!("draining; a second signal ends at once");
    tokio::select! {
        () = service.drain() => tracing::info!("drained"),
        () = tokio::time::sleep(Duration::from_secs(config.limits.drain_s.get().into())) => {
            tracing::warn!("limits.drain_s is over; ending with work undone");
        }
        () = signals.next() => tracing::warn!("a second signal; ending with work undone"),
    }
    report_lost(&backlog.unwritten());
    Ok(())
}

/// Makes whole what a service that was killed left of its recordings, and says what there is of each.
///
/// # Errors
///
/// The directory cannot be used, as when a service has it.
pub fn recover(config: &Config) -> Result<Vec<Recovered>, ServeError> {
    let failed = |source| ServeError::Recordings { key: "directory", source };
    recorder::recover_all(&*keeping::archive(config)?).map_err(failed)
}

/// Everything that runs.
pub struct Service {
    /// That of the plain port first.
    addresses: Vec<SocketAddr>,
    backlog: Arc<Backlog>,
    phase: tokio::sync::watch::Sender<Phase>,
    agent: Arc<UserAgent>,
    drain: CancellationToken,
    exchange: JoinHandle<()>,
    stop: CancellationToken,
    /// The outbox, and what keeps registrations.
    writing: [JoinHandle<()>; 2],
    stop_http: DropGuard,
    serving: JoinHandle<()>,
}

impl Service {
    /// Starts everything and says where it is.
    ///
    /// # Errors
    ///
    /// As [`run`].
    pub async fn start(config: &Config) -> Result<Self, ServeError> {
        let store = open_store(config).await?;
        let (accounts, provenance) = accounts(config, &*store).await?;
        let (ports, addresses) = Ports::open(config).await?;
        let (clock, written, attempts) = (Clock::start(), Arc::<Notify>::default(), attempts(config));
        let [stop, drain, stop_http] = [(); 3].map(|()| CancellationToken::new());

        let (archive, place) = (keeping::archive(config)?, keeping::place(config, clock)?);
        close_orphans(&*store, (&archive, &place)).await?;
        let web = WebClient::new(destinations(config)).map_err(ServeError::Web)?;
        let speech = Arc::new(Speech::new(&config.speech).map_err(ServeError::Web)?);
        let signer = Arc::new(Signer::new(Arc::clone(&accounts)));
        let (outbox, callbacks) = outbox(config, &store, (web.clone(), Arc::clone(&signer)), clock)?;
        keep_house(config, (&store, &archive), (clock, &written), &stop);
        let (recorder, recordings) = keeping::recorder(config, &archive)?;
        let (media, events) = Media::start(media_config(config)).map_err(ServeError::Media)?;
        let (agent, registrar, calls, kept) =
            calls::take(config, (&store, &accounts, &attempts), clock, &stop).await?;
        let writing = [tokio::spawn(outbox.run(Arc::clone(&written), stop.clone())), kept];
        let (commander, commands) = mpsc::channel(MAX_QUEUED_COMMANDS);
        let (status, backlog) = (Arc::<Status>::default(), Arc::<Backlog>::default());
        let (admission, live) = watched(&media);
        let equipment = Equipment {
            switchboard: switchboard(config, &*store).await?,
            clock,
            media: media.clone(),
            prompts: prompts(config, &speech)?,
            recogniser: Arc::new(Recogniser::new(&config.speech)),
            streams: Arc::new(Streams::new(&web, &signer, &media, clock)),
            documents: Arc::new(Documents { web, signer, means: means(config) }),
            recorder,
            journal: Journal::start(Arc::clone(&backlog), Arc::clone(&store), Arc::clone(&written)),
            agent: Arc::clone(&agent),
            admission: admission.clone(),
            status: Arc::clone(&status),
            live: Arc::clone(&live),
        };
        let intake = Intake { calls: calls.queue, media: events, recordings, commands, drain: drain.clone() };
        let exchange = begin(equipment, answering(config, &registrar, &place)?, intake);

        let (phase, phase_seen) = health::phases();
        let router = http::router(ApiState {
            accounts: Arc::clone(&accounts),
            document_limits: document_limits(config),
            speech: Arc::clone(&speech),
            transcribes: config.speech.transcriber.is_some(),
            local: are_local(&addresses),
            store,
            registrar,
            archive,
            place,
            live,
            dial: config.application.answer_url.is_none().then(|| startup::sip_address(config)),
            exchange: ExchangeHandle::new(commander),
            backlog: Arc::clone(&backlog),
            admission: admission.clone(),
            phase: phase_seen,
            limits: Arc::new(api_limits(config, attempts)),
            clock,
            queued: written,
            repeats: Arc::default(),
            whip: Arc::new(Whip::new(calls.arrivals, trusts_loopback(config, &addresses))),
            trace: agent.trace(),
            answers: Arc::default(),
            measured: measured((status, media), callbacks, admission, agent.trace()),
        });
        let serving = tokio::spawn(ports.serve(with_phones(router, config, &agent), stop_http.clone()));
        phase.send_replace(Phase::Ready);
        welcome(&Welcome { config, account: accounts.main(), provenance: &provenance });
        let stop_http = stop_http.drop_guard();
        Ok(Self { addresses, backlog, phase, agent, drain, exchange, stop, writing, stop_http, serving })
    }

    /// Where the HTTP port listens.
    pub fn http_address(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// Where the port with TLS listens, if there is one.
    pub fn https_address(&self) -> Option<SocketAddr> {
        self.addresses.get(1).copied()
    }

    /// Where calls arrive.
    pub fn sip_addresses(&self) -> &[ListenAddress] {
        self.agent.listening()
    }

    /// Refuses new calls, ends those there are, writes and delivers what is to
    /// be written and delivered, and answers API clients until that is done.
    pub async fn drain(self) {
        self.phase.send_replace(Phase::Draining);
        self.agent.drain(DRAIN_RETRY_AFTER);
        self.drain.cancel();
        ended("exchange", self.exchange).await;
        self.agent.stop().await;
        self.stop.cancel();
        for writing in self.writing {
            ended("outbox or registrations", writing).await;
        }
        drop(self.stop_http);
        ended("HTTP port", self.serving).await;
    }
}

/// The accounts, and where the main one's credentials come from.
async fn accounts(config: &Config, store: &dyn Store) -> Result<(Arc<Accounts>, Provenance), ServeError> {
    let mut random = rand::make_rng::<StdRng>();
    let (account, provenance) = account::credentials(&config.account, &config.data_dir, &mut random)?;
    Ok((Arc::new(Accounts::load(account, store).await?), provenance))
}

/// Whether only this machine can ask.
fn are_local(addresses: &[SocketAddr]) -> bool {
    addresses.iter().all(|address| address.ip().is_loopback())
}

/// Whether browsers on this machine may join conferences as its phones do: in the set-up that nobody configured.
fn trusts_loopback(config: &Config, addresses: &[SocketAddr]) -> bool {
    are_local(addresses) && config.application.answer_url.is_none()
}

/// The HTTP port takes browsers' phones, too.
fn with_phones(router: Router, config: &Config, agent: &Arc<UserAgent>) -> Router {
    let origins = config.sip.origins.clone().unwrap_or_default();
    router.layer(Extension(Arc::new(SipSockets::new(Arc::clone(agent), origins))))
}

/// Says what ends with the process.
fn report_lost(batch: &Batch) {
    if !batch.is_empty() {
        let conferences: Vec<_> = batch.conferences.iter().map(|row| row.id.to_string()).collect();
        let participants: Vec<_> = batch.participants.iter().map(|row| row.id.to_string()).collect();
        let calls: Vec<_> = batch.calls.iter().map(|row| row.id.to_string()).collect();
        let callbacks = batch.callbacks.len();
        tracing::error!(
            ?conferences,
            ?participants,
            ?calls,
            callbacks,
            "changes were not written and are lost"
        );
    }
}

async fn ended(name: &str, task: JoinHandle<()>) {
    if let Err(error) = task.await {
        tracing::error!(name, %error, "failed");
    }
}

async fn open_store(config: &Config) -> Result<Arc<dyn Store>, ServeError> {
    let path = &config.data_dir;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|source| ServeError::DataDir { path: path.clone(), source })?;
    Ok(Arc::new(SqliteStore::open(&path.join("mixminus.db")).await?))
}

/// Ends on paper what was live when an earlier process died, and tells of it.
async fn close_orphans(
    store: &dyn Store,
    (archive, place): (&Arc<Archive>, &RecordingPlace),
) -> Result<(), StoreError> {
    let mut orphans = store.orphans().await?;
    for open in std::mem::take(&mut orphans.open_recordings) {
        let whole = recovered(archive, open.record.id).await;
        orphans.end_recording(open, whole.map(|whole| (whole.duration, whole.size_bytes)));
    }
    if !orphans.calls.is_empty() || !orphans.conferences.is_empty() {
        let (calls, conferences) = (orphans.calls.len(), orphans.conferences.len());
        tracing::warn!(calls, conferences, "closed what the last run left open");
    }
    let calls = orphans.call_events.into_iter().map(|event| queued_for_call(event, place));
    let recordings = orphans.recording_events.into_iter().map(|event| queued_for_recording(event, place));
    let batch = Batch {
        callbacks: orphans.events.iter().map(queued).chain(calls).chain(recordings).collect(),
        conferences: orphans.conferences,
        participants: orphans.participants,
        calls: orphans.calls,
        transcripts: orphans.recordings.iter().filter_map(RecordingRecord::awaited_transcript).collect(),
        recordings: orphans.recordings,
        streams: orphans.streams,
    };
    store.commit(&batch).await
}

/// What there is of a recording that a dead process left.
async fn recovered(archive: &Arc<Archive>, id: RecordingId) -> Option<Recorded> {
    let archive = Arc::clone(archive);
    let recovering = tokio::task::spawn_blocking(move || recorder::recover(&archive, id));
    match recovering.await.map_err(io::Error::other).flatten() {
        Ok(Some(whole)) => {
            tracing::warn!(recording = %id, duration = ?whole.duration, "made whole what the last run left");
            Some(whole)
        }
        Ok(None) => {
            tracing::error!(recording = %id, "nothing is there of what the last run recorded");
            None
        }
        Err(error) => {
            tracing::error!(recording = %id, %error, "what the last run recorded could not be made whole");
            None
        }
    }
}

fn begin(equipment: Equipment, answering: Answering, intake: Intake) -> JoinHandle<()> {
    tokio::spawn(Exchange::new(equipment, answering).run(intake))
}

/// Who says what `media` has room for, and what goes on there.
fn watched(media: &Media) -> (Admission, Arc<Live>) {
    (Admission::new(Arc::new(media.clone())), Arc::new(Live::new(Arc::new(media.clone()))))
}

/// Whose numbers `/metrics` tells, beside those of the API.
fn measured(
    (status, media): (Arc<Status>, Media),
    callbacks: Arc<Counts>,
    admission: Admission,
    trace: Arc<Trace>,
) -> Arc<[Box<dyn Measured>]> {
    Arc::new([
        Box::new(move |out: &mut Exposition| {
            status.measure(out);
            media.counters().measure(out);
            status.measure_quality(&media, out);
        }),
        Box::new(move |out: &mut Exposition| callbacks.measure(out)),
        Box::new(admission),
        Box::new(move |out: &mut Exposition| trace.totals().measure(out)),
    ])
}

/// Notes until `stop` that we live, forgets old callbacks, transcribes recordings, and brings them to where they are
/// kept, for as long as they are.
fn keep_house(
    config: &Config,
    (store, archive): (&Arc<dyn Store>, &Arc<Archive>),
    (clock, written): (Clock, &Arc<Notify>),
    stop: &CancellationToken,
) {
    let transcripts = keeping::transcripts(config, (store, archive), (clock, written));
    tokio::spawn(transcripts.run(stop.clone()));
    tokio::spawn(beat(Arc::clone(store), clock, stop.clone()));
    let now = Arc::new(move || clock.now());
    tokio::spawn(keep(config).run(Arc::clone(store), now.clone(), stop.clone()));
    let retention = Retention {
        store: Arc::clone(store),
        archive: Arc::clone(archive),
        now,
        age: config.recordings.retention_days.map(|days| Duration::from_hours(24) * days.get()),
        max_total_bytes: config.recordings.max_total_mib.map(|mebibytes| u64::from(mebibytes.get()) << 20),
    };
    tokio::spawn(retention.run(stop.clone()));
    let (archive, stop) = (Arc::clone(archive), stop.clone());
    tokio::spawn(async move { archive.run(stop).await });
}

async fn beat(store: Arc<dyn Store>, clock: Clock, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if let Err(error) = store.heartbeat(clock.now()).await {
            tracing::error!(%error, "no heartbeat was written");
        }
        tokio::select! {
            () = tokio::time::sleep(HEARTBEAT) => {}
            () = stop.cancelled() => {}
        }
    }
}

fn keep(config: &Config) -> Keep {
    let seconds = |count: u32| Duration::from_secs(count.into());
    Keep {
        delivered: seconds(config.callbacks.keep_delivered_s.get()),
        dead: seconds(config.callbacks.keep_dead_s.get()),
    }
}

fn outbox(
    config: &Config,
    store: &Arc<dyn Store>,
    (web, signer): (WebClient, Arc<Signer>),
    clock: Clock,
) -> Result<(Outbox, Arc<Counts>), ServeError> {
    let messages = MessageService::new(&config.messages).map_err(ServeError::Web)?;
    let give_up_after = Duration::from_secs(config.callbacks.retry_s.get().into());
    let counts = Arc::<Counts>::default();
    let outbox = Outbox {
        store: Arc::clone(store),
        web,
        messages,
        sign: Arc::new(move |callback| {
            let NewCallback { account, url, method, params, .. } = callback;
            signer.sign(account, &dialect::request(url, *method, params.clone())).into()
        }),
        now: Arc::new(move || clock.now()),
        retry: Retry { give_up_after, ..Retry::default() },
        counts: Arc::clone(&counts),
    };
    Ok((outbox, counts))
}

fn prompts(config: &Config, speech: &Arc<Speech>) -> Result<Arc<Prompts<AudioFiles>>, ServeError> {
    let files = AudioFiles::new(destinations(config)).map_err(ServeError::Web)?;
    Ok(Arc::new(Prompts::new(files, Arc::clone(speech))))
}

async fn switchboard(config: &Config, store: &dyn Store) -> Result<Switchboard, ServeError> {
    Ok(Switchboard::new(limits(config), store.next_participant_id().await?, rand::make_rng::<StdRng>()))
}

fn destinations(config: &Config) -> Destinations {
    if config.allows_private_urls() { Destinations::Any } else { Destinations::Public }
}

fn media_config(config: &Config) -> MediaConfig {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    MediaConfig {
        bind_ip: config.media_address(),
        ports: config.media.ports.0.clone(),
        workers: config.media.workers.map_or(cores, |workers| workers.get() as usize),
        media_timeout: Duration::from_secs(config.media.timeout_s.get().into()),
        max_legs: config.limits.max_calls.get() as usize + TURNOVER,
        max_busy_percent: config.limits.max_load_percent.get() as u8,
        replay_log: config.media.replay_log.clone().map(|path| ReplayLog {
            path,
            max_bytes: u64::from(config.media.replay_log_max_mib.get()) << 20,
        }),
    }
}

fn limits(config: &Config) -> Limits {
    Limits {
        max_calls: config.limits.max_calls.get() as usize,
        max_conferences: config.limits.max_conferences.get() as usize,
        max_participants: config.limits.max_participants.get() as usize,
        max_dials_per_s: config.limits.max_dials_per_s.get(),
        max_placed: config.limits.max_placed_calls.get() as usize,
    }
}

/// One count of wrong passwords for all ports.
fn attempts(config: &Config) -> Arc<Attempts> {
    Arc::new(Attempts::new(config.limits.wrong_passwords_per_min.get()))
}

fn api_limits(config: &Config, attempts: Arc<Attempts>) -> ApiLimits {
    ApiLimits {
        rates: RateLimits::new(config.limits.requests_per_5s.get() as usize),
        attempts,
        max_subaccounts: config.limits.max_subaccounts.get() as usize,
    }
}

fn document_limits(config: &Config) -> xml::Limits {
    xml::Limits { max_participants: config.limits.max_participants.get(), ..xml::Limits::default() }
}

fn means(config: &Config) -> Means {
    Means { limits: document_limits(config), recognises_speech: config.speech.recogniser.is_some() }
}

fn answering(
    config: &Config,
    registrar: &Registrar,
    recordings: &RecordingPlace,
) -> Result<Answering, IdentityError> {
    Ok(Answering {
        terms: Terms {
            address: config.sip.public_address.unwrap_or_else(|| config.media_address()),
            formats: config.formats().into(),
            opus: config.opus(),
            srtp: SrtpTerms {
                policy: config.media.srtp,
                offers_dtls: config.media.srtp_keys == SrtpKeying::Dtls,
                identity: Identity::generate()?,
            },
        },
        dialling: calls::dialling(config, registrar.clone()),
        transfers: config.sip.transfers,
        recordings: recordings.clone(),
        sends_messages: config.messages.url.is_some(),
        max_arrivals_per_s: config.limits.max_arrivals_per_s.get() as usize,
    })
}

fn welcome(welcome: &Welcome<'_>) {
    let mut out = std::io::stdout().lock();
    if let Err(error) = writeln!(out, "{welcome}").and_then(|()| out.flush()) {
        tracing::warn!(%error, "nobody reads standard output");
    }
}
