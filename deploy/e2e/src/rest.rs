//! REST calls whose answers are looked at whole.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, RANGE};
use hyper::{Method, Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::soon;

/// A server's REST interface, for one caller.
#[derive(Clone, Debug)]
pub struct Rest {
    http: Client<HttpConnector, Full<Bytes>>,
    address: SocketAddr,
    authorization: Option<String>,
    range: Option<String>,
}

/// An answer, whatever its status.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    asked: String,
}

impl Rest {
    /// A caller without credentials.
    pub fn new(address: SocketAddr) -> Self {
        let http = Client::builder(TokioExecutor::new()).build_http();
        Self {
            http,
            address,
            authorization: None,
            range: None,
        }
    }

    /// The same server, called with this header, such as `Bearer …`.
    pub fn authorized(&self, header: impl Into<String>) -> Self {
        Self {
            authorization: Some(header.into()),
            ..self.clone()
        }
    }

    /// The same caller, who wants this part of what there is, such as `bytes=0-99`.
    pub fn ranged(&self, range: impl Into<String>) -> Self {
        Self {
            range: Some(range.into()),
            ..self.clone()
        }
    }

    /// Where it calls.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None).await
    }

    /// POST of a JSON body.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, Some(body)).await
    }

    /// PUT of a JSON body.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PUT, path, Some(body)).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path, None).await
    }

    /// Any method, with a JSON body or none.
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        match body {
            Some(body) => {
                self.send(method, path, Some("application/json"), body.to_string())
                    .await
            }
            None => self.send(method, path, None, Bytes::new()).await,
        }
    }

    /// Any bytes as the body, of any type.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        content_type: Option<&str>,
        body: impl Into<Bytes>,
    ) -> Answer {
        let answer = self.try_send(method, path, content_type, body).await;
        answer.unwrap_or_else(|error| panic!("{path}: no answer: {error}"))
    }

    /// As [`Self::send`], where the server may be gone.
    pub async fn try_send(
        &self,
        method: Method,
        path: &str,
        content_type: Option<&str>,
        body: impl Into<Bytes>,
    ) -> Result<Answer, String> {
        let asked = format!("{method} {path}");
        let mut request = Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address));
        if let Some(value) = &self.authorization {
            request = request.header(AUTHORIZATION, value);
        }
        if let Some(value) = &self.range {
            request = request.header(RANGE, value);
        }
        if let Some(value) = content_type {
            request = request.header(CONTENT_TYPE, value);
        }
        let request = request
            .body(Full::new(body.into()))
            .map_err(|error| error.to_string())?;
        let exchange = async {
            let answer = self.http.request(request).await;
            let answer = answer.map_err(|error| format!("{error:?}"))?;
            let (head, body) = answer.into_parts();
            let body = body.collect().await.map_err(|error| error.to_string())?;
            Ok(Answer {
                status: head.status,
                headers: head.headers,
                body: body.to_bytes(),
                asked: asked.clone(),
            })
        };
        soon(&asked, exchange).await
    }
}

impl Answer {
    /// The JSON body of an answer that must have this status; `null` where there is no body.
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(
            self.status.as_u16(),
            status,
            "{}: {}",
            self.asked,
            self.text()
        );
        self.json()
    }

    /// The text of an answer that must have this status.
    pub fn expect_text(&self, status: u16) -> String {
        assert_eq!(self.status.as_u16(), status, "{}", self.asked);
        self.text()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        if self.body.is_empty() {
            return Value::Null;
        }
        let json = serde_json::from_slice(&self.body);
        json.unwrap_or_else(|error| panic!("{}: {error}: {}", self.asked, self.text()))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Status and code of a refusal, which is JSON with a code and a message.
    pub fn refusal(&self) -> (u16, String) {
        let body = self.json();
        let code = body["code"].as_str();
        let code = code.unwrap_or_else(|| panic!("{}: no code: {body}", self.asked));
        let message = body["message"].as_str().unwrap_or_default();
        assert!(!message.is_empty(), "{}: no message: {body}", self.asked);
        (self.status.as_u16(), code.to_owned())
    }
}
