//! What is accepted survives writing and reading again.

use sip_oauth_message::header::{self, Authorization, ProxyAuthorization};
use sip_oauth_message::{Credentials, Headers, Limits, MessageView, TypedHeader};

/// The message byte for byte where Content-Length is right, and every typed value as an equal one.
pub(crate) fn survives_writing(bytes: &[u8]) {
    let limits = Limits::default();
    let view = MessageView::parse(bytes, &limits).expect("read before");
    let written = match (view.to_request(), view.to_response()) {
        (Some(request), _) => request.to_bytes(),
        (_, Some(response)) => response.to_bytes(),
        _ => panic!("neither request nor response"),
    };
    let again = MessageView::parse(&written, &limits).expect("what was written can be read");
    let fields = |view: &MessageView<'_>| {
        let fields = view
            .fields()
            .filter(|f| f.name().as_str() != "Content-Length");
        fields
            .map(|f| (f.name_text().to_owned(), f.value().to_owned()))
            .collect::<Vec<_>>()
    };
    assert_eq!(fields(&view), fields(&again));
    assert_eq!(view.start_line(), again.start_line());
    assert_eq!(view.body(), again.body());
    if view.content_length() == u32::try_from(view.body().len()).ok() {
        assert_eq!(written, &bytes[..bytes.len() - view.trailing()]);
    }
    values_survive_writing(&view);
}

/// What a typed value is written as reads as an equal value.
pub(crate) fn values_survive_writing(view: &MessageView<'_>) {
    macro_rules! each {
        ($($name:ident $(<$lifetime:lifetime>)?),* $(,)?) => {
            $(for value in view.all::<header::$name $(<$lifetime>)?>().flatten() {
                let written = value.to_string();
                let again = <header::$name $(<$lifetime>)?>::parse(&written);
                assert_eq!(again, Ok(value.clone()), "{written}");
                let mut headers = Headers::new();
                headers.push_typed(&value);
                let again = headers.header::<header::$name $(<$lifetime>)?>();
                assert_eq!(again, Ok(Some(value)), "{headers:?}");
            })*
        };
    }
    sip_oauth_message::each_header!(each);
    let own = view.all::<Authorization<'_>>().flatten().map(|h| h.0);
    let proxy = view.all::<ProxyAuthorization<'_>>().flatten().map(|h| h.0);
    for credentials in own.chain(proxy) {
        if let Credentials::Bearer(bearer) = credentials {
            let written = bearer.to_header_value();
            let Ok(Credentials::Bearer(again)) = Credentials::parse(written.expose()) else {
                panic!("what was written can be read");
            };
            assert_eq!(again.expose(), bearer.expose());
            assert_eq!(
                (again.form(), again.realm()),
                (bearer.form(), bearer.realm())
            );
        }
    }
}
