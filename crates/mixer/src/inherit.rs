//! How bases go on under a new plan.

use crate::base::Base;
use crate::leg::{Leg, Seated};
use crate::plan::Sink;

/// A leg that has heard one base and goes over to another: from where and to where, by their places.
pub(crate) type Move = (usize, usize);

/// Lets `new` bases go on where the `old` ones are from which most of their sinks come, so that these hear no seam; most
/// of all, not of those that are silent, for who speaks must not decide what others hear. `moves` is working memory with
/// room for a move of each of `seats`.
pub(crate) fn inherit<L: Leg>(
    seats: &mut [Option<Box<Seated<L>>>],
    sinks: &[Sink],
    moves: &mut Vec<Move>,
    (new, old): (&mut [Base], &mut [Base]),
) {
    old.iter_mut().for_each(Base::forget_kin);
    moves.clear();
    let goes =
        |(seat, sink): (&Option<Box<Seated<L>>>, &Sink)| Some((seat.as_deref()?.hearing.base()?, sink.base));
    moves.extend(seats.iter().zip(sinks).filter_map(goes));
    moves.sort_unstable();
    for same in moves.chunk_by(|one, next| one == next) {
        let (from, to) = same[0];
        new[to].offer_kin(from, same.len());
        old[from].offer_kin(to, same.len());
    }
    for (seat, sink) in seats.iter_mut().zip(sinks) {
        if let Some(seat) = seat {
            seat.move_on(sink.base, new, old);
        }
    }
    // Those that branch off go first, while their origin still is what it was.
    for (place, base) in new.iter_mut().enumerate() {
        if let Some(from) = base.kin().filter(|&from| old[from].kin() != Some(place)) {
            base.branch_off(&old[from]);
        }
    }
    for (place, base) in new.iter_mut().enumerate() {
        if let Some(from) = base.kin().filter(|&from| old[from].kin() == Some(place)) {
            base.succeed(&mut old[from]);
        }
    }
}
