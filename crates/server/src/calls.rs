//! `mixminus calls`: what a running service does, asked by its own API.

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mixminus_control::HttpMethod;
use serde::Deserialize;

use crate::account::{self, AccountError};
use crate::config::{Config, HttpUrl};
use crate::web::{Destinations, Limits, WebClient, WebError, WebRequest};

/// What one answer of the API may cost.
const LIMITS: Limits = Limits { timeout: Duration::from_secs(10), body_bytes: Some(16 << 20), redirects: 0 };
/// Calls listed at most, which come by twenty: more requests could be refused as too many.
const MAX_LISTED: usize = 1000;
/// What is shown where there is nothing to show.
const NONE: &str = "-";

/// Why nothing is shown.
#[derive(Debug, thiserror::Error)]
pub enum CallsError {
    /// It is not known whom to ask as.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// There is no client for it.
    #[error(transparent)]
    Client(#[from] reqwest::Error),
    /// There is no such call, or it ended too long ago.
    #[error("{base}: no trace of call {uuid}: it is another account's, or ended too long ago")]
    NoTrace {
        /// Where was asked.
        base: String,
        /// The call.
        uuid: String,
    },
    /// The service does not answer as it should.
    #[error("{base}: {source}")]
    Api {
        /// Where was asked.
        base: String,
        /// Why not.
        source: WebError,
    },
    /// What answers is not this service, or not of this version.
    #[error("{base}: this is no list of calls: {source}")]
    Answer {
        /// Where was asked.
        base: String,
        /// Why not.
        source: serde_json::Error,
    },
}

#[derive(Deserialize)]
struct Listed {
    meta: Meta,
    objects: Vec<Call>,
}

#[derive(Deserialize)]
struct Meta {
    total_count: usize,
}

#[derive(Deserialize)]
struct Call {
    #[serde(rename = "call_uuid")]
    uuid: String,
    from: String,
    to: String,
    #[serde(rename = "call_status")]
    status: String,
    duration_s: Option<u64>,
    mpc_name: Option<String>,
}

/// The live calls of the service that has this configuration, or listens at `url`, as a table; or the
/// ladder of one call.
///
/// # Errors
///
/// [`CallsError`] if the service cannot be asked or has no such call.
pub async fn ask(config: &Config, url: Option<HttpUrl>, uuid: Option<&str>) -> Result<String, CallsError> {
    let api = Api::new(config, url)?;
    let Some(uuid) = uuid else { return api.list().await };
    let params = [("format".to_owned(), "text".to_owned())];
    match api.get(&format!("Call/{uuid}/Trace/"), &params).await {
        Err(CallsError::Api { base, source: WebError::Status { status: 404, .. } }) => {
            Err(CallsError::NoTrace { base, uuid: uuid.to_owned() })
        }
        answer => Ok(String::from_utf8_lossy(&answer?).into_owned()),
    }
}

struct Api {
    web: WebClient,
    base: String,
    account: String,
    authorization: String,
}

impl Api {
    fn new(config: &Config, url: Option<HttpUrl>) -> Result<Self, CallsError> {
        let account = account::known(&config.account, &config.data_dir)?;
        let mut address = config.http.listen;
        if address.ip().is_unspecified() {
            address.set_ip(match address.ip() {
                IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            });
        }
        let base =
            url.map_or_else(|| format!("http://{address}"), |url| url.as_str().trim_end_matches('/').into());
        let credentials = STANDARD.encode(format!("{}:{}", account.id, account.token.expose()));
        Ok(Self {
            web: WebClient::new(Destinations::Any)?,
            base,
            account: account.id.to_string(),
            authorization: format!("Basic {credentials}"),
        })
    }

    async fn list(&self) -> Result<String, CallsError> {
        let (mut calls, mut count) = (Vec::new(), 1);
        while calls.len() < count.min(MAX_LISTED) {
            let offset = calls.len().to_string();
            let params = [("status", "live"), ("details", "true"), ("offset", &offset)];
            let params = params.map(|(name, value)| (name.to_owned(), value.to_owned()));
            let answer = self.get("Call/", &params).await?;
            let listed: Listed = serde_json::from_slice(&answer)
                .map_err(|source| CallsError::Answer { base: self.base.clone(), source })?;
            if listed.objects.is_empty() {
                count = calls.len();
                break;
            }
            count = listed.meta.total_count;
            calls.extend(listed.objects);
        }
        Ok(table(&calls, count))
    }

    async fn get(&self, path: &str, params: &[(String, String)]) -> Result<bytes::Bytes, CallsError> {
        let url = format!("{}/v1/Account/{}/{path}", self.base, self.account);
        let headers = [("authorization", self.authorization.clone())];
        let request =
            WebRequest { method: HttpMethod::Get, url: &url, params, headers: &headers, limits: LIMITS };
        let answer = self.web.send(&request).await;
        let answer = answer.map_err(|source| CallsError::Api { base: self.base.clone(), source })?;
        Ok(answer.body)
    }
}

/// A line for each call under a line of titles, and how many there are.
fn table(calls: &[Call], count: usize) -> String {
    let titles = ["UUID", "FROM", "TO", "STATE", "DURATION", "CONFERENCE"].map(str::to_owned);
    let row = |call: &Call| {
        let conference = call.mpc_name.clone().unwrap_or_else(|| NONE.into());
        let duration = call.duration_s.map_or_else(|| NONE.into(), duration);
        [&call.uuid, &call.from, &call.to, &call.status, &duration, &conference].map(|cell| printable(cell))
    };
    let rows: Vec<_> = std::iter::once(titles).chain(calls.iter().map(row)).collect();
    let widths: [usize; 6] = std::array::from_fn(|column| {
        rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default()
    });
    let mut text = String::new();
    for row in &rows {
        let cells: Vec<_> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        writeln!(text, "{}", cells.join("  ").trim_end()).expect("a String takes everything");
    }
    let more = if calls.len() < count {
        format!(", the newest {} of them listed", calls.len())
    } else {
        String::new()
    };
    writeln!(text, "live calls: {count}{more}").expect("a String takes everything");
    text
}

fn duration(seconds: u64) -> String {
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// What a far end calls itself must not steer the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_a_table() {
        let call = |uuid: &str, from: &str, duration_s, mpc_name: Option<&str>| Call {
            uuid: uuid.into(),
            from: from.into(),
            to: "sip:sales@h".into(),
            status: "in-progress".into(),
            duration_s,
            mpc_name: mpc_name.map(str::to_owned),
        };
        let calls = [call("1", "sip:ann@h", Some(3725), Some("sales")), call("22", "\u{1b}[2J", None, None)];
        let expected = "\
UUID  FROM       TO           STATE        DURATION  CONFERENCE
1     sip:ann@h  sip:sales@h  in-progress  1:02:05   sales
22    ?[2J       sip:sales@h  in-progress  -         -
live calls: 2
";
        assert_eq!(table(&calls, 2), expected);
        assert!(table(&calls, 30).ends_with("live calls: 30, the newest 2 of them listed\n"));
    }
}
