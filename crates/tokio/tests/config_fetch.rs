//! Fetching a device's configuration file: every way it can go wrong is one sentence.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of a test may fail it"
)]

mod support;

use std::{sync::Arc, time::Duration};

use sip_oauth_csf::{DeviceConfig, Limits};
use sip_oauth_tokio::{
    Clock, ConfigCache, ConfigFetch, Connector, FetchError, FetchFailure, FetchedConfig,
    HttpFailure,
};
use support::{
    Authority, BOTH, NODE, Trace, client_tls,
    http::{HttpServer, respond},
    loopback, names, quick, server_tls, soon,
};

const FILE: &str = "/CSFJDOE.cnf.xml";

fn fetch() -> ConfigFetch {
    ConfigFetch::new(
        Connector::new()
            .with_resolver(names())
            .with_timeouts(quick()),
    )
}

fn url(server: &HttpServer, path: &str) -> String {
    format!("http://{NODE}:{}{path}", server.address.port())
}

async fn failure_of(fetch: ConfigFetch, url: &str) -> FetchError {
    soon(fetch.get(url)).await.unwrap_err()
}

#[tokio::test]
async fn the_file_arrives_byte_for_byte_with_its_age() {
    let file = "<device  xsi:type=\"axl:XIPPhone\" ctiid=\"24\">\r\n</device>\r\n";
    let server = HttpServer::start(None, move |_| respond(200, file)).await;
    let (clock, trace) = (Clock::adjustable(), Arc::new(Trace::default()));
    let connector = Connector::new()
        .with_resolver(names())
        .with_clock(clock.clone())
        .with_observer(trace.clone());
    let fetched = soon(ConfigFetch::new(connector).get(&url(&server, FILE)))
        .await
        .unwrap();
    assert_eq!(fetched.bytes, file.as_bytes());
    assert_eq!(fetched.url, url(&server, FILE));
    clock.advance(Duration::from_secs(60));
    assert!(fetched.age(clock.system_now()) >= Duration::from_secs(60));
    assert_eq!(
        trace.http(),
        [("GET CSFJDOE.cnf.xml".to_owned(), Some(200))]
    );

    let seen = &server.seen()[0];
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("GET", FILE));
    assert_eq!(
        seen.headers["host"],
        format!("{NODE}:{}", server.address.port())
    );
    // What a reader of the file then says is the file's affair.
    let _ = DeviceConfig::read(&fetched.bytes, &Limits::default());
}

#[tokio::test]
async fn https_checks_the_server_and_a_stranger_is_explained() {
    let authority = Authority::new("Example CA");
    let tls = server_tls(authority.issue(NODE), authority.store("trust"), "", BOTH);
    let server = HttpServer::start(Some(tls.oauth()), |_| respond(200, "<device/>")).await;
    let url = format!("https://{NODE}:{}{FILE}", server.address.port());
    let connector = |store| {
        Connector::new()
            .with_resolver(names())
            .with_tls(client_tls(store, None, BOTH))
    };
    let fetched = soon(ConfigFetch::new(connector(authority.store("trust"))).get(&url)).await;
    assert_eq!(fetched.unwrap().bytes, "<device/>");

    let stranger = Authority::new("Another CA").store("trust");
    let error = failure_of(ConfigFetch::new(connector(stranger)), &url).await;
    assert!(error.to_string().contains("unknown_ca"), "{error}");
}

mod kept {
    use std::sync::atomic::{AtomicU16, Ordering};

    use super::*;

    /// A server whose status the test sets, and a cache before it.
    async fn cached() -> (HttpServer, Arc<AtomicU16>, Clock, ConfigCache) {
        let status = Arc::new(AtomicU16::new(200));
        let told = Arc::clone(&status);
        let server = HttpServer::start(None, move |_| {
            respond(told.load(Ordering::SeqCst), "<device/>")
        })
        .await;
        let clock = Clock::adjustable();
        let connector = Connector::new()
            .with_resolver(names())
            .with_timeouts(quick())
            .with_clock(clock.clone());
        let cache = ConfigCache::new(ConfigFetch::new(connector));
        (server, status, clock, cache)
    }

