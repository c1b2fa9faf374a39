//! httparse on the same message in the shape of HTTP: what finding a head costs where the grammar
//! has no folding and no compact form.

use httparse::{EMPTY_HEADER, Request, Response};

use crate::peer::{Kind, Peer, Refusal};
use crate::values::{Head, StartLine, TenValues};

pub struct Httparse;

impl Peer for Httparse {
    fn name(&self) -> &'static str {
        "httparse"
    }

    fn version(&self) -> String {
        super::locked("httparse")
    }

    fn kind(&self) -> Kind {
        Kind::Ceiling
    }

    fn head(&self, bytes: &[u8], found: &mut dyn FnMut(&Head<'_>)) -> Result<(), Refusal> {
        let mut headers = [EMPTY_HEADER; 64];
        if bytes.starts_with(b"HTTP/") {
            let mut response = Response::new(&mut headers);
            complete(response.parse(bytes))?;
            found(&Head {
                start_line: StartLine::Response(response.code.unwrap_or_default()),
                fields: &|| response.headers.len(),
            });
        } else {
            let mut request = Request::new(&mut headers);
            complete(request.parse(bytes))?;
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
}

fn complete(result: httparse::Result<usize>) -> Result<(), Refusal> {
    match result {
        Ok(httparse::Status::Complete(_)) => Ok(()),
        Ok(httparse::Status::Partial) => Err(Refusal::of("partial")),
        Err(error) => Err(Refusal::of(error)),
    }
}
