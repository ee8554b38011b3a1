//! The messages that are kept, and which go when there are too many.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{CallKey, CallTrace, TracedMessage};

/// What a message takes besides its text.
const OVERHEAD_BYTES: usize = 256;

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// All messages.
    pub bytes: usize,
    /// Calls after their end.
    pub ended: usize,
    /// How long those are.
    pub keep_ended: Duration,
    /// INVITEs without a call.
    pub unopened: usize,
    /// Messages of one call.
    pub messages: usize,
    /// How many of them are its first.
    pub first: usize,
    /// Bytes of one message; the rest is cut off.
    pub message_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: usize::MAX,
            ended: usize::MAX,
            keep_ended: Duration::MAX,
            unopened: usize::MAX,
            messages: 100,
            first: 30,
            message_bytes: 8 << 10,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Unopened,
    Live,
    Ended(Instant),
}

struct Call {
    stage: Stage,
    name: Option<Arc<str>>,
    messages: Vec<TracedMessage>,
    bytes: usize,
    left_out: u64,
}

/// Calls and their messages. Those that can go stand in line, the oldest first; a call that left its line
/// by another way stays there until its turn, and nothing happens then.
pub(super) struct Kept {
    limits: Limits,
    calls: HashMap<CallKey, Call>,
    unopened: VecDeque<CallKey>,
    ended: VecDeque<(CallKey, Instant)>,
    bytes: usize,
}

impl Kept {
    pub(super) fn new(limits: Limits) -> Self {
        let (unopened, ended) = (VecDeque::new(), VecDeque::new());
        Self { limits, calls: HashMap::new(), unopened, ended, bytes: 0 }
    }

    /// What all messages take.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn knows(&self, key: CallKey) -> bool {
        self.calls.contains_key(&key)
    }

    /// An INVITE comes that may make a call.
    pub(super) fn begin(&mut self, key: CallKey, now: Instant) {
        self.forget_old(now);
        if self.knows(key) {
            return;
        }
        if self.unopened.len() >= self.limits.unopened {
            self.forget_unopened();
        }
        self.unopened.push_back(key);
        self.enter(key, Stage::Unopened);
    }

    /// There is a call.
    pub(super) fn open(&mut self, key: CallKey) {
        self.enter(key, Stage::Live);
    }

    fn enter(&mut self, key: CallKey, stage: Stage) {
        let call = Call { stage, name: None, messages: Vec::new(), bytes: 0, left_out: 0 };
        self.calls.entry(key).or_insert(call).stage = stage;
    }

    pub(super) fn name(&mut self, key: CallKey, name: &str) {
        if let Some(call) = self.calls.get_mut(&key) {
            call.name = Some(name.into());
        }
    }

    /// The call is over.
    pub(super) fn end(&mut self, key: CallKey, now: Instant) {
        self.forget_old(now);
        let Some(call) = self.calls.get_mut(&key) else { return };
        call.stage = Stage::Ended(now);
        if self.ended.len() >= self.limits.ended {
            self.forget_ended();
        }
        self.ended.push_back((key, now));
    }

    /// Adds a message to a call that is known. Whether it passed before.
    pub(super) fn push(&mut self, key: CallKey, mut message: TracedMessage) -> bool {
        cut(&mut message.text, self.limits.message_bytes);
        let Some(call) = self.calls.get_mut(&key) else { return false };
        let again = call.messages.iter_mut().rev().find(|known| is_same(known, &message));
        if let Some(known) = again {
            known.retransmissions = known.retransmissions.saturating_add(1);
            return true;
        }
        let size = message.text.len() + OVERHEAD_BYTES;
        call.messages.push(message);
        let mut gone = 0;
        if call.messages.len() > self.limits.messages {
            gone = call.messages.remove(self.limits.first).text.len() + OVERHEAD_BYTES;
            call.left_out += 1;
        }
        call.bytes = call.bytes + size - gone;
        self.bytes = self.bytes + size - gone;
        self.make_room(key);
        false
    }

    /// Forgets what may be forgotten until there is room again, or else the newest message of `key`.
    fn make_room(&mut self, key: CallKey) {
        while self.bytes > self.limits.bytes {
            if self.forget_unopened() || self.forget_ended() {
                continue;
            }
            let Some(call) = self.calls.get_mut(&key) else { break };
            let Some(message) = call.messages.pop() else { break };
            let size = message.text.len() + OVERHEAD_BYTES;
            call.left_out += 1;
            call.bytes -= size;
            self.bytes -= size;
        }
    }

    /// What is kept of all calls of this name.
    pub(super) fn of(&mut self, name: &str, now: Instant) -> Option<CallTrace> {
        self.forget_old(now);
        let named = self.calls.values().filter(|call| call.name.as_deref() == Some(name));
        let mut trace = named.fold(None, |all: Option<CallTrace>, call| {
            let mut all = all.unwrap_or_default();
            all.messages.extend(call.messages.iter().cloned());
            all.left_out += call.left_out;
            Some(all)
        })?;
        trace.messages.sort_by_key(|message| message.at);
        Some(trace)
    }

    fn forget_old(&mut self, now: Instant) {
        while let Some((_, at)) = self.ended.front()
            && now.saturating_duration_since(*at) >= self.limits.keep_ended
        {
            self.forget_ended();
        }
    }

    /// Lets the first in line go; false if there is none.
    fn forget_unopened(&mut self) -> bool {
        let first = self.unopened.pop_front();
        first.inspect(|key| self.forget(*key, Stage::Unopened)).is_some()
    }

    fn forget_ended(&mut self) -> bool {
        let first = self.ended.pop_front();
        first.inspect(|(key, at)| self.forget(*key, Stage::Ended(*at))).is_some()
    }

    fn forget(&mut self, key: CallKey, stage: Stage) {
        if self.calls.get(&key).is_some_and(|call| call.stage == stage)
            && let Some(call) = self.calls.remove(&key)
        {
            self.bytes -= call.bytes;
        }
    }
}

