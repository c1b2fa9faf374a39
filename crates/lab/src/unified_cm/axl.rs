//! `https://<node>:8443/axl/`: the database over SOAP.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use hyper::{
    Method, Request, Response, StatusCode,
    header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE},
};
use rustls::crypto::CryptoProvider;
use sip_oauth_axl as axl;
use sip_oauth_axl::{
    Answer, Call, CallManager, ColumnName, Envelope, Fault, Operation, Prose, Reply, Returned,
    SqlRow, SqlRows,
};
use sip_oauth_registration::registrar::{Database, Listener, Node};

use super::{console, rows::Rows, sql};
use crate::http::{plain, with_type};

/// AXL's code for an object that does not exist, as in published samples.
const NOT_FOUND: i32 = 5007;
/// The database's code for a key that exists already.
const DUPLICATE: i32 = -239;
/// The database's code for a statement it cannot run.
const STATEMENT: i32 = -201;

/// Answers AXL requests of the application user it was made for.
pub(super) struct AxlService {
    database: Database,
    rows: Arc<Rows>,
    provider: Arc<CryptoProvider>,
    authorization: HeaderValue,
}

impl AxlService {
    /// An AXL service for `user`.
    ///
    /// # Errors
    ///
    /// When user and password cannot stand in a header field; base64 always can.
    pub(super) fn new(
        database: Database,
        rows: Arc<Rows>,
        provider: Arc<CryptoProvider>,
        user: &str,
        password: &str,
    ) -> Result<Self, hyper::header::InvalidHeaderValue> {
        let mut authorization = HeaderValue::try_from(format!(
            "Basic {}",
            STANDARD.encode(format!("{user}:{password}"))
        ))?;
        authorization.set_sensitive(true);
        Ok(Self {
            database,
            rows,
            provider,
            authorization,
        })
    }