    #[tokio::test]
    async fn the_last_copy_stands_in_with_its_age_while_the_server_fails() {
        let (server, status, clock, cache) = cached().await;
        let url = url(&server, FILE);
        let fresh = soon(cache.get(&url)).await.unwrap();
        assert!(fresh.instead_of.is_none());
        assert_eq!(fresh.age, Duration::ZERO);
        clock.advance(Duration::from_secs(3600));
        status.store(503, Ordering::SeqCst);
        let kept = soon(cache.get(&url)).await.unwrap();
        assert_eq!(kept.config.bytes, "<device/>");
        assert!(kept.age >= Duration::from_secs(3600), "{:?}", kept.age);
        assert!(matches!(
            kept.instead_of.unwrap().failure,
            FetchFailure::Status(503)
        ));
        drop(server);
        let kept = soon(cache.get(&url)).await.unwrap();
        assert!(kept.instead_of.is_some());
    }

    /// RFC 9110 sections 15.5.9 (408) and 15.6, RFC 8470 section 5.2 (425), RFC 6585 section 4 (429): none of them is about the
    /// file.
    #[tokio::test]
    async fn a_server_that_cannot_give_it_now_has_not_lost_it() {
        let (server, status, _, cache) = cached().await;
        let url = url(&server, FILE);
        soon(cache.get(&url)).await.unwrap();
        for answered in [408, 425, 429, 500, 503] {
            status.store(answered, Ordering::SeqCst);
            let kept = soon(cache.get(&url)).await.unwrap();
            assert!(kept.instead_of.is_some(), "{answered}");
        }
    }

    #[tokio::test]
    async fn a_file_that_is_gone_is_forgotten() {
        let (server, status, _, cache) = cached().await;
        let url = url(&server, FILE);
        soon(cache.get(&url)).await.unwrap();
        for answered in [404, 503] {
            status.store(answered, Ordering::SeqCst);
            assert!(soon(cache.get(&url)).await.is_err(), "{answered}");
        }
    }

    /// A device that starts while its server is away goes on with the file it kept on disk.
    #[tokio::test]
    async fn a_copy_from_disk_stands_in_with_its_age() {
        let (server, status, clock, cache) = cached().await;
        let url = url(&server, FILE);
        let hour = Duration::from_secs(3600);
        let kept = FetchedConfig::new(&url, "<device/>", clock.system_now() - hour);
        cache.put(&url, kept);
        status.store(503, Ordering::SeqCst);
        let copy = soon(cache.get(&url)).await.unwrap();
        assert_eq!(copy.config.bytes, "<device/>");
        assert!(copy.age >= hour, "{:?}", copy.age);
        assert!(copy.instead_of.is_some());
    }

    #[tokio::test]
    async fn without_a_copy_the_error_is_given() {
        let (server, status, _, cache) = cached().await;
        status.store(500, Ordering::SeqCst);
        assert!(soon(cache.get(&url(&server, FILE))).await.is_err());
    }
}

mod refused {
    use super::*;

    #[tokio::test]
    async fn a_file_that_is_not_there_names_the_device_name_as_the_thing_to_check() {
        let server = HttpServer::start(None, |_| respond(404, "gone")).await;
        let error = failure_of(fetch(), &url(&server, FILE)).await;
        assert!(matches!(error.failure, FetchFailure::NotFound));
        assert_eq!(
            error.to_string(),
            format!(
                "{}: not found (404); check the device name, and that the device exists in that cluster",
                url(&server, FILE)
            )
        );
    }

    #[tokio::test]
    async fn other_statuses_are_told() {
        for status in [204_u16, 400, 500, 503] {
            let server = HttpServer::start(None, move |_| respond(status, "")).await;
            let error = failure_of(fetch(), &url(&server, FILE)).await;
            assert!(matches!(error.failure, FetchFailure::Status(told) if told == status));
        }
        for status in [401_u16, 403] {
            let server = HttpServer::start(None, move |_| respond(status, "")).await;
            let error = failure_of(fetch(), &url(&server, FILE)).await;
            assert!(matches!(error.failure, FetchFailure::Denied(told) if told == status));
        }
    }

