//! One request for the keys, and what its answer changes.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use hyper::{
    Method, StatusCode, Uri,
    header::{ACCEPT, ETAG, HeaderValue, IF_NONE_MATCH},
};
use sip_oauth_token::{KeyError, KeySet, KeySetBuilder};

use super::{Former, JwksClient, JwksError, JwksFailure, KeysNews, State};
use crate::{
    http::{Answer, Exchange, FetchFailure, printable, redirect},
    oauth::{freshness::Freshness, token_answer::retry_after},
};

impl JwksClient {
    /// Asks, follows redirects, and feeds the verifier.
    pub(super) async fn fetch(
        &self,
        state: &mut State,
    ) -> Result<(KeysNews, Freshness), (JwksError, Option<Duration>)> {
        let mut uri = self.url.clone();
        let mut left = self.max_redirects;
        let answer = loop {
            let failed = |failure| {
                (
                    JwksError {
                        url: printable(&uri),
                        failure,
                    },
                    None,
                )
            };
            let answer = self
                .once(&uri, state.etag.as_ref())
                .await
                .map_err(|error| (error, None))?;
            if !matches!(answer.status.as_u16(), 301 | 302 | 303 | 307 | 308) {
                break answer;
            }
            let next = redirect(&uri, &answer)
                .map_err(|failure| failed(JwksFailure::Redirect(Arc::new(failure))))?;
            left = left.checked_sub(1).ok_or_else(|| {
                let failure = FetchFailure::TooManyRedirects(self.max_redirects);
                failed(JwksFailure::Redirect(Arc::new(failure)))
            })?;
            uri = next;
        };
        let failed = |failure, wait| {
            (
                JwksError {
                    url: printable(&uri),
                    failure,
                },
                wait,
            )
        };
        let freshness = Freshness::of(&answer.headers, self.bounds);
        match answer.status {
            StatusCode::OK => {}
            // Only to a request that had an ETag, which came with a good set.
            StatusCode::NOT_MODIFIED if state.etag.is_some() => {
                return Ok((KeysNews::Unchanged, freshness));
            }
            status => {
                let wait = retry_after(&answer.headers);
                return Err(failed(JwksFailure::Status(status.as_u16()), wait));
            }
        }
        let keys = std::str::from_utf8(&answer.body)
            .map_err(|_| KeyError::Jwk("not UTF-8"))
            .and_then(|json| self.verifier.key_set_builder().jwk_set(json))
            .map_err(|error| failed(JwksFailure::Keys(error), None))?;
        let keys = self.take_over(state, keys);
        // By its keys, not by its text: an answer that may not be stored is no reason to check every signature again.
        let news = if self.verifier.replace_keys_of(&self.issuer, keys) {
            KeysNews::Replaced
        } else {
            KeysNews::Unchanged
        };
        state.etag = answer
            .headers
            .get(ETAG)
            .filter(|_| freshness.may_store)
            .cloned();
        Ok((news, freshness))
    }

    /// Takes over the set that is listed now, and gives it with the keys that were until lately.
    fn take_over(&self, state: &mut State, listed: KeySetBuilder) -> KeySet {
        let now = self.connector.clock().system_now();
        let keys = listed.clone().build();
        for skipped in keys.skipped() {
            tracing::debug!(reason = %skipped, "a key of the set was left out");
        }
        let before = state.keys.replace(keys.clone());
        state.former.retain(|former| now < former.end);
        if let Some(grace) = self.grace
            && let Some(end) = now.checked_add(grace)
            && let Some(before) = before
            && before
                .key_ids()
                .any(|kid| keys.key_ids().all(|listed| listed != kid))
        {
            // It lasts longer than those that hold no other key, which a server that goes back and forth would heap up.
            state.former.retain(|former| {
                let mut kids = former.keys.key_ids();
                kids.any(|kid| before.key_ids().all(|later| later != kid))
            });
            state.former.push(Former { keys: before, end });
        }
        // The latest first: a key that several had is good for as long as the last of them says.
        let former = state.former.iter().rev();
        former
            .fold(listed, |all, former| all.grace(&former.keys, former.end))
            .build()
    }

    async fn once(&self, uri: &Uri, etag: Option<&HeaderValue>) -> Result<Answer, JwksError> {
        let json = HeaderValue::from_static("application/jwk-set+json, application/json");
        let mut headers = vec![(ACCEPT, json)];
        headers.extend(etag.map(|etag| (IF_NONE_MATCH, etag.clone())));
        Exchange {
            method: Method::GET,
            uri,
            headers,
            body: Bytes::new(),
            subject: "keys",
            max_body_bytes: self.max_bytes,
            timeout: self.timeout,
        }
        .run(&self.connector)
        .await
        .map_err(|error| JwksError {
            url: error.url,
            failure: JwksFailure::Http(Arc::new(error.failure)),
        })
    }
}
