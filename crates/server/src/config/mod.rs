//! Configuration: defaults, overlaid by one TOML file, overlaid by the environment.
//!
//! Every key is described once, below; the structs, the parsing, the error
//! messages and `config/mixminus.toml` are made from that description.

#[macro_use]
mod describe;
mod reference;
mod setting;
mod source;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use mixminus_codec::{Format, OpusSettings};
use mixminus_sip::sdp::SrtpPolicy;
use mixminus_sip::{Cidr, ListenAddress};

use describe::{Key, Section};
pub use reference::reference;
pub use setting::{
    Callable, Digest, EncryptionKey, HttpUrl, Method, Name, NumberApplication, NumberPrefix, OpusRate,
    Password, PortRange, RecordingRate, RecordingStore, Setting, SpeechEngine, SrtpKeying, TrunkHost, Within,
};
pub use source::{ConfigError, Origin};

use crate::account::{AuthId, AuthToken};
use crate::exchange::Transfers;
use crate::prompts::InstalledVoice;

settings! {
    {
        /// Directory of the database and of the generated account.
        data_dir: PathBuf = "./mixminus-data",
    }

    /// The REST API, health and metrics.
    http: Http {
        /// Address and port to listen on. 8080 needs no privileges and is
        /// where people look first; a port that is taken ends the start. Off
        /// loopback, `/metrics` asks for the account's credentials too.
        listen: SocketAddr = "127.0.0.1:8080",
        /// Where clients reach this service, when that is not the address it
        /// listens on.
        public_url: Option<HttpUrl> = "https://calls.example.com",
        /// Address and port for the same with TLS.
        tls_listen: Option<SocketAddr> = "0.0.0.0:443",
        /// PEM file of the certificate for it, with those between it and the
        /// root. It and the key are read again when they change;
        /// `mixminus cert` writes both.
        tls_certificate: Option<PathBuf> = "./tls/server.pem",
        /// PEM file of its private key.
        tls_key: Option<PathBuf> = "./tls/server-key.pem",
    }

    /// Signalling.
    sip: Sip {
        /// Where calls arrive, by `udp:`, `tcp:` or `tls:`. An address after `=` is told to callers
        /// instead, behind network address translation: `udp:10.0.0.5:5060=203.0.113.7:5060`. IPv6
        /// addresses take IPv6 alone. Browsers come by WebSocket to the HTTP port.
        listen: Vec<ListenAddress> = ["udp:127.0.0.1:5060", "tcp:127.0.0.1:5060"],
        /// PEM file of the certificate for `tls:`, with those between it and the root; that of the
        /// HTTP port when left out. It and the key are read again when they change.
        tls_certificate: Option<PathBuf> = "./tls/server.pem",
        /// PEM file of its private key.
        tls_key: Option<PathBuf> = "./tls/server-key.pem",
        /// PEM file of authorities whose certificates are believed when calls are placed by TLS,
        /// besides those that this machine believes.
        tls_ca: Option<PathBuf> = "./tls/ca.pem",
        /// Connections by TCP, TLS and WebSocket at one time; more are closed.
        max_connections: Within<1, 1_000_000> = 4096,
        /// Connections at one time with one address. Whoever comes through a proxy shares its address.
        max_connections_per_address: Within<1, 1_000_000> = 256,
        /// Pages that may connect by WebSocket, besides those of the host that they connect to: where
        /// they come from, such as `https://app.example.com`, or `*` for any.
        origins: Option<Vec<String>> = ["https://app.example.com"],
        /// Networks that calls are taken from without a password, such as carriers'; from
        /// all others, only endpoints may call.
        allow: Vec<Cidr> = ["127.0.0.0/8", "::1/128"],
        /// What a trunk calls in with, from networks that are not in `allow`.
        incoming_username: Option<Name> = "carrier",
        /// Its password. Without it, or with `endpoints` off, no such trunk may.
        incoming_password: Option<Password> = "what-the-carrier-was-given",
        /// Hosts and networks that calls to SIP addresses may go to.
        call: Vec<Callable> = ["127.0.0.0/8", "::1/128", "localhost"],
        /// What numbers begin with that are never called.
        deny_prefixes: Option<Vec<NumberPrefix>> = ["+1900", "+979"],
        /// Who in a call may hand it over to somebody else (REFER), whom this service calls then as it would
        /// for the account: nobody (`refuse`), `endpoints`, or `all` who may call or are called, such as carriers.
        transfers: Transfers = "refuse",
        /// Numbers, each with the id of the application that answers calls to it. Other
        /// calls from `allow` are answered by the application that is the default for
        /// numbers, or as `[application]` says.
        numbers: Option<Vec<NumberApplication>> = ["+14155550100=20468599130939380"],
        /// Whether endpoints that the API made may register and call, from any network.
        endpoints: bool = true,
        /// What endpoints' passwords are hashed with, the preferred first. With
        /// `SHA-256` among them, phones that know MD5 alone may not register.
        digests: Vec<Digest> = ["MD5"],
        /// Seconds of the shortest registration.
        min_registration_s: Within<10, 3600> = 60,
        /// Seconds of the longest registration; who asks for more gets this.
        max_registration_s: Within<10, 86_400> = 3600,
        /// Seconds that a call may last without either side confirming it
        /// (`Session-Expires`). Asked of all far ends; those that do not know
        /// session timers are not bound by it.
        session_expires_s: Within<1, 86_400> = 1800,
        /// The least that a far end may ask for instead (`Min-SE`).
        min_session_expires_s: Within<1, 86_400> = 90,
        /// Address told to callers, for their audio and for signalling, when that is
        /// not the address listened on (network address translation, containers).
        public_address: Option<IpAddr> = "203.0.113.7",
        /// Name server that is asked where the names of trunks and SIP addresses lead; those
        /// of this machine when left out.
        name_server: Option<SocketAddr> = "127.0.0.1:53",
    }

    /// Audio.
    media: Media {
        /// Address of the audio sockets; that of the first SIP listener when
        /// left out.
        listen: Option<IpAddr> = "127.0.0.1",
        /// UDP ports for audio. Each call takes an even one.
        ports: PortRange = "20000-29999",
        /// Threads that mix; one for each processor core when left out.
        workers: Option<Within<1, 256>> = 2,
        /// Seconds without audio after which a call is taken for dead.
        timeout_s: Within<1, 86_400> = 60,
        /// Formats spoken, and offered in this order. Of a caller's offer its
        /// first of these is taken.
        formats: Vec<Format> = ["opus", "G722", "PCMU", "PCMA"],
        /// Bits per second that Opus is given, unless a far end asks for less.
        /// Speech gains little above 32000 and suffers below 20000.
        opus_bitrate_bps: Within<6_000, 128_000> = 32000,
        /// Processor time that Opus is given for quality. From 1 to 10 the cost
        /// of each listener who talks triples.
        opus_complexity: Within<0, 10> = 1,
        /// Highest rate of the audio that Opus carries: 16000 for wide-band
        /// speech, 48000 for music, too, at twice the cost.
        opus_rate_hz: OpusRate = 16000,
        /// Whether Opus sends nothing while a far end hears nothing, where that
        /// far end wants it (`usedtx`), and asks far ends to do the same.
        opus_dtx: bool = false,
        /// Whether audio is encrypted (SRTP): `optional` does so with whoever can,
        /// `required` has no audio with whoever cannot.
        srtp: SrtpPolicy = "optional",
        /// The same for endpoints, when it is otherwise with them.
        srtp_endpoints: Option<SrtpPolicy> = "required",
        /// How calls that we place propose its keys: in their offer (`sdes`), or by a
        /// handshake (`dtls`). Callers choose themselves.
        srtp_keys: SrtpKeying = "sdes",
        /// File for a log of all audio that conferences are given and send, which
        /// `mixminus replay` plays again. It holds what people say, and has all
        /// conferences mixed by one thread: for the search for a fault only.
        replay_log: Option<PathBuf> = "./replay.log",
        /// Size at which that log ends.
        replay_log_max_mib: Within<1, 1_048_576> = 256,
    }

    /// What speaks the texts of `<Speak>` and of the API, and what recognises what
    /// callers say.
    speech: Speech {
        /// `flite` is inside and speaks American English with one voice; `command`
        /// starts a program for each sentence; `http` asks a service.
        engine: SpeechEngine = "flite",
        /// The program and its arguments. It reads a sentence from standard input
        /// and writes a WAV file to standard output. `{voice}`, `{language}` (such
        /// as `en-US`), `{gender}` (`male` or `female`), `{rate}` and `{pitch}` (what
        /// SSML asks for, in percent, usually `100`) are replaced. No shell is
        /// involved, and no argument may hold a comma.
        command: Option<Vec<String>> = ["espeak-ng", "--stdin", "--stdout", "-v", "{language}"],
        /// The service. It is sent a sentence as text/plain in a POST request and
        /// answers with a WAV or MP3 file. The same words are replaced in the
        /// values of the query.
        url: Option<HttpUrl> = "http://127.0.0.1:5002/speak?voice={voice}&language={language}",
        /// The engine's voices, each after the language and the voice that documents
        /// ask for, with `*` for any. The first that fits speaks; where none does, in
        /// documents one that comes close or the first of all. When left out, the
        /// engine is taken to speak all of Plivo's languages as `WOMAN` and as `MAN`.
        /// Not for `flite`.
        voices: Option<Vec<InstalledVoice>> = ["en-US/WOMAN=en-us+f3", "en-US/Polly.Matthew=en-us", "de-DE/*=de"],
        /// Seconds that the program or the service may take for a sentence.
        timeout_s: Within<1, 60> = 10,
        /// Sentences that it is given at once; others wait.
        max_concurrent: Within<1, 64> = 2,
        /// The program and its arguments that recognise what a caller says, for
        /// `<GetInput>`; docs/speech.md says how. `{language}` (such as `en-US`) and
        /// `{model}` (`default`, `command_and_search` or `phone_call`) are replaced. No
        /// shell is involved, and no argument may hold a comma. Without it, documents
        /// that ask for speech alone are refused.
        recogniser: Option<Vec<String>> = ["python3", "/opt/recognise.py", "{language}"],
        /// Seconds that it may take for the rest when the caller has said all.
        recogniser_timeout_s: Within<1, 30> = 5,
        /// Callers it listens to at once, a process for each; others are not understood.
        max_recognisers: Within<1, 1000> = 8,
        /// The program and its arguments that transcribe recordings; docs/speech.md says
        /// how. `{format}` (`mp3`, `wav`, `ogg` or `flac`) and `{channels}` (1 or 2)
        /// are replaced. No shell is involved, and no argument may hold a comma. Without
        /// it, requests for transcripts are refused.
        transcriber: Option<Vec<String>> = ["sh", "/opt/transcribe.sh", "{format}"],
        /// Seconds that it may take for a recording.
        transcriber_timeout_s: Within<1, 86_400> = 3600,
        /// Recordings it is given at once, a process for each; others wait.
        max_transcribers: Within<1, 64> = 1,
    }

    /// Who sends the text messages of `<Message>`. Without a service they fail.
    messages: Messages {
        /// The service. It is sent `from`, `to`, `text`, `type`, `account`,
        /// `message` (an id, the same when it is sent again), `callback_url` and
        /// `callback_method` as a form in a POST request. What is not
        /// acknowledged is sent again as callbacks are, but not after 4xx.
        url: Option<HttpUrl> = "http://127.0.0.1:5003/send",
        /// Sent to it as `Authorization: Bearer`.
        secret: Option<Password> = "what-the-service-gave",
    }

    /// The account that calls and conferences belong to. What is left out is
    /// generated at the first start and kept in `account.toml` in `data_dir`.
    account: Account {
        /// User name of the API.
        auth_id: Option<AuthId> = "MAEXAMPLE00000000000",
        /// Password of the API and signing key of callbacks.
        auth_token: Option<AuthToken> = "forty-characters-that-nobody-else-knows!",
    }

    /// What answers a call.
    application: Application {
        /// Where the document that says what to do with a call is fetched.
        /// Without it, a call to `<name>@host` joins the conference `<name>` as
        /// agent, to `<name>.customer` as customer, to `<name>.supervisor` as
        /// coaching supervisor.
        answer_url: Option<HttpUrl> = "https://app.example.com/answer",
        /// How it is requested.
        answer_method: Method = "POST",
        /// Where it is fetched when that fails.
        fallback_url: Option<HttpUrl> = "https://spare.example.com/answer",
        /// How that is requested.
        fallback_method: Method = "POST",
        /// Where the end of a call is told.
        hangup_url: Option<HttpUrl> = "https://app.example.com/hangup",
        /// How that is requested.
        hangup_method: Method = "POST",
    }

    /// What is recorded, and where recordings are kept.
    recordings: Recordings {
        /// Where they are written, and stay when they are kept locally;
        /// `recordings` in `data_dir` when left out.
        directory: Option<PathBuf> = "./mixminus-data/recordings",
        /// Samples a second.
        sample_rate_hz: RecordingRate = 16000,
        /// Whether each participant is kept in a file of its own beside the whole.
        keep_tracks: bool = false,
        /// Whether WAV files of whole conferences have a channel for each participant instead of their mix.
        multichannel_wav: bool = false,
        /// Seconds of audio that wait for a slow disk before it has a gap.
        max_buffer_s: Within<1, 600> = 30,
        /// `local` leaves them in the directory; `s3` brings them to a bucket once they are
        /// over, and takes them from the directory when they are there.
        store: RecordingStore = "local",
        /// The bucket.
        s3_bucket: Option<Name> = "calls",
        /// Its region.
        s3_region: Name = "us-east-1",
        /// URL of the service, when it is not Amazon's.
        s3_endpoint: Option<HttpUrl> = "https://minio.example.com",
        /// Whether the bucket stands in the path instead of the host name.
        s3_path_style: bool = false,
        /// Whether the endpoint may be http://.
        s3_allow_http: bool = false,
        /// Who may use the bucket; the role of the machine at Amazon when left out.
        s3_access_key_id: Option<Name> = "AKIAEXAMPLE",
        /// The secret that belongs to it.
        s3_secret_access_key: Option<Password> = "what-the-bucket-takes",
        /// What they are encrypted with where they are kept: AES-256, in 64 hexadecimal digits such
        /// as `openssl rand -hex 32` gives. Those made before can be read with it or without, but
        /// nothing reads what was made with another one.
        encryption_key: Option<EncryptionKey> = "0000000000000000000000000000000000000000000000000000000000000000",
        /// A file with that key, read when it is not set here.
        encryption_key_file: Option<PathBuf> = "/run/secrets/recordings",
        /// Days after its end at which a recording is deleted. Without it they are kept for good.
        retention_days: Option<Within<1, 36_500>> = 90,
        /// Mebibytes of all recordings together, beyond which the oldest are deleted, be they
        /// uploaded or not.
        max_total_mib: Option<Within<1, 4_294_967_295>> = 102400,
        /// Seconds for which the URLs of recordings that replies and callbacks tell are good
        /// without credentials, by a signature. Without it all of them take credentials.
        sign_urls_for_s: Option<Within<1, 31_536_000>> = 3600,
    }

    /// What this service requests: documents, audio files, callbacks.
    urls: Urls {
        /// Whether they may point at loopback and private networks. When left
        /// out: true while every listener is on loopback, otherwise false.
        allow_private: Option<bool> = false,
    }

    /// Callbacks, and what becomes of those that are not acknowledged.
    callbacks: Callbacks {
        /// Seconds for which one is sent again and again before it is given up.
        /// Those after it to the same URL about the same conference wait.
        retry_s: Within<1, 2_592_000> = 86400,
        /// Seconds for which acknowledged ones can still be read.
        keep_delivered_s: Within<0, 31_536_000> = 86400,
        /// Seconds for which those given up can still be read and sent again.
        keep_dead_s: Within<0, 31_536_000> = 2592000,
    }

    /// How much is carried; what goes beyond is refused.
    limits: Limits {
        /// Participants of one conference.
        max_participants: Within<2, 10_000> = 10,
        /// Live conferences.
        max_conferences: Within<1, 100_000> = 1000,
        /// Live calls.
        max_calls: Within<1, 100_000> = 1000,
        /// Calls taken in a second; more are asked to come back later.
        max_arrivals_per_s: Within<1, 10_000> = 500,
        /// Calls that an account places in a second; more of them wait.
        max_dials_per_s: Within<1, 1000> = 10,
        /// Live calls that an account may have placed; one more fails.
        max_placed_calls: Within<1, 100_000> = 1000,
        /// Share of its time, in per cent, that an audio thread may be busy
        /// before new calls are refused. The rest is for what those inside do
        /// next: begin to talk, all at once.
        max_load_percent: Within<1, 100> = 70,
        /// API requests of one account or subaccount in any five seconds.
        requests_per_5s: Within<1, 1_000_000> = 300,
        /// Wrong passwords that one address may send in a minute before it is
        /// not listened to for the rest of it. Behind a proxy that is all
        /// clients' address.
        wrong_passwords_per_min: Within<1, 1_000_000> = 20,
        /// Subaccounts.
        max_subaccounts: Within<0, 100_000> = 1000,
        /// Seconds that a drain may take before the process exits anyway.
        drain_s: Within<1, 3600> = 10,
    }

    each

    /// A carrier that takes calls to numbers. There may be several such tables, each with a
    /// label of its own; without any, calls to numbers fail.
    trunks: Trunk = "carrier" {
        /// Where it is: `host` or `host:port`, with `;transport=tcp` for TCP or `;transport=tls`
        /// for TLS. Without a port, the services of its domain are looked up (NAPTR and SRV).
        host: Option<TrunkHost> = "sip.carrier.example",
        /// What it knows this service by, if it asks.
        username: Option<Name> = "mixminus",
        /// Its password.
        password: Option<Password> = "what-the-carrier-gave",
        /// What the numbers that it takes begin with; all when left out. The trunks with the
        /// longest beginning that fits are tried first.
        prefixes: Option<Vec<NumberPrefix>> = ["+1", "+49"],
        /// Among those, the lowest is tried first. The next is tried when one does not answer
        /// or is out of service.
        order: Within<0, 1000> = 100,
        /// Networks that its calls come from, besides those of `sip.allow`.
        networks: Option<Vec<Cidr>> = ["203.0.113.0/24"],
        /// Whether audio with it is encrypted, when that is not as `media.srtp` says. A call is
        /// tried at trunks of one kind only; calls from its `networks` are of the same.
        srtp: Option<SrtpPolicy> = "required",
    }
}

