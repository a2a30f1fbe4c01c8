//! Where an event stands: in the whole log ([`Position`]) and in its own stream ([`Revision`]).

use std::fmt;
use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};

macro_rules! ordinal {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(NonZeroU64);

        impl $name {
            /// The first one: counting starts at 1, so that "nothing yet" is `None`.
            pub const FIRST: Self = Self(NonZeroU64::MIN);

            /// Returns the ordinal, or `None` for 0.
            pub const fn new(n: u64) -> Option<Self> {
                match NonZeroU64::new(n) {
                    Some(n) => Some(Self(n)),
                    None => None,
                }
            }

            /// Returns the number, at least 1.
            pub const fn get(self) -> u64 {
                self.0.get()
            }

            /// Returns the one after this. Saturates at `u64::MAX`, which no log reaches.
            pub const fn next(self) -> Self {
                Self(self.0.saturating_add(1))
            }

            /// Returns what follows `last`, or the first when there is none.
            pub const fn after(last: Option<Self>) -> Self {
                match last {
                    Some(last) => last.next(),
                    None => Self::FIRST,
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

ordinal! {
    /// Place in the log of the whole server: dense, from 1, over all workspaces.
    Position
}

ordinal! {
    /// Place in one stream of one workspace: dense, from 1.
    Revision
}
