//! Discovery and push against a small AXL service over HTTPS.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of a test may fail it"
)]

mod support;

use std::sync::{Arc, Mutex};

use hyper::Response;
use sip_oauth_axl::{
    Answer, Call, CallManager, ClusterSipOAuthMode, ExpresswayCConfiguration, Fault, HostNameOrIp,
    Limits, ListCallManager, ObjectName, Operation, Ports, ProcessNodeName, Reply, Request,
    Returned, SipPorts, Uuid,
    push::{OwnNames, Plan, Push},
};
use sip_oauth_tokio::{AxlClient, AxlCredentials, AxlError, AxlFailure, Connector};
use support::{
    Authority, BOTH, EDGE, NODE, Trace, client_tls,
    http::{HttpServer, Seen, respond},
    names, server_tls, soon,
};

const USER: &str = "axladmin";
const PASSWORD: &str = "s3cret";
/// `axladmin:s3cret` (RFC 7617).
const BASIC: &str = "Basic YXhsYWRtaW46czNjcmV0";

fn node() -> CallManager {
    CallManager {
        uuid: None,
        name: Some(ObjectName::new("CM_ucm1").unwrap()),
        description: None,
        process_node_name: Some(ProcessNodeName {
            name: ObjectName::new(NODE).unwrap(),
            uuid: None,
        }),
        ports: Some(Ports {
            ethernet_phone_port: None,
            mgcp_ports: None,
            sip_ports: Some(SipPorts {
                sip_oauth_mra_port: Some(15091),
                ..SipPorts::DEFAULT
            }),
        }),
    }
}

/// A service over one table of Expressway-C rows.
fn service(
    rows: Arc<Mutex<Vec<ExpresswayCConfiguration>>>,
) -> impl Fn(&Seen) -> Response<http_body_util::Full<bytes::Bytes>> {
    let uuid: Uuid = "{8e9de0a5-0b1d-4d4c-a8e8-0d29c5e0c2b5}".parse().unwrap();
    move |seen| {
        if seen
            .headers
            .get("authorization")
            .is_none_or(|value| value != BASIC)
        {
            return respond(401, "<html>who are you?</html>");
        }
        let action = seen
            .headers
            .get("soapaction")
            .map(|value| value.to_str().unwrap());
        let call = Call::decode(seen.body.as_bytes(), action, &Limits::default()).unwrap();
        let mut rows = rows.lock().unwrap();
        let answer = match call.request.clone() {
            Request::ListCallManager(_) => Answer::ListCallManager(vec![CallManager {
                ports: None,
                ..node()
            }]),
            Request::GetCallManager(get) if get.key.selects(&node()) => {
                Answer::GetCallManager(node())
            }
            Request::ExecuteSqlQuery(_) => {
                Answer::ExecuteSqlQuery(ClusterSipOAuthMode::Enabled.to_rows())
            }
            Request::ListExpresswayCConfiguration(_) => {
                Answer::ListExpresswayCConfiguration(rows.clone())
            }
            Request::AddExpresswayCConfiguration(add) => {
                rows.push(ExpresswayCConfiguration::from_add(add, uuid));
                Answer::AddExpresswayCConfiguration(Returned::Uuid(uuid))
            }
            Request::UpdateExpresswayCConfiguration(update) => {
                let row = rows.iter_mut().find(|row| update.key.selects(row)).unwrap();
                update.apply_to(row);
                Answer::UpdateExpresswayCConfiguration(Returned::Uuid(uuid))
            }
            other => {
                let fault = Fault::axl(5007, "Item not valid", other.operation());
                return respond(500, Reply::from(fault).encode());
            }
        };
        let reply = call.reply(answer);
        respond(reply.http_status(), reply.encode())
    }
}

struct Publisher {
    authority: Authority,
    server: HttpServer,
    trace: Arc<Trace>,
}

impl Publisher {
    async fn start(
        answer: impl Fn(&Seen) -> Response<http_body_util::Full<bytes::Bytes>> + Send + Sync + 'static,
    ) -> Self {
        let authority = Authority::new("Example CA");
        let tls = server_tls(
            authority.issue(NODE),
            authority.store("Tomcat-trust"),
            "",
            BOTH,
        );
        Self {
            server: HttpServer::start(Some(tls.oauth()), answer).await,
            authority,
            trace: Arc::default(),
        }
    }

    fn client(&self) -> AxlClient {
        self.client_as(USER, PASSWORD)
    }

    fn client_as(&self, user: &str, password: &str) -> AxlClient {
        let connector = Connector::new()
            .with_resolver(names())
            .with_tls(client_tls(self.authority.store("trusted CAs"), None, BOTH))
            .with_observer(self.trace.clone());
        let credentials = AxlCredentials::new(user, password).unwrap();
        AxlClient::new(connector, NODE, self.server.address.port(), credentials).unwrap()
    }

    async fn failure(&self) -> AxlError {
        soon(self.client().call(ListCallManager::all()))
            .await
            .unwrap_err()
    }
}