impl Config {
    /// Reads `file`, if there is one, and the variables of the environment.
    ///
    /// # Errors
    ///
    /// What is wrong: which key, which value, what would be accepted.
    pub fn load(
        file: Option<&std::path::Path>,
        environment: impl IntoIterator<Item = (std::ffi::OsString, std::ffi::OsString)>,
    ) -> Result<Self, ConfigError> {
        let mut layers = source::Layers::default();
        if let Some(path) = file {
            layers.add_file(path)?;
        }
        layers.add_environment(environment)?;
        let config = Self::read(&layers)?;
        config.speech.check()?;
        config.recordings.check()?;
        for (label, trunk) in &config.trunks {
            trunk.check(label)?;
        }
        Ok(config)
    }

    /// Whether only this machine can reach the service.
    pub fn is_local(&self) -> bool {
        let http = [Some(self.http.listen), self.http.tls_listen];
        http.iter().flatten().all(|address| address.ip().is_loopback())
            && self.sip.listen.iter().all(|l| l.address.ip().is_loopback())
    }

    /// Whether requested URLs may point at loopback and private networks.
    pub fn allows_private_urls(&self) -> bool {
        self.urls.allow_private.unwrap_or_else(|| self.is_local())
    }

    /// Address of the audio sockets.
    pub fn media_address(&self) -> IpAddr {
        self.media.listen.unwrap_or_else(|| self.sip.listen[0].address.ip())
    }

