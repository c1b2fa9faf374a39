//! SIP timers and counts.

use std::time::Duration;

use crate::device::StackSettings;
use crate::document::Element;
use crate::error::ValueError;
use crate::value::{self, Value};

/// `sipProfile/sipStack`. What is missing or empty has the default of the SIP stack these devices grew from.
#[derive(Debug, Clone, Copy)]
pub struct SipStack<'a> {
    stack: Option<Element<'a>>,
}

/// One getter per element.
macro_rules! stack {
    ($($(#[$meta:meta])* $getter:ident: $element:literal as $read:ident -> $type:ty,)+) => {
        impl<'a> SipStack<'a> {
            pub(crate) fn new(stack: Option<Element<'a>>) -> Self {
                Self { stack }
            }

            /// The `sipStack` element, when there is one.
            pub fn element(self) -> Option<Element<'a>> {
                self.stack
            }

            $(
                $(#[$meta])*
                ///
                /// # Errors
                ///
                /// [`ValueError`] when it is no number.
                pub fn $getter(self) -> Result<Value<$type>, ValueError> {
                    value::$read(self.stack.and_then(|stack| stack.child($element)), StackSettings::DEFAULT.$getter)
                }
            )+
        }
    };
}

stack! {
    /// `sipInviteRetx`: retransmissions of an INVITE. Default 6.
    sip_invite_retx: "sipInviteRetx" as number -> u32,
    /// `sipRetx`: retransmissions of any other request. Default 10.
    sip_retx: "sipRetx" as number -> u32,
    /// `timerInviteExpires`, written in seconds. Default 180 s.
    timer_invite_expires: "timerInviteExpires" as seconds -> Duration,
    /// `timerRegisterExpires`, written in seconds: what a REGISTER asks for. Default 3600 s.
    timer_register_expires: "timerRegisterExpires" as seconds -> Duration,
    /// `timerRegisterDelta`, written in seconds: how long before its end a registration is refreshed. Default 5 s.
    timer_register_delta: "timerRegisterDelta" as seconds -> Duration,
    /// `timerKeepAliveExpires`, written in seconds. Default 120 s.
    timer_keep_alive_expires: "timerKeepAliveExpires" as seconds -> Duration,
    /// `timerSubscribeExpires`, written in seconds. Default 120 s.
    timer_subscribe_expires: "timerSubscribeExpires" as seconds -> Duration,
    /// `timerSubscribeDelta`, written in seconds. Default 5 s.
    timer_subscribe_delta: "timerSubscribeDelta" as seconds -> Duration,
    /// `timerT1`, written in milliseconds: T1 of RFC 3261 §17. Default 500 ms.
    timer_t1: "timerT1" as milliseconds -> Duration,
    /// `timerT2`, written in milliseconds: T2 of RFC 3261 §17. Default 4000 ms.
    timer_t2: "timerT2" as milliseconds -> Duration,
    /// `maxRedirects`: Max-Forwards of requests. Default 70.
    max_redirects: "maxRedirects" as number -> u32,
}