#[tokio::test]
async fn discovery_finds_nodes_with_their_ports_and_the_cluster_mode() {
    let publisher = Publisher::start(service(Arc::default())).await;
    let found = soon(publisher.client().discover()).await.unwrap();
    assert_eq!(found.mode, ClusterSipOAuthMode::Enabled);
    assert_eq!(found.nodes.len(), 1);
    assert_eq!(found.nodes[0].process_node_name, NODE);
    assert_eq!(found.nodes[0].sip_mra_oauth_port(), 15091);
    assert_eq!(found.nodes[0].sip_oauth_port(), 5090);

    let seen = publisher.server.seen();
    let first = &seen[0];
    assert_eq!(
        (first.method.as_str(), first.path.as_str()),
        ("POST", "/axl/")
    );
    assert_eq!(first.headers["content-type"], "text/xml; charset=utf-8");
    assert_eq!(
        first.headers["soapaction"],
        "\"CUCM:DB ver=14.0 listCallManager\""
    );
    let operations: Vec<_> = publisher
        .trace
        .http()
        .into_iter()
        .map(|(what, _)| what)
        .collect();
    assert_eq!(
        operations,
        [
            "POST listCallManager",
            "POST getCallManager",
            "POST executeSQLQuery"
        ]
    );
}

#[tokio::test]
async fn a_push_adds_then_leaves_alone_then_updates() {
    let rows = Arc::new(Mutex::new(Vec::new()));
    let publisher = Publisher::start(service(Arc::clone(&rows))).await;
    let client = publisher.client();
    let push = |names: &[&str]| {
        Push::new(
            HostNameOrIp::new(EDGE).unwrap(),
            OwnNames::new(names, [] as [&str; 0]),
        )
    };
    let pushed = soon(client.push(&push(&[EDGE]))).await.unwrap();
    assert!(matches!(pushed.plan, Plan::Add(_)));
    let pushed = soon(client.push(&push(&[EDGE]))).await.unwrap();
    assert_eq!(pushed.plan, Plan::UpToDate);
    let pushed = soon(client.push(&push(&[EDGE, "expc2.example.com"])))
        .await
        .unwrap();
    assert!(matches!(pushed.plan, Plan::Update(_)));
    assert_eq!(rows.lock().unwrap().len(), 1);
    assert_eq!(rows.lock().unwrap()[0].names().count(), 2);
}

#[tokio::test]
async fn refusals_are_told_apart_and_say_what_to_do() {
    let publisher = Publisher::start(service(Arc::default())).await;
    let client = publisher.client_as(USER, "wrong");
    let error = soon(client.call(ListCallManager::all())).await.unwrap_err();
    assert!(matches!(error.failure, AxlFailure::Unauthorized));
    let text = format!("{error} {error:?} {client:?}");
    assert!(!text.contains("wrong") && !text.contains("Basic"), "{text}");

    for (status, words) in [
        (403, "Standard AXL API Access"),
        (404, "Cisco AXL Web Service"),
        (503, "overloaded"),
        (502, "status 502"),
    ] {
        let publisher = Publisher::start(move |_| respond(status, "")).await;
        let error = publisher.failure().await.to_string();
        assert!(error.contains(words), "{error}");
        assert!(
            error.starts_with("AXL listCallManager at ucm1.example.com:"),
            "{error}"
        );
    }

    let fault = Fault::axl(5007, "Item not valid", Operation::ListCallManager);
    let body = Reply::from(fault).encode();
    let publisher = Publisher::start(move |_| respond(500, body.clone())).await;
    let error = publisher.failure().await;
    assert!(
        matches!(&error.failure, AxlFailure::Fault(fault) if fault.detail.as_ref().unwrap().axlcode == 5007),
        "{error}"
    );

    let publisher = Publisher::start(|_| respond(200, "<html/>")).await;
    let error = publisher.failure().await;
    assert!(
        matches!(error.failure, AxlFailure::Unreadable(_)),
        "{error}"
    );
}

#[tokio::test]
async fn an_answer_beyond_the_limit_is_not_read_to_its_end() {
    let publisher = Publisher::start(|_| respond(200, vec![b' '; 5000])).await;
    let limits = Limits {
        max_bytes: 4999,
        ..Limits::default()
    };
    let client = publisher.client().limits(limits);
    let error = soon(client.call(ListCallManager::all())).await.unwrap_err();
    assert!(
        error.to_string().contains("larger than 4999 bytes"),
        "{error}"
    );
}

#[tokio::test]
async fn a_service_of_another_signer_is_refused_with_the_store_to_change() {
    let publisher = Publisher::start(service(Arc::default())).await;
    let stranger = Authority::new("Another CA");
    let connector = Connector::new().with_resolver(names()).with_tls(client_tls(
        stranger.store("trusted CAs"),
        None,
        BOTH,
    ));
    let credentials = AxlCredentials::new(USER, PASSWORD).unwrap();
    let client = AxlClient::new(
        connector,
        NODE,
        publisher.server.address.port(),
        credentials,
    )
    .unwrap();
    let error = soon(client.discover()).await.unwrap_err();
    assert_eq!(
        error.explanation().unwrap().refused_by,
        sip_oauth_trust::Party::Us
    );
    assert!(publisher.server.seen().is_empty(), "no password was sent");
}
