//! RFC 3261, by section.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod fields;
mod lists;
mod messages;
mod uris;
mod whole;

use sip_oauth_message::{Limits, MessageView, ParseError};

const REGISTER: &str = concat!(
    "REGISTER sip:ucm.example.com SIP/2.0\r\n",
    "Via: SIP/2.0/TLS 192.0.2.7:62162;branch=z9hG4bK00004a82\r\n",
    "From: <sip:1010@ucm.example.com>;tag=005056000001000100000001-00000001\r\n",
    "To: <sip:1010@ucm.example.com>\r\n",
    "Call-ID: 00505600-00010001-00000001-00000002@192.0.2.7\r\n",
    "Max-Forwards: 70\r\n",
    "CSeq: 2271 REGISTER\r\n",
    "X-Unknown :  kept ; as , it is\t\r\n",
    "Contact: <sip:4f6d2c18@192.0.2.7:62162;transport=tls>;video\r\n",
    "Expires: 3600\r\n",
    "Content-Length:  4\r\n",
    "\r\n",
    "body",
);

fn view(text: &str) -> Result<MessageView<'_>, ParseError> {
    MessageView::parse(text.as_bytes(), &Limits::default())
}

fn with_field(line: &str) -> String {
    format!("OPTIONS sip:a@example.com SIP/2.0\r\n{line}\r\n\r\n")
}
