//! What an application answers to be heard, and what was answered lately.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use mixminus_control::{Action, PromptContent, Repeat};
use tokio::time::Instant;

/// Elements of one document that are heard; those after them are not.
pub const MAX_SOUNDS: usize = 20;
/// How long an answer is taken for what would be answered again. Longer, and who changes a sound hears the old one;
/// shorter, and a busy conference asks for its beep at each arrival.
const FRESH_FOR: Duration = Duration::from_mins(1);
/// Answers that are remembered.
const MAX_ANSWERS: usize = 256;

/// One element of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sound {
    /// A text to be spoken, with its pauses.
    Speech(PromptContent, Repeat),
    /// An audio file at an absolute URL.
    File(String, Repeat),
    /// Silence.
    Pause(Duration),
}

impl Sound {
    /// How often it is heard, if there is room for that.
    pub(super) const fn times(&self) -> u32 {
        match self {
            Self::Speech(_, Repeat::Times(times)) | Self::File(_, Repeat::Times(times)) => *times,
            Self::Speech(_, Repeat::Forever) | Self::File(_, Repeat::Forever) => u32::MAX,
            Self::Pause(_) => 1,
        }
    }
}

/// What was answered.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A file with this SHA-256.
    File([u8; 32]),
    /// A document.
    Document(Arc<[Sound]>),
}

/// Answers by what was asked.
#[derive(Debug, Default)]
pub struct Answers(HashMap<Action, (Instant, Answer)>);

impl Answers {
    /// What was answered to `action`, if that is not too long ago.
    pub fn find(&self, action: &Action, now: Instant) -> Option<Answer> {
        let (at, answer) = self.0.get(action)?;
        (now < *at + FRESH_FOR).then(|| answer.clone())
    }

    /// Remembers what was answered, in place of the oldest if need be.
    pub fn keep(&mut self, action: Action, answer: Answer, now: Instant) {
        if self.0.len() >= MAX_ANSWERS && !self.0.contains_key(&action) {
            let oldest = self.0.iter().min_by_key(|(_, (at, _))| *at).map(|(action, _)| action.clone());
            oldest.and_then(|oldest| self.0.remove(&oldest));
        }
        self.0.insert(action, (now, answer));
    }
}

#[cfg(test)]
mod tests {
    use mixminus_control::HttpMethod;

    use super::*;

    fn ask(n: usize, method: HttpMethod) -> Action {
        Action { url: format!("http://music.example/{n}"), method }
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "some instant is needed to count from")]
    fn an_answer_is_fresh_for_a_minute_and_the_oldest_makes_room() {
        let (mut answers, start) = (Answers::default(), Instant::now());
        for n in 0..=MAX_ANSWERS {
            let now = start + Duration::from_millis(n as u64);
            answers.keep(ask(n, HttpMethod::Get), Answer::File([n as u8; 32]), now);
        }
        let found = |n, method, now| answers.find(&ask(n, method), now).is_some();
        assert_eq!(answers.0.len(), MAX_ANSWERS);
        assert!(!found(0, HttpMethod::Get, start) && found(1, HttpMethod::Get, start));
        assert!(!found(1, HttpMethod::Post, start));
        assert!(!found(1, HttpMethod::Get, start + FRESH_FOR + Duration::from_millis(1)));
    }
}
