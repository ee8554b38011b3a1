//! Plivo's REST language for MPCs: lenient requests in, exact replies out.

mod arguments;
mod error;
mod list;
mod object;
mod path;
mod request;

pub use arguments::Arguments;
pub use error::{ErrorBody, RestError};
pub use list::{DEFAULT_PAGE_OBJECTS, List, Meta, Page};
pub use object::{MpcObject, ParticipantObject, Reply, UpdateReply};
pub use path::{MAX_MEMBERS, MemberSelector, MpcPath, MpcSegment};
pub use request::{MpcFilter, ParticipantFilter, ParticipantUpdate, TimeRange, parse_start};
