//! Where a call is tried: at one place, or at several of which one answers.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use rsipstack::dialog::DialogId;

use crate::trace::Traced;

/// The name of a call's dialog, once both sides agree on it.
pub(crate) type Confirmed = Arc<OnceLock<DialogId>>;

/// The call at one place.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) traced: Traced,
    pub(crate) confirmed: Confirmed,
}

/// All places of a call.
#[derive(Clone, Default)]
pub(crate) struct Places(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    /// By which the messages of all places are shown.
    name: Option<String>,
    places: Vec<Place>,
}

impl From<Place> for Places {
    fn from(place: Place) -> Self {
        Self(Arc::new(Mutex::new(Inner { name: None, places: vec![place] })))
    }
}

impl Places {
    /// Has the messages of all of them shown by this name.
    pub(crate) fn name(&self, name: &str) {
        let mut inner = self.lock();
        for place in &inner.places {
            place.traced.name(name);
        }
        inner.name = Some(name.to_owned());
    }

    /// Adds the places of another call, which is part of this one.
    pub(crate) fn add(&self, others: &Self) {
        let others = others.lock().places.clone();
        let mut inner = self.lock();
        if let Some(name) = &inner.name {
            for place in &others {
                place.traced.name(name);
            }
        }
        inner.places.extend(others);
    }

    /// The dialogs that both sides agree on.
    pub(crate) fn dialogs(&self) -> Vec<DialogId> {
        self.lock().places.iter().filter_map(|place| place.confirmed.get().cloned()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