    #[tokio::test]
    async fn a_file_beyond_the_limit_is_not_read_to_its_end() {
        let server = HttpServer::start(None, |_| respond(200, vec![b' '; 2000])).await;
        let fetched = soon(fetch().max_bytes(2000).get(&url(&server, FILE))).await;
        assert_eq!(fetched.unwrap().bytes.len(), 2000);
        let error = failure_of(fetch().max_bytes(1999), &url(&server, FILE)).await;
        assert!(matches!(
            error.failure,
            FetchFailure::Http(HttpFailure::TooLarge(1999))
        ));
    }

    #[tokio::test]
    async fn a_server_that_says_nothing_is_given_up() {
        let silent = tokio::net::TcpListener::bind(loopback(0)).await.unwrap();
        let url = format!("http://{}{FILE}", silent.local_addr().unwrap());
        let error = failure_of(fetch().timeout(Duration::from_millis(200)), &url).await;
        assert!(
            error
                .to_string()
                .ends_with("no complete answer within 200ms"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn nobody_listening_and_an_unknown_name_are_told_apart() {
        let closed = tokio::net::TcpListener::bind(loopback(0)).await.unwrap();
        let url = format!("http://{}{FILE}", closed.local_addr().unwrap());
        drop(closed);
        let error = failure_of(fetch(), &url).await;
        assert!(error.to_string().contains("connection refused"), "{error}");
        let error = failure_of(fetch(), "http://nowhere.example.com:6970/x").await;
        assert!(error.to_string().contains("cannot be resolved"), "{error}");
    }

    #[tokio::test]
    async fn what_is_no_url_and_what_is_no_http_are_told() {
        for url in [
            "",
            "CSFJDOE.cnf.xml",
            "ftp://ucm1.example.com/x",
            "http://",
            "/x",
        ] {
            let error = failure_of(fetch(), url).await;
            assert!(
                error.to_string().contains("not an absolute http"),
                "{url}: {error}"
            );
        }
        let server = tokio::net::TcpListener::bind(loopback(0)).await.unwrap();
        let url = format!("http://{}{FILE}", server.local_addr().unwrap());
        tokio::spawn(async move {
            use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
            let (mut tcp, _) = server.accept().await.unwrap();
            let mut request = [0; 1024];
            let _ = tcp.read(&mut request).await;
            tcp.write_all(b"SIP/2.0 400 Bad Request\r\n\r\n")
                .await
                .unwrap();
            tcp.shutdown().await.unwrap();
        });
        let error = failure_of(fetch(), &url).await;
        assert!(error.to_string().contains("not HTTP"), "{error}");
    }
}

mod redirects {
    use super::*;

    fn redirecting(
        to: String,
    ) -> impl Fn(&support::http::Seen) -> hyper::Response<http_body_util::Full<bytes::Bytes>> {
        move |seen| {
            if seen.path == "/there" {
                respond(200, "<device/>")
            } else {
                let mut response = respond(302, "");
                response
                    .headers_mut()
                    .insert("location", to.parse().unwrap());
                response
            }
        }
    }

    #[tokio::test]
    async fn a_path_on_the_same_host_is_followed() {
        let server = HttpServer::start(None, redirecting("/there".to_owned())).await;
        let fetched = soon(fetch().get(&url(&server, FILE))).await.unwrap();
        assert_eq!(fetched.url, url(&server, "/there"));
    }

    #[tokio::test]
    async fn another_host_is_not_asked() {
        let server = HttpServer::start(
            None,
            redirecting("http://other.example.com/there".to_owned()),
        )
        .await;
        let error = failure_of(fetch(), &url(&server, FILE)).await;
        assert!(
            error.to_string().contains("http://other.example.com/there"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_circle_is_left() {
        let server = HttpServer::start(None, redirecting(FILE.to_owned())).await;
        let error = failure_of(fetch().max_redirects(4), &url(&server, FILE)).await;
        assert!(matches!(error.failure, FetchFailure::TooManyRedirects(4)));
        assert_eq!(server.seen().len(), 5);
    }
}