fn is_same(one: &TracedMessage, other: &TracedMessage) -> bool {
    one.way == other.way && one.text == other.text && one.peer == other.peer
}

fn cut(text: &mut String, bytes: usize) {
    if text.len() > bytes {
        text.truncate(text.floor_char_boundary(bytes));
        text.push('…');
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Way, now};
    use super::*;

    const SMALL: Limits = Limits {
        bytes: 4000,
        ended: 2,
        keep_ended: Duration::from_mins(10),
        unopened: 3,
        messages: 5,
        first: 2,
        message_bytes: 1000,
    };

    fn message(text: &str) -> TracedMessage {
        TracedMessage {
            at: now(),
            way: Way::Sent,
            transport: "udp".into(),
            peer: "192.0.2.1:5060".into(),
            retransmissions: 0,
            text: text.into(),
        }
    }

    /// A live call of each name, each with one message of so many bytes.
    fn with_calls(names: &[&str], message_bytes: usize) -> Kept {
        let mut kept = Kept::new(SMALL);
        for (number, name) in names.iter().enumerate() {
            let key = CallKey(number as u64);
            kept.open(key);
            kept.name(key, name);
            kept.push(key, message(&"m".repeat(message_bytes)));
        }
        kept
    }

    fn texts(kept: &mut Kept, name: &str) -> Vec<String> {
        let trace = kept.of(name, now()).unwrap_or_default();
        trace.messages.into_iter().map(|message| message.text).collect()
    }

    #[test]
    fn a_message_that_passes_again_is_counted_and_not_kept_twice() {
        let mut kept = with_calls(&["a"], 1);
        assert!(kept.push(CallKey(0), message("m")) && kept.push(CallKey(0), message("m")));
        assert!(!kept.push(CallKey(0), TracedMessage { way: Way::Received, ..message("m") }));
        let trace = kept.of("a", now()).unwrap();
        assert_eq!(trace.messages.iter().map(|m| m.retransmissions).collect::<Vec<_>>(), [2, 0]);
        assert_eq!(kept.bytes(), 2 * (OVERHEAD_BYTES + 1));
    }

    #[test]
    fn a_call_keeps_its_first_messages_and_its_newest() {
        let mut kept = with_calls(&["a"], 1);
        for text in ["2", "3", "4", "5", "6", "7"] {
            kept.push(CallKey(0), message(text));
        }
        assert_eq!(texts(&mut kept, "a"), ["m", "2", "5", "6", "7"]);
        assert_eq!(kept.of("a", now()).unwrap().left_out, 2);
        assert_eq!(kept.bytes(), 5 * (OVERHEAD_BYTES + 1));
    }

    #[test]
    fn a_message_is_cut_at_a_character() {
        let mut kept = with_calls(&["a"], 999);
        kept.push(CallKey(0), message(&"é".repeat(600)));
        assert_eq!(texts(&mut kept, "a")[1], format!("{}…", "é".repeat(500)));
    }

    #[test]
    fn calls_that_ended_go_by_number_and_by_age() {
        let mut kept = with_calls(&["a", "b", "c"], 1);
        let start = now();
        for (key, seconds) in [(0, 0), (1, 0), (2, 60)] {
            kept.end(CallKey(key), start + Duration::from_secs(seconds));
        }
        assert_eq!(kept.of("a", start), None, "two ended later");
        assert!(kept.of("b", start + Duration::from_secs(599)).is_some());
        assert_eq!(kept.of("b", start + Duration::from_mins(10)), None);
        assert!(kept.of("c", start + Duration::from_mins(10)).is_some());
        assert_eq!(kept.of("c", start + Duration::from_mins(11)), None);
        assert_eq!((kept.bytes(), kept.calls.len()), (0, 0));
    }

    #[test]
    fn invites_that_make_no_call_push_out_their_like_only() {
        let mut kept = with_calls(&["a"], 1);
        let invites = 10..20;
        for key in invites.clone().map(CallKey) {
            kept.begin(key, now());
            kept.push(key, message("INVITE"));
        }
        let known: Vec<_> = invites.filter(|key| kept.knows(CallKey(*key))).collect();
        assert_eq!(known, [17, 18, 19]);
        kept.open(CallKey(17));
        kept.begin(CallKey(20), now());
        assert!(kept.knows(CallKey(17)) && kept.knows(CallKey(0)), "calls stay");
        assert_eq!(kept.calls.len(), 5);
    }

    #[test]
    fn a_full_trace_forgets_what_ended_and_then_takes_no_more() {
        let mut kept = with_calls(&["a", "b", "c"], 900);
        kept.end(CallKey(1), now());
        kept.push(CallKey(2), message(&"n".repeat(900)));
        assert!(kept.of("b", now()).is_none() && kept.bytes() < SMALL.bytes);
        kept.push(CallKey(2), message(&"o".repeat(900)));
        assert_eq!(kept.of("c", now()).map(|trace| (trace.messages.len(), trace.left_out)), Some((2, 1)));
        assert_eq!(texts(&mut kept, "a").len(), 1);
        assert_eq!(kept.bytes(), 3 * (OVERHEAD_BYTES + 900));
    }

    #[test]
    fn calls_of_one_name_are_shown_together_in_order() {
        let mut kept = with_calls(&["a", "b", "a"], 1);
        kept.push(CallKey(0), message("later"));
        assert_eq!(texts(&mut kept, "a"), ["m", "m", "later"]);
    }
}
