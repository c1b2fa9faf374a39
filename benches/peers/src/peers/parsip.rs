//! parsip: finds the start line and the header fields, in the manner of httparse, and stops there.

use parsip::{EMPTY_HEADER, IResult, Request, Response};

use crate::peer::{Kind, Peer, Refusal};
use crate::values::{Head, StartLine, TenValues};

pub struct Parsip;

impl Peer for Parsip {
    fn name(&self) -> &'static str {
        "parsip"
    }

    fn version(&self) -> String {
        super::locked("parsip")
    }

    fn kind(&self) -> Kind {
        Kind::Rust
    }

    fn head(&self, bytes: &[u8], found: &mut dyn FnMut(&Head<'_>)) -> Result<(), Refusal> {
        let mut headers = [EMPTY_HEADER; 64];
        if bytes.starts_with(b"SIP/") {
            let mut response = Response::new(&mut headers);
            done(response.parse(bytes))?;
            found(&Head {
                start_line: StartLine::Response(response.code.unwrap_or_default()),
                fields: &|| response.headers.len(),
            });
        } else {
            let mut request = Request::new(&mut headers);
            done(request.parse(bytes))?;
            found(&Head {
                start_line: StartLine::Request(request.method.unwrap_or_default().as_bytes()),
                fields: &|| request.headers.len(),
            });
        }
        Ok(())
    }

    fn ten_headers(&self, _: &[u8], _: &mut dyn FnMut(&TenValues<'_>)) -> Result<(), Refusal> {
        Err(Refusal::NotOffered)
    }

    fn judge(&self, bytes: &[u8]) -> Result<(), Refusal> {
        self.head(bytes, &mut |_| ())
    }
}

fn done(result: IResult<&[u8], usize>) -> Result<(), Refusal> {
    match result {
        IResult::Done(..) => Ok(()),
        IResult::Error(error) => Err(Refusal::of(error)),
        IResult::Incomplete(needed) => Err(Refusal::of(needed)),
    }
}