    /// The answer to one HTTP request for the AXL path.
    pub(super) fn answer(&self, request: &Request<Bytes>) -> Response<Bytes> {
        if request.method() != Method::POST {
            return plain(StatusCode::METHOD_NOT_ALLOWED, "AXL takes POST\n");
        }
        if request.headers().get(AUTHORIZATION) != Some(&self.authorization) {
            let mut refused = plain(
                StatusCode::UNAUTHORIZED,
                "expected the application user's credentials\n",
            );
            refused.headers_mut().insert(
                WWW_AUTHENTICATE,
                HeaderValue::from_static("Basic realm=\"AXL\""),
            );
            return refused;
        }
        let soap_action = request
            .headers()
            .get("SOAPAction")
            .and_then(|value| value.to_str().ok());
        let reply = match Call::decode(request.body(), soap_action, &axl::Limits::default()) {
            Ok(call) => self.reply(&call),
            Err(error) => Reply::from(Fault::unreadable(&error)),
        };
        let status =
            StatusCode::from_u16(reply.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        with_type(status, Envelope::CONTENT_TYPE, reply.encode())
    }

    fn reply(&self, call: &Call) -> Reply {
        match self.perform(call.request.clone()) {
            Ok(answer) => call.reply(answer),
            Err(fault) => Reply::from(fault),
        }
    }

    fn perform(&self, request: axl::Request) -> Result<Answer, Fault> {
        let operation = request.operation();
        match request {
            axl::Request::AddExpresswayCConfiguration(add) => self.rows.edit(|rows| {
                let key = &add.host_name_or_ip;
                if rows
                    .iter()
                    .filter_map(|row| row.host_name_or_ip.as_ref())
                    .any(|host| host.is_same_host(key))
                {
                    let message = format!(
                        "Could not insert new row - duplicate value {key} in a unique column"
                    );
                    return Err(Fault::axl(DUPLICATE, &message, operation));
                }
                let uuid = self.new_uuid(operation)?;
                rows.push(axl::ExpresswayCConfiguration::from_add(add, uuid));
                Ok(Answer::AddExpresswayCConfiguration(Returned::Uuid(uuid)))
            }),
            axl::Request::UpdateExpresswayCConfiguration(update) => self.rows.edit(|rows| {
                let row = rows
                    .iter_mut()
                    .find(|row| update.key.selects(row))
                    .ok_or_else(|| no_row(operation))?;
                let uuid = row.uuid;
                update.apply_to(row);
                Ok(Answer::UpdateExpresswayCConfiguration(returned(uuid)))
            }),
            axl::Request::GetExpresswayCConfiguration(get) => {
                let rows = self.rows.read();
                let row = rows
                    .into_iter()
                    .find(|row| get.key.selects(row))
                    .ok_or_else(|| no_row(operation))?;
                let tags = get.returned_tags.unwrap_or(axl::ExpresswayCTags::ALL);
                Ok(Answer::GetExpresswayCConfiguration(row.only(tags)))
            }
            axl::Request::ListExpresswayCConfiguration(list) => {
                let matching = self.rows.read().into_iter().filter(|row| {
                    like(
                        list.host_name_or_ip.as_ref(),
                        row.host_name_or_ip.as_ref().map(axl::HostNameOrIp::as_str),
                    ) && like(
                        list.description.as_ref(),
                        row.description.value().map(axl::Text::as_str),
                    )
                });
                let rows =
                    page(matching, list.skip, list.first).map(|row| row.only(list.returned_tags));
                Ok(Answer::ListExpresswayCConfiguration(rows.collect()))
            }
            axl::Request::RemoveExpresswayCConfiguration(remove) => self.rows.edit(|rows| {
                let at = rows
                    .iter()
                    .position(|row| remove.key.selects(row))
                    .ok_or_else(|| no_row(operation))?;
                Ok(Answer::RemoveExpresswayCConfiguration(returned(
                    rows.remove(at).uuid,
                )))
            }),
            axl::Request::GetCallManager(get) => {
                let node = self.nodes().into_iter().find(|node| get.key.selects(node));
                let node = node.ok_or_else(|| {
                    Fault::axl(
                        NOT_FOUND,
                        "Item not valid: The specified CallManager was not found",
                        operation,
                    )
                })?;
                Ok(Answer::GetCallManager(node.only(
                    get.returned_tags.unwrap_or(axl::CallManagerTags::ALL),
                )))
            }
            axl::Request::ListCallManager(list) => {
                let matching = self.nodes().into_iter().filter(|node| {
                    like(
                        list.name.as_ref(),
                        node.name.as_ref().map(axl::ObjectName::as_str),
                    ) && like(
                        list.description.as_ref(),
                        node.description.as_ref().map(Prose::as_str),
                    )
                });
                let nodes =
                    page(matching, list.skip, list.first).map(|node| node.only(list.returned_tags));
                Ok(Answer::ListCallManager(nodes.collect()))
            }
            axl::Request::ExecuteSqlQuery(query) => {
                let tables = console::tables(&self.database.read());
                let selection = sql::select(query.sql.as_str(), &tables)
                    .map_err(|error| Fault::axl(STATEMENT, &error.to_string(), operation))?;
                Ok(Answer::ExecuteSqlQuery(sql_rows(&selection)))
            }
            _ => Err(Fault::axl(
                NOT_FOUND,
                "operation not available in the lab",
                operation,
            )),
        }
    }

    fn nodes(&self) -> Vec<CallManager> {
        self.database
            .read()
            .nodes()
            .iter()
            .map(call_manager)
            .collect()
    }

    /// A random identifier (RFC 9562 section 5.4).
    fn new_uuid(&self, operation: Operation) -> Result<axl::Uuid, Fault> {
        let mut bytes = [0; 16];
        self.provider
            .secure_random
            .fill(&mut bytes)
            .map_err(|_| Fault::axl(STATEMENT, "no random numbers", operation))?;
        let [_, _, _, _, _, _, version, _, variant, ..] = &mut bytes;
        *version = *version & 0x0f | 0x40;
        *variant = *variant & 0x3f | 0x80;
        Ok(axl::Uuid::from_bytes(bytes))
    }
}

fn no_row(operation: Operation) -> Fault {
    Fault::axl(
        NOT_FOUND,
        "Item not valid: The specified Expressway-C was not found",
        operation,
    )
}

fn returned(uuid: Option<axl::Uuid>) -> Returned {
    uuid.map_or(Returned::Success(true), Returned::Uuid)
}

fn call_manager(node: &Node) -> CallManager {
    let port = |listener| Some(node.ports.port(listener));
    let object_name = |text: &str| axl::ObjectName::new(text).ok();
    CallManager {
        uuid: None,
        name: object_name(&node.name),
        description: None,
        process_node_name: object_name(&node.name)
            .map(|name| axl::ProcessNodeName { name, uuid: None }),
        ports: Some(axl::Ports {
            ethernet_phone_port: Some(2000),
            mgcp_ports: Some(axl::MgcpPorts {
                listen: Some(2427),
                keep_alive: Some(2428),
            }),
            sip_ports: Some(axl::SipPorts {
                sip_phone_port: port(Listener::Sip),
                sip_phone_secure_port: port(Listener::SipSecure),
                sip_oauth_port: port(Listener::SipOAuth),
                sip_oauth_mra_port: port(Listener::SipMraOAuth),
            }),
        }),
    }
}

fn sql_rows(selection: &sql::Selection) -> SqlRows {
    let row = |cells: &Vec<String>| {
        selection
            .columns
            .iter()
            .zip(cells)
            .fold(SqlRow::default(), |row, (name, cell)| {
                match ColumnName::new(*name) {
                    Ok(name) => row.with(name, Some(Prose::lossy(cell))),
                    // Not reached: the columns of the lab's tables are XML names.
                    Err(_) => row,
                }
            })
    };
    SqlRows {
        rows: selection.rows.iter().map(row).collect(),
    }
}

/// `skip` counts only beside `first`, as the schema says.
fn page<T>(
    rows: impl Iterator<Item = T>,
    skip: Option<u64>,
    first: Option<u64>,
) -> impl Iterator<Item = T> {
    let number = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    let skip = if first.is_some() {
        skip.map_or(0, number)
    } else {
        0
    };
    rows.skip(skip).take(first.map_or(usize::MAX, number))
}

/// SQL `LIKE` with `%` only, without regard to case; no pattern matches everything.
fn like(pattern: Option<&Prose>, text: Option<&str>) -> bool {
    let Some(pattern) = pattern else { return true };
    let pattern = pattern.as_str().to_lowercase();
    let text = text.unwrap_or_default().to_lowercase();
    let mut pieces = pattern.split('%');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut last = None;
    for piece in pieces {
        if let Some(piece) = last.replace(piece) {
            match rest.split_once(piece) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
    }
    match last {
        None => rest.is_empty(),
        Some(piece) => rest.ends_with(piece),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_sql_does() {
        for (pattern, text, matches) in [
            ("%", "", true),
            ("%", "expc1.example.com", true),
            ("expc%", "EXPC1.example.com", true),
            ("%.example.com", "expc1.example.com", true),
            ("%1%com", "expc1.example.com", true),
            ("expc1", "expc1.example.com", false),
            ("%example", "expc1.example.com", false),
            ("a%a", "a", false),
        ] {
            assert_eq!(
                like(Some(&Prose::lossy(pattern)), Some(text)),
                matches,
                "{pattern} {text}"
            );
        }
        assert!(like(None, None));
    }
}
