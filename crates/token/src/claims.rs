//! Holding claims against a policy (RFC 7519 section 4.1, RFC 9068 section 4).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Number;

use crate::error::{TokenError, TokenErrorKind, quoted};
use crate::json::{Json, Members};
use crate::policy::Policy;
use crate::verified::{Form, Grant};

/// Claims that passed, and the times between which they would pass again.
#[derive(Clone, Debug)]
pub(crate) struct Judged {
    pub(crate) grant: Grant,
    pub(crate) valid_from: SystemTime,
    pub(crate) valid_until: SystemTime,
}

/// Whether the claims say that they make a refresh token: `ctyp` `refresh`, as Unified CM writes; `typ`
/// `Refresh` or `token_type` `refresh_token`, as other servers do.
pub(crate) fn is_refresh(claims: &Members<'_>, policy: &Policy) -> bool {
    [policy.claim_names.class.as_str(), "typ", "token_type"]
        .into_iter()
        .filter_map(|name| claims.get(name)?.as_str())
        .any(|class| {
            class.eq_ignore_ascii_case("refresh") || class.eq_ignore_ascii_case("refresh_token")
        })
}

/// Judges the claims of an access token.
pub(crate) fn judge(
    claims: &Members<'_>,
    form: Form,
    policy: &Policy,
    now: SystemTime,
) -> Result<Judged, TokenError> {
    let names = &policy.claim_names;
    for name in &policy.required_claims {
        match claims.get(name) {
            None | Some(Json::Null) => return Err(TokenErrorKind::ClaimAbsent.claim(name)),
            Some(Json::String(text)) if text.is_empty() => {
                return Err(TokenErrorKind::ClaimAbsent.claim(name));
            }
            Some(_) => {}
        }
    }
    let issuer = check_issuer(claims, policy)?;
    let audience = check_audience(claims, form, policy)?;
    let times = check_times(claims, policy, now)?;
    let subject = required_string(claims, &names.user)?;
    let scopes = scopes(claims, policy)?;
    Ok(Judged {
        grant: Grant {
            form,
            issuer,
            subject,
            client_id: string(claims, &names.client_id)?.map(str::to_owned),
            audience,
            scopes,
            token_id: string(claims, &names.token_id)?.map(str::to_owned),
            issued_at: times.issued_at,
            expires_at: times.expires_at,
        },
        valid_from: times.valid_from,
        valid_until: times.valid_until,
    })
}

/// Claim `iss` (RFC 7519 section 4.1.1), always required.
pub(crate) fn check_issuer(claims: &Members<'_>, policy: &Policy) -> Result<String, TokenError> {
    let issuer = required_string(claims, "iss")?;
    if policy.issuers.contains(&issuer) {
        return Ok(issuer);
    }
    let expected = list(&policy.issuers);
    let found = quoted(&issuer);
    Err(TokenErrorKind::Issuer { expected, found }.claim("iss"))
}

/// Claim `aud` (RFC 7519 section 4.1.3): one string, or an array of strings.
fn check_audience(
    claims: &Members<'_>,
    form: Form,
    policy: &Policy,
) -> Result<Vec<String>, TokenError> {
    let wrong_type = || {
        TokenErrorKind::ClaimType {
            expected: "a string or an array of strings",
        }
        .claim("aud")
    };
    let audience: Vec<String> = match claims.get("aud") {
        None => Vec::new(),
        Some(Json::String(one)) => vec![one.to_string()],
        Some(Json::Array(several)) => several
            .iter()
            .map(|one| one.as_str().map(str::to_owned).ok_or_else(wrong_type))
            .collect::<Result<_, _>>()?,
        Some(_) => return Err(wrong_type()),
    };
    let accepted = if policy.audiences.is_empty() {
        // Unified CM's form has no audience that is known.
        audience.is_empty() || form == Form::UnifiedCm
    } else {
        audience.iter().any(|one| policy.audiences.contains(one))
    };
    if accepted {
        return Ok(audience);
    }
    let expected = list(&policy.audiences);
    let found = list(audience.get(..4.min(audience.len())).unwrap_or_default());
    Err(TokenErrorKind::Audience { expected, found }.claim("aud"))
}

pub(crate) struct Times {
    pub(crate) issued_at: Option<SystemTime>,
    pub(crate) expires_at: SystemTime,
    valid_from: SystemTime,
    valid_until: SystemTime,
}