    /// The formats spoken, each once.
    pub fn formats(&self) -> Vec<Format> {
        let mut formats = Vec::new();
        for format in &self.media.formats {
            let format = match format {
                Format::Opus(_) => Format::Opus(self.media.opus_rate_hz.0),
                other => *other,
            };
            if !formats.contains(&format) {
                formats.push(format);
            }
        }
        formats
    }

    /// What Opus may spend.
    pub fn opus(&self) -> OpusSettings {
        OpusSettings {
            bitrate_bps: self.media.opus_bitrate_bps.get(),
            complexity: self.media.opus_complexity.get() as u8,
            dtx: self.media.opus_dtx,
        }
    }

    /// Base of the URLs that clients are told, without a slash at the end.
    pub fn public_url(&self) -> String {
        match &self.http.public_url {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None => format!("http://{}", self.http.listen),
        }
    }
}

impl Trunk {
    /// Whether it is known where it is.
    fn check(&self, label: &str) -> Result<(), ConfigError> {
        let needed =
            || ConfigError::needed(&format!("trunks.{label}.host"), "the trunk", TrunkHost::accepts());
        self.host.as_ref().map(drop).ok_or_else(needed)
    }
}

impl Speech {
    /// Whether there is what the engine needs.
    fn check(&self) -> Result<(), ConfigError> {
        let needed = |key, accepted| Err(ConfigError::needed(key, "speech.engine", accepted));
        match self.engine {
            SpeechEngine::Command if self.command.is_none() => {
                needed("speech.command", <Vec<String> as Setting>::accepts())
            }
            SpeechEngine::Http if self.url.is_none() => needed("speech.url", HttpUrl::accepts()),
            _ => Ok(()),
        }
    }
}

impl Recordings {
    /// Whether there is what the store needs.
    fn check(&self) -> Result<(), ConfigError> {
        let needed = |key, by, accepted| Err(ConfigError::needed(key, by, accepted));
        if self.store == RecordingStore::S3 && self.s3_bucket.is_none() {
            return needed("recordings.s3_bucket", "recordings.store", Name::accepts());
        }
        match (&self.s3_access_key_id, &self.s3_secret_access_key) {
            (Some(_), None) => {
                needed("recordings.s3_secret_access_key", "recordings.s3_access_key_id", Password::accepts())
            }
            (None, Some(_)) => {
                needed("recordings.s3_access_key_id", "recordings.s3_secret_access_key", Name::accepts())
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
