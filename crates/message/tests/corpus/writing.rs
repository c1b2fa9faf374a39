//! What is accepted survives writing and reading again.

use sip_oauth_message::header::{
    Accept, Allow, Authorization, CSeq, CallId, Contact, ContentDisposition, ContentLength,
    ContentType, Date, Event, Expires, From, MaxForwards, MimeVersion, MinExpires, Path,
    ProxyAuthenticate, ProxyAuthorization, ProxyRequire, Reason, RecordRoute, ReferTo, Require,
    RetryAfter, Route, Server, ServiceRoute, SessionId, Supported, To, Unsupported, UserAgent, Via,
    Warning, WwwAuthenticate,
};
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
        ($($header:ty),* $(,)?) => {
            $(for value in view.all::<$header>().flatten() {
                let written = value.to_string();
                let again = <$header>::parse(&written);
                assert_eq!(again, Ok(value.clone()), "{written}");
                let mut headers = Headers::new();
                headers.push_typed(&value);
                assert_eq!(headers.header::<$header>(), Ok(Some(value)), "{headers:?}");
            })*
        };
    }
    each!(
        Accept<'_>,
        Allow<'_>,
        CSeq<'_>,
        CallId<'_>,
        Contact<'_>,
        ContentDisposition<'_>,
        ContentLength,
        ContentType<'_>,
        Date<'_>,
        Event<'_>,
        Expires,
        From<'_>,
        MaxForwards,
        MimeVersion,
        MinExpires,
        Path<'_>,
        ProxyAuthenticate<'_>,
        ProxyRequire<'_>,
        Reason<'_>,
        RecordRoute<'_>,
        ReferTo<'_>,
        Require<'_>,
        RetryAfter<'_>,
        Route<'_>,
        Server<'_>,
        ServiceRoute<'_>,
        SessionId<'_>,
        Supported<'_>,
        To<'_>,
        Unsupported<'_>,
        UserAgent<'_>,
        Via<'_>,
        Warning<'_>,
        WwwAuthenticate<'_>,
    );
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
