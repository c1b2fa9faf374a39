//! Host names to addresses.

use std::{collections::HashMap, fmt, future::Future, io, net::IpAddr, pin::Pin, sync::Arc};

/// A boxed future that may be awaited on any thread; what this crate's async traits return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Turns a host name into the addresses to try, best first.
///
/// Literal IP addresses never reach a resolver.
pub trait Resolver: Send + Sync + fmt::Debug {
    /// The addresses of `name`.
    ///
    /// # Errors
    ///
    /// Whatever the source of names reports; [`io::ErrorKind::NotFound`] when the name is not known.
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>>;
}

/// The operating system's resolver (`getaddrinfo`), run on the blocking pool.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            let mut addresses = Vec::new();
            for address in tokio::net::lookup_host((name, 0)).await? {
                if !addresses.contains(&address.ip()) {
                    addresses.push(address.ip());
                }
            }
            Ok(addresses)
        })
    }
}

/// A fixed table of names, compared without regard to case and to a trailing dot.
///
/// For laboratories, tests, and estates where a node's name is not in the DNS of the client.
///
/// # Examples
///
/// ```
/// use std::net::{IpAddr, Ipv4Addr};
/// use sip_oauth_tokio::{Resolver, StaticResolver};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
/// let names = StaticResolver::new().with("cucm1.example.com", IpAddr::V4(Ipv4Addr::LOCALHOST));
/// assert_eq!(names.resolve("CUCM1.example.com").await?, [IpAddr::V4(Ipv4Addr::LOCALHOST)]);
/// assert!(names.resolve("cucm2.example.com").await.is_err());
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Default)]
pub struct StaticResolver {
    names: HashMap<String, Vec<IpAddr>>,
    fallback: Option<Arc<dyn Resolver>>,
}

impl StaticResolver {
    /// An empty table without a fallback.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one address to `name`; several calls add several addresses, tried in that order.
    #[must_use]
    pub fn with(mut self, name: &str, address: IpAddr) -> Self {
        self.names.entry(key(name)).or_default().push(address);
        self
    }

    /// Asks `resolver` for names that are not in the table.
    #[must_use]
    pub fn falling_back_to(mut self, resolver: Arc<dyn Resolver>) -> Self {
        self.fallback = Some(resolver);
        self
    }
}

impl Resolver for StaticResolver {
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            match (self.names.get(&key(name)), &self.fallback) {
                (Some(addresses), _) => Ok(addresses.clone()),
                (None, Some(fallback)) => fallback.resolve(name).await,
                (None, None) => Err(io::Error::new(
                    io::ErrorKind::NotFound,
                    format!("{name} is not in the table of names"),
                )),
            }
        })
    }
}

fn key(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// The addresses of `host`: itself when it is a literal address (brackets allowed), the resolver's answer otherwise.
///
/// # Errors
///
/// The resolver's error, or [`io::ErrorKind::NotFound`] when it knows the name but no address.
pub(crate) async fn addresses(resolver: &dyn Resolver, host: &str) -> io::Result<Vec<IpAddr>> {
    if let Some(address) = literal(host) {
        return Ok(vec![address]);
    }
    let addresses = resolver.resolve(host).await?;
    if addresses.is_empty() {
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            format!("{host} has no address"),
        ));
    }
    Ok(addresses)
}

/// `host` as a literal address; `[2001:db8::1]` as well as `2001:db8::1`.
pub(crate) fn literal(host: &str) -> Option<IpAddr> {
    let inner = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(host);
    inner.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[tokio::test]
    async fn literal_addresses_do_not_need_a_resolver() {
        let nobody = StaticResolver::new();
        assert_eq!(
            addresses(&nobody, "192.0.2.7").await.unwrap(),
            [IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7))]
        );
        let six: IpAddr = "2001:db8::1".parse().unwrap();
        assert_eq!(addresses(&nobody, "[2001:db8::1]").await.unwrap(), [six]);
        assert_eq!(addresses(&nobody, "2001:db8::1").await.unwrap(), [six]);
    }

    #[tokio::test]
    async fn a_table_falls_back_only_when_told() {
        let inner = StaticResolver::new().with("b.example.com", IpAddr::V4(Ipv4Addr::LOCALHOST));
        let outer = StaticResolver::new().falling_back_to(Arc::new(inner));
        assert!(outer.resolve("b.example.com.").await.is_ok());
        assert_eq!(
            outer.resolve("c.example.com").await.unwrap_err().kind(),
            io::ErrorKind::NotFound
        );
    }
}
