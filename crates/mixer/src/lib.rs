//! The real-time mixer: bridge tick, mix plan, prompts.
//!
//! A [`Bridge`] follows a [`MixPlan`], which says of each leg what it hears; whoever or whatever the
//! plan does not name is silent. What a leg hears is summed in wide integers from exactly those
//! sources: the sum that many share, minus the leg's own contribution. It never depends, not in one
//! bit, on any other source. Plans, legs and prompts are made elsewhere and handed over between
//! ticks; nothing here allocates, reads a clock or waits.
//!
//! ```
//! use mixminus_audio::SampleRate;
//! use mixminus_codec::Format;
//! use mixminus_mixer::{Arrangement, Bridge, Contribution, Leg, LegId, MixPlan, Seated, SinkRoutes, SourceId};
//!
//! struct Hum(i16, Vec<u8>);
//!
//! impl Leg for Hum {
//!     fn contribute(&mut self, frame: &mut [i16]) -> Contribution {
//!         frame.fill(self.0);
//!         Contribution::Audio
//!     }
//!     fn format(&self) -> Format {
//!         Format::Pcmu
//!     }
//!     fn send(&mut self, payload: &[u8]) {
//!         self.1 = payload.to_vec();
//!     }
//! }
//!
//! let (agent, customer) = (LegId(1), LegId(2));
//! let plan = MixPlan::compile(&[
//!     SinkRoutes { leg: agent, hears: vec![SourceId::Leg(customer)] },
//!     SinkRoutes { leg: customer, hears: vec![] },
//! ])?;
//! let mut arrangement = Arrangement::new(plan, SampleRate::Hz8000);
//! arrangement.seat(Box::new(Seated::new(agent, Hum(500, vec![]), SampleRate::Hz8000)))?;
//! arrangement.seat(Box::new(Seated::new(customer, Hum(900, vec![]), SampleRate::Hz8000)))?;
//! let mut bridge = Bridge::new(Box::new(arrangement));
//! bridge.tick(&mut |prompt| println!("{prompt:?} was played to its end"));
//!
//! let silence = [0xff; 160];
//! assert_eq!(bridge.leg_mut(customer).map(|leg| &leg.1[..]), Some(&silence[..]));
//! assert_ne!(bridge.leg_mut(agent).map(|leg| &leg.1[..]), Some(&silence[..]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod arrangement;
mod bridge;
mod leg;
mod mix;
mod plan;
mod prompt;

pub use arrangement::{Arrangement, Refusal, Refused};
pub use bridge::Bridge;
pub use leg::{Contribution, Leg, Seated};
pub use plan::{BridgeId, LegId, MAX_SOURCES, MixPlan, PlanError, PromptId, SinkRoutes, SourceId};
pub use prompt::{Plays, Prompt};
