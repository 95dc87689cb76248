//! What is asked for, by method and path.

use lambda_http::http::Method;
use shared::secrets::keys::May;

use crate::problem::Problem;

/// What is asked for. Ids stand here as they were sent: they are looked at once it is known who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route<'p> {
    /// `GET /v1/openapi.json`, for everybody.
    Document,
    /// `POST /v1/incidents`
    Create,
    /// `PATCH /v1/incidents/{id}`, and `POST` below it.
    Act {
        /// What is to be done.
        verb: Verb,
        /// To which incident.
        incident: &'p str,
    },
    /// `GET /v1/incidents/{id}`
    Incident(&'p str),
    /// `GET /v1/requests/{request}`
    Request(&'p str),
    /// `POST /v1/webhooks/{source}`
    Webhook(Source),
    /// `POST /v1/test`
    Test,
}

/// What can be done to an incident that one knows the id of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Update,
    Acknowledge,
    Resolve,
    Note,
}

impl Verb {
    /// The `type` of the message that says the same.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Update => "update",
            Self::Acknowledge => "acknowledge",
            Self::Resolve => "resolve",
            Self::Note => "note",
        }
    }

    /// Whether it says enough by itself.
    pub(crate) fn needs_no_body(self) -> bool {
        matches!(self, Self::Acknowledge | Self::Resolve)
    }
}

/// Whose webhooks are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Alertmanager,
    Grafana,
}

impl Source {
    /// Its word in the intake's table of sources, and in the path.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Alertmanager => "alertmanager",
            Self::Grafana => "grafana",
        }
    }
}

impl Route<'_> {
    /// For the log.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Document => "openapi",
            Self::Create => "create",
            Self::Act { verb, .. } => verb.word(),
            Self::Incident(_) => "incident",
            Self::Request(_) => "request",
            Self::Webhook(source) => source.word(),
            Self::Test => "test",
        }
    }

    /// What a key has to be allowed.
    pub(crate) fn needs(&self) -> May {
        match self {
            Self::Create | Self::Act { .. } | Self::Webhook(_) => May::Write,
            Self::Document | Self::Incident(_) | Self::Request(_) => May::Read,
            Self::Test => May::Test,
        }
    }
}

/// What is asked for; else that there is no such address, or what it knows.
pub(crate) fn find<'p>(method: &Method, path: &'p str) -> Result<Route<'p>, Problem> {
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    let act = |verb, incident| Route::Act { verb, incident };
    // A path, and the routes at it; the methods are as they stand in `Allow`.
    let (allowed, route) = match parts.as_slice() {
        ["v1", "openapi.json"] => ("GET", Route::Document),
        ["v1", "incidents"] => ("POST", Route::Create),
        ["v1", "incidents", incident] if method == Method::PATCH => ("GET, PATCH", act(Verb::Update, *incident)),
        ["v1", "incidents", incident] => ("GET, PATCH", Route::Incident(incident)),
        ["v1", "incidents", incident, "acknowledge"] => ("POST", act(Verb::Acknowledge, *incident)),
        ["v1", "incidents", incident, "resolve"] => ("POST", act(Verb::Resolve, *incident)),
        ["v1", "incidents", incident, "notes"] => ("POST", act(Verb::Note, *incident)),
        ["v1", "requests", request] => ("GET", Route::Request(request)),
        ["v1", "webhooks", "alertmanager"] => ("POST", Route::Webhook(Source::Alertmanager)),
        ["v1", "webhooks", "grafana"] => ("POST", Route::Webhook(Source::Grafana)),
        ["v1", "test"] => ("POST", Route::Test),
        _ => return Err(Problem::not_found("There is no such address; GET /v1/openapi.json lists all there are.")),
    };
    if allowed.split(", ").any(|known| known == method.as_str()) { Ok(route) } else { Err(Problem::not_allowed(allowed)) }
}

#[cfg(test)]
mod tests {
    use lambda_http::http::StatusCode;
    use shared::slack::reply::Reply;

    use super::*;

    #[test]
    fn an_address_is_known_with_its_methods_or_not_at_all() {
        let route = |method: &str, path| find(&method.parse().expect("a method"), path);
        assert_eq!(route("POST", "/v1/incidents").ok(), Some(Route::Create));
        assert_eq!(route("GET", "/v1/incidents/INC-1").ok(), Some(Route::Incident("INC-1")));
        assert_eq!(route("PATCH", "/v1/incidents/INC-1").ok(), Some(Route::Act { verb: Verb::Update, incident: "INC-1" }));
        let refused = |method, path| Reply::from(route(method, path).expect_err("no route"));
        for (method, path, allowed) in
            [("PUT", "/v1/incidents/INC-1", "GET, PATCH"), ("GET", "/v1/incidents", "POST"), ("TRACE", "/v1/openapi.json", "GET")]
        {
            let reply = refused(method, path);
            assert_eq!(reply.status(), StatusCode::METHOD_NOT_ALLOWED);
            assert_eq!(reply.headers().get("allow").and_then(|allow| allow.to_str().ok()), Some(allowed));
        }
        for path in
            ["/", "", "/v1", "/v1/incidents/", "/v1/incidents/INC-1/", "/v1/incidents/INC-1/snooze", "/v2/incidents", "//v1/incidents"]
        {
            let status = route("POST", path).map(|_| ()).map_err(|problem| Reply::from(problem).status());
            let known = path == "/v1/incidents/";
            assert_eq!(status, Err(if known { StatusCode::METHOD_NOT_ALLOWED } else { StatusCode::NOT_FOUND }), "{path}");
        }
    }
}
