//! System > Enterprise Parameters > SSO and OAuth Configuration.

use std::time::Duration;

/// A value outside the range of its parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {found} {unit}, expected {least} to {most}")]
pub struct TimerError {
    name: &'static str,
    unit: &'static str,
    least: u32,
    most: u32,
    found: u32,
}

macro_rules! timer {
    (
        $(#[$doc:meta])*
        $type:ident, $name:literal, $constructor:ident, $unit:literal, $seconds:literal,
        $least:literal..=$most:literal, default $default:literal
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(u32);

        impl $type {
            /// Name of the parameter in the product.
            pub const NAME: &str = $name;

            #[doc = concat!("Takes ", stringify!($least), " to ", stringify!($most), " ", $unit, ".")]
            ///
            /// # Errors
            ///
            /// A value outside the range.
            pub fn $constructor(value: u32) -> Result<Self, TimerError> {
                if ($least..=$most).contains(&value) {
                    return Ok(Self(value));
                }
                let (name, unit, least, most, found) = ($name, $unit, $least, $most, value);
                Err(TimerError { name, unit, least, most, found })
            }

            /// The time it stands for.
            pub fn duration(self) -> Duration {
                Duration::from_secs(u64::from(self.0) * $seconds)
            }
        }

        impl Default for $type {
            #[doc = concat!($default, " ", $unit, ".")]
            fn default() -> Self {
                Self($default)
            }
        }
    };
}

timer! {
    /// OAuth Access Token Expiry Timer: 1 to 1440 minutes, 60 by default.
    ///
    /// ```
    /// use sip_oauth_token::issue::AccessTokenExpiryTimer;
    ///
    /// assert_eq!(AccessTokenExpiryTimer::default(), AccessTokenExpiryTimer::from_minutes(60)?);
    /// assert_eq!(
    ///     AccessTokenExpiryTimer::from_minutes(0).unwrap_err().to_string(),
    ///     "OAuth Access Token Expiry Timer: 0 minutes, expected 1 to 1440",
    /// );
    /// # Ok::<(), sip_oauth_token::issue::TimerError>(())
    /// ```
    AccessTokenExpiryTimer, "OAuth Access Token Expiry Timer", from_minutes, "minutes", 60, 1..=1440, default 60
}

timer! {
    /// OAuth Refresh Token Expiry Timer: 1 to 365 days (1 to 90 before version 12.5), 60 by default.
    RefreshTokenExpiryTimer, "OAuth Refresh Token Expiry Timer", from_days, "days", 86400, 1..=365, default 60
}