/// Claims `exp`, `nbf`, `iat` (RFC 7519 sections 4.1.4 to 4.1.6) and the lifetime they span.
pub(crate) fn check_times(
    claims: &Members<'_>,
    policy: &Policy,
    now: SystemTime,
) -> Result<Times, TokenError> {
    let leeway = policy.leeway;
    let expires_at =
        numeric_date(claims, "exp")?.ok_or_else(|| TokenErrorKind::ClaimAbsent.claim("exp"))?;
    let issued_at = numeric_date(claims, "iat")?;
    let not_before = numeric_date(claims, "nbf")?;

    // "the current date/time MUST be before the expiration date/time"
    let valid_until = later(expires_at, leeway);
    if now >= valid_until {
        let ago = now.duration_since(expires_at).unwrap_or_default();
        return Err(TokenErrorKind::Expired { ago }.claim("exp"));
    }
    if let Some(not_before) = not_before
        && now < earlier(not_before, leeway)
    {
        let ahead = not_before.duration_since(now).unwrap_or_default();
        return Err(TokenErrorKind::NotYetValid { ahead }.claim("nbf"));
    }
    if let Some(issued_at) = issued_at
        && now < earlier(issued_at, leeway)
    {
        let ahead = issued_at.duration_since(now).unwrap_or_default();
        return Err(TokenErrorKind::IssuedInFuture { ahead }.claim("iat"));
    }
    let found = match issued_at {
        // One clock made both, so no leeway helps.
        Some(issued_at) => expires_at
            .duration_since(issued_at)
            .map_err(|_| TokenErrorKind::EndsBeforeIssued.claim("exp"))?,
        None => expires_at.duration_since(now).unwrap_or_default(),
    };
    if found > policy.max_lifetime {
        let max = policy.max_lifetime;
        return Err(TokenErrorKind::Lifetime { max, found }.claim("exp"));
    }
    let starts = [
        not_before.map(|time| earlier(time, leeway)),
        match issued_at {
            Some(time) => Some(earlier(time, leeway)),
            // Without `iat` the lifetime counts from now, so an earlier now would find it longer.
            None => Some(earlier(expires_at, policy.max_lifetime)),
        },
    ];
    let valid_from = starts.into_iter().flatten().max().unwrap_or(UNIX_EPOCH);
    Ok(Times {
        issued_at,
        expires_at,
        valid_from,
        valid_until,
    })
}

pub(crate) fn later(time: SystemTime, by: Duration) -> SystemTime {
    time.checked_add(by).unwrap_or(time)
}

fn earlier(time: SystemTime, by: Duration) -> SystemTime {
    time.checked_sub(by).unwrap_or(UNIX_EPOCH)
}

fn numeric_date(claims: &Members<'_>, name: &str) -> Result<Option<SystemTime>, TokenError> {
    let date = match claims.get(name) {
        None => return Ok(None),
        Some(Json::Number(number)) => time(number),
        Some(_) => None,
    };
    let expected = "a time in seconds since 1970";
    date.map(Some)
        .ok_or_else(|| TokenErrorKind::ClaimType { expected }.claim(name))
}

/// A NumericDate (RFC 7519 section 2): seconds since 1970, a fraction allowed. `None` where it is out of
/// the range of times.
pub(crate) fn time(number: &Number) -> Option<SystemTime> {
    let since_epoch = match number.as_u64() {
        Some(seconds) => Duration::from_secs(seconds),
        None => Duration::try_from_secs_f64(number.as_f64()?).ok()?,
    };
    UNIX_EPOCH.checked_add(since_epoch)
}

/// Granted scopes: words separated by one blank each (RFC 6749 section 3.3).
fn scopes(claims: &Members<'_>, policy: &Policy) -> Result<Vec<String>, TokenError> {
    let name = &policy.claim_names.scope;
    let granted: Vec<String> = string(claims, name)?
        .unwrap_or_default()
        .split(' ')
        .filter(|scope| !scope.is_empty())
        .map(str::to_owned)
        .collect();
    match policy
        .required_scopes
        .iter()
        .find(|scope| !granted.contains(scope))
    {
        None => Ok(granted),
        Some(missing) => Err(TokenErrorKind::Scope {
            missing: missing.clone(),
        }
        .claim(name)),
    }
}

/// A string claim that must be there and not be empty.
pub(crate) fn required_string(claims: &Members<'_>, name: &str) -> Result<String, TokenError> {
    match string(claims, name)? {
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err(TokenErrorKind::ClaimAbsent.claim(name)),
    }
}

fn string<'a>(claims: &'a Members<'_>, name: &str) -> Result<Option<&'a str>, TokenError> {
    match claims.get(name) {
        None => Ok(None),
        Some(Json::String(text)) => Ok(Some(text)),
        Some(_) => Err(TokenErrorKind::ClaimType {
            expected: "a string",
        }
        .claim(name)),
    }
}

/// `"a" or "b"`, for an error.
pub(crate) fn list<T: AsRef<str>>(values: &[T]) -> String {
    if values.is_empty() {
        return "none".to_owned();
    }
    values
        .iter()
        .map(|value| quoted(value.as_ref()))
        .collect::<Vec<_>>()
        .join(" or ")
}
