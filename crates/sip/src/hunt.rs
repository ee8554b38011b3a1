//! One call at several places, one after the other: the first that takes it has it.

use std::collections::VecDeque;

use rsipstack::transaction::make_tag;
use tracing::debug;

use crate::between::Between;
use crate::call::{CallEnd, CallEvent, OutgoingCall};
use crate::dialler::{Dialler, Placed};
use crate::fork::rank;
use crate::place::OutgoingCallRequest;
use crate::resolve::Way;

/// A call that is tried at one place after the other.
pub(crate) struct Hunt {
    dialler: Dialler,
    /// Where it may still be tried; by a way, once that is known.
    places: VecDeque<(OutgoingCallRequest, Option<Way>)>,
    between: Between,
}

/// What came of one try.
enum Try {
    /// The call is over, or nobody wants it any more.
    Over,
    /// It could not be placed there.
    Failed(CallEnd),
}

impl Hunt {
    /// Makes one call of `requests`, and the task that does so.
    pub(crate) fn new(dialler: Dialler, requests: Vec<OutgoingCallRequest>) -> (OutgoingCall, Self) {
        let (call, between) = Between::new(&make_tag(), dialler.agent.hang_up.child_token());
        (
            call,
            Self { dialler, places: requests.into_iter().map(|request| (request, None)).collect(), between },
        )
    }

    /// Tries all ways to all places, and stands between whoever takes the call and the application.
    pub(crate) async fn run(mut self) {
        let mut failure = CallEnd::failed(503);
        while let Some((request, way)) = self.places.pop_front() {
            let Some(way) = way else {
                let ways = tokio::select! {
                    () = self.between.given_up() => return self.between.end(CallEnd::Canceled).await,
                    ways = self.dialler.ways(&request) => ways.unwrap_or_default(),
                };
                self.found(&request, ways);
                continue;
            };
            match self.attempt(request, way).await {
                Try::Over => return,
                Try::Failed(end) => {
                    debug!(?end, address = %way.address, "not placed there");
                    if rank(&end) <= rank(&failure) {
                        failure = end;
                    }
                }
            }
        }
        self.between.end(failure).await;
    }

    /// Has `ways` tried next, but for those that led nowhere of late, which come after everything else.
    fn found(&mut self, request: &OutgoingCallRequest, ways: Vec<Way>) {
        let (avoided, fresh): (Vec<_>, Vec<_>) =
            ways.into_iter().partition(|way| self.dialler.reach.avoids(*way));
        for way in fresh.into_iter().rev() {
            self.places.push_front((request.clone(), Some(way)));
        }
        self.places.extend(avoided.into_iter().map(|way| (request.clone(), Some(way))));
    }

    async fn attempt(&mut self, request: OutgoingCallRequest, way: Way) -> Try {
        let Ok(Placed { mut call, heard }) = self.dialler.call(request, Some(way)) else {
            return Try::Failed(CallEnd::failed(503));
        };
        self.between.show(&call);
        let silence = tokio::time::sleep(self.dialler.patience);
        tokio::pin!(silence);
        let (mut told, last) = (false, self.places.is_empty());
        loop {
            let event = tokio::select! {
                biased;
                // Whoever is dropped is hung up.
                () = self.between.given_up() => {
                    self.between.end(CallEnd::Canceled).await;
                    return Try::Over;
                }
                event = call.events.recv() => event,
                () = &mut silence, if !last && !heard.is_cancelled() => {
                    self.dialler.reach.avoid(way);
                    return Try::Failed(CallEnd::failed(408));
                }
            };
            match event {
                Some(CallEvent::Ended(end)) if !told && is_of_the_place(&end, heard.is_cancelled()) => {
                    self.dialler.reach.avoid(way);
                    return Try::Failed(end);
                }
                Some(CallEvent::Ended(end)) => {
                    self.between.end(end).await;
                    return Try::Over;
                }
                Some(event) => {
                    told = true;
                    let answered = matches!(event, CallEvent::Answered { .. });
                    if !self.between.tell(event).await {
                        return Try::Over;
                    }
                    if answered {
                        self.between.follow(call).await;
                        return Try::Over;
                    }
                }
                None => return Try::Failed(CallEnd::failed(503)),
            }
        }
    }
}

/// Whether a failure says something of the place and nothing of the callee.
const fn is_of_the_place(end: &CallEnd, heard: bool) -> bool {
    match end {
        CallEnd::Failed { status: 500 | 502 | 503 | 504, .. } => true,
        CallEnd::Failed { status: 408, .. } => !heard,
        _ => false,
    }
}
