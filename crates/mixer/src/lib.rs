//! The real-time mixer: bridge tick, mix plan, prompts.
//!
//! A [`Bridge`] follows a [`MixPlan`], which says of each leg what it hears; whoever or whatever the
//! plan does not name is silent. What a leg hears is summed in wide integers from exactly those
//! sources: the sum that many share, minus the leg's own contribution. It never depends, not in one
//! bit, on any other source, nor on what one said before it was to be heard; but for how loud that was,
//! if it has a gain of its own and others have heard it all along. A [`Tap`] copies what sources add and
//! what legs hear, and changes nothing. Plans, legs, prompts and taps are made elsewhere and handed over
//! between ticks; nothing here allocates, reads a clock or waits.
//!
//! ```
//! use mixminus_audio::SampleRate;
//! use mixminus_codec::{Encoder, Encoding, Format};
//! use mixminus_mixer::{Arrangement, Bridge, Contribution, Leg, LegId, MixPlan, Seated, SinkRoutes, SourceId};
//!
//! struct Hum(i16, Encoder, Vec<u8>);
//!
//! impl Hum {
//!     fn seated(leg: LegId, sample: i16) -> Box<Seated<Self>> {
//!         Box::new(Seated::new(leg, Self(sample, Encoder::new(Format::Pcmu.into()), vec![])))
//!     }
//! }
//!
//! impl Leg for Hum {
//!     fn contribute(&mut self, frame: &mut [i16]) -> Contribution {
//!         frame.fill(self.0);
//!         Contribution::Audio
//!     }
//!     fn encoding(&self) -> Encoding {
//!         self.1.encoding()
//!     }
//!     fn encoder(&mut self) -> &mut Encoder {
//!         &mut self.1
//!     }
//!     fn send(&mut self, payload: &[u8]) {
//!         self.2 = payload.to_vec();
//!     }
//! }
//!
//! let (agent, customer) = (LegId(1), LegId(2));
//! let plan = MixPlan::compile(&[
//!     SinkRoutes { leg: agent, hears: vec![SourceId::Leg(customer)] },
//!     SinkRoutes { leg: customer, hears: vec![] },
//! ])?;
//! let mut arrangement = Arrangement::new(plan, SampleRate::Hz8000, &[Format::Pcmu.into()]);
//! arrangement.seat(Hum::seated(agent, 500))?;
//! arrangement.seat(Hum::seated(customer, 900))?;
//! let mut bridge = Bridge::new(Box::new(arrangement));
//! bridge.tick(&mut |prompt| println!("{prompt:?} was played to its end"));
//!
//! let silence = [0xff; 160];
//! assert_eq!(bridge.leg_mut(customer).map(|leg| &leg.2[..]), Some(&silence[..]));
//! assert_ne!(bridge.leg_mut(agent).map(|leg| &leg.2[..]), Some(&silence[..]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod arrangement;
mod base;
mod bridge;
mod convert;
mod heard;
mod hearing;
mod inherit;
mod leg;
mod line;
mod mixdown;
mod onset;
mod plan;
mod prompt;
mod recent;
mod shared;
mod source;
mod sum;
mod tap;
mod tapped;

pub use arrangement::{Arrangement, Refusal, Refused};
pub use bridge::Bridge;
pub use leg::{Contribution, Gains, Leg, Seated};
pub use plan::{BridgeId, LegId, MAX_SOURCES, MixPlan, PlanError, PromptId, SinkRoutes, SourceId};
pub use prompt::{LIVE_PARTS, MAX_PARTS, Plays, Prompt};
pub use tap::{Tap, TapCapacity, TapReader, TapTick, tap};
pub use tapped::{TapChannel, TapId, TapRoutes};
