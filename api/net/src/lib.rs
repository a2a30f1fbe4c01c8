//! What every listener shares: an address, connections within a limit, a certificate, an end in time.
//!
//! Life of a listener: [`bind`] takes the address, so that a port that is not free is said before anything is opened;
//! [`tls`] reads the certificate; [`serve`] accepts connections and hands each to a [`Protocol`]; [`Listening`] ends
//! it within a time. [`Http2`] is the protocol of the doors that speak gRPC.
//!
//! **Not here:** keys, requests, answers. They are each door's own.

mod accept;
mod bound;
mod http2;
mod listening;
mod tls;
mod validity;

pub use accept::{Protocol, serve};
pub use bound::{Bound, bind, bind_optional};
pub use http2::{Http2, Patience};
pub use listening::Listening;
pub use tls::{Tls, load as load_tls};
