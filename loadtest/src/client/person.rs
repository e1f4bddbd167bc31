//! A person who is logged in: the native dialect's routes, with tokens that are renewed in time.

use std::sync::Arc;

use hyper::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::{Mutex, RwLock};

use super::api::{Api, CallError, Reply};
use super::objects::{Application, Channel, Login, Message, Overwrite, PageQuery, Server, User};

/// A person with a login. Clones are the same login.
#[derive(Clone)]
pub struct Person(Arc<Inner>);

struct Inner {
    api: Api,
    user: User,
    email: String,
    password: String,
    tokens: RwLock<Tokens>,
    /// Held while tokens are renewed, so that one refresh token is used once.
    renewal: Mutex<()>,
}

struct Tokens {
    access: String,
    refresh: String,
}

/// What somebody registers with.
#[derive(Clone, Serialize)]
#[expect(missing_docs, reason = "the names are those of the dialect")]
pub struct Registration {
    pub username: String,
    pub email: String,
    pub password: String,
}

const NO_BODY: Option<&Value> = None;

impl Person {
    /// `POST /auth/register`
    pub async fn register(
        api: &Api,
        registration: &Registration,
    ) -> Result<Reply<Self>, CallError> {
        let route = (Method::POST, "/auth/register");
        let login = api.call(route, None, Some(registration)).await?;
        Ok(login.map(|login| Self::new(api, registration, login)))
    }

    /// `POST /auth/login`, for somebody who registered earlier.
    pub async fn login(api: &Api, registration: &Registration) -> Result<Reply<Self>, CallError> {
        let login = log_in(api, &registration.email, &registration.password).await?;
        Ok(login.map(|login| Self::new(api, registration, login)))
    }

    fn new(api: &Api, registration: &Registration, login: Login) -> Self {
        Self(Arc::new(Inner {
            api: api.clone(),
            user: login.user,
            email: registration.email.clone(),
            password: registration.password.clone(),
            tokens: RwLock::new(Tokens {
                access: login.access_token,
                refresh: login.refresh_token,
            }),
            renewal: Mutex::new(()),
        }))
    }

    /// The user's id.
    pub fn id(&self) -> &str {
        &self.0.user.id
    }

    /// The present access token.
    pub async fn access_token(&self) -> String {
        self.0.tokens.read().await.access.clone()
    }

    /// Replaces the access token, unless somebody else has replaced `stale` already:
    /// `POST /auth/refresh`, and `POST /auth/login` where that is refused, because a refresh whose
    /// answer was lost has used the refresh token up.
    pub async fn renew(&self, stale: &str) -> Result<(), CallError> {
        let inner = &*self.0;
        let _alone = inner.renewal.lock().await;
        let refresh = {
            let tokens = inner.tokens.read().await;
            if tokens.access != stale {
                return Ok(());
            }
            json!({ "refresh_token": tokens.refresh })
        };
        let route = (Method::POST, "/auth/refresh");
        let login: Reply<Login> = match inner.api.call(route, None, Some(&refresh)).await {
            Err(error) if !error.is_passing() => {
                log_in(&inner.api, &inner.email, &inner.password).await?
            }
            other => other?,
        };
        *inner.tokens.write().await = Tokens {
            access: login.body.access_token,
            refresh: login.body.refresh_token,
        };
        Ok(())
    }

    /// `POST /servers`
    pub async fn create_server(&self, name: &str) -> Result<Reply<Server>, CallError> {
        let body = json!({ "name": name, "is_public": true });
        self.call((Method::POST, "/servers"), Some(&body)).await
    }

    /// `POST /servers/{id}/join`, without a code if the server is public.
    pub async fn join_server(
        &self,
        server: &str,
        code: Option<&str>,
    ) -> Result<Reply<()>, CallError> {
        let body = code.map_or_else(|| json!({}), |code| json!({ "code": code }));
        let path = format!("/servers/{server}/join");
        self.done((Method::POST, &path), Some(&body)).await
    }

    /// `GET /servers/{id}/channels`
    pub async fn channels(&self, server: &str) -> Result<Reply<Vec<Channel>>, CallError> {
        let path = format!("/servers/{server}/channels");
        self.call((Method::GET, &path), NO_BODY).await
    }

    /// `POST /servers/{id}/channels`
    pub async fn create_channel(
        &self,
        server: &str,
        name: &str,
        overwrites: &[Overwrite],
    ) -> Result<Reply<Channel>, CallError> {
        let body = json!({
            "name": name,
            "type": "text",
            "permissions": { "overwrites": overwrites },
        });
        let path = format!("/servers/{server}/channels");
        self.call((Method::POST, &path), Some(&body)).await
    }

    /// `PUT /channels/{id}`: replaces the overwrites.
    pub async fn set_overwrites(
        &self,
        channel: &str,
        overwrites: &[Overwrite],
    ) -> Result<Reply<()>, CallError> {
        let body = json!({ "permissions": { "overwrites": overwrites } });
        let path = format!("/channels/{channel}");
        self.done((Method::PUT, &path), Some(&body)).await
    }

    /// `POST /channels/{id}/messages`
    pub async fn post(
        &self,
        channel: &str,
        content: &str,
        nonce: &str,
    ) -> Result<Reply<Message>, CallError> {
        let body = json!({ "content": content, "nonce": nonce });
        let path = format!("/channels/{channel}/messages");
        self.call((Method::POST, &path), Some(&body)).await
    }

    /// `GET /channels/{id}/messages`
    pub async fn messages(
        &self,
        channel: &str,
        query: &PageQuery<'_>,
    ) -> Result<Reply<Vec<Message>>, CallError> {
        let limit = query.limit.map(|limit| limit.to_string());
        let pairs = [
            ("before", query.before),
            ("after", query.after),
            ("around", query.around),
            ("limit", limit.as_deref()),
        ];
        let mut path = format!("/channels/{channel}/messages");
        let mut mark = "?";
        for (name, value) in pairs {
            if let Some(value) = value {
                path.extend([mark, name, "=", value]);
                mark = "&";
            }
        }
        self.call((Method::GET, &path), NO_BODY).await
    }

    /// `PUT /messages/{id}`
    pub async fn edit(&self, message: &str, content: &str) -> Result<Reply<Message>, CallError> {
        let body = json!({ "content": content });
        let path = format!("/messages/{message}");
        self.call((Method::PUT, &path), Some(&body)).await
    }

    /// `DELETE /messages/{id}`
    pub async fn delete(&self, message: &str) -> Result<Reply<()>, CallError> {
        let path = format!("/messages/{message}");
        self.done((Method::DELETE, &path), NO_BODY).await
    }

    /// `POST /messages/{id}/reactions`
    pub async fn react(&self, message: &str, emoji: &str) -> Result<Reply<()>, CallError> {
        let body = json!({ "emoji": emoji });
        let path = format!("/messages/{message}/reactions");
        self.done((Method::POST, &path), Some(&body)).await
    }

    /// `POST /applications`
    pub async fn create_application(&self, name: &str) -> Result<Reply<Application>, CallError> {
        let body = json!({ "name": name });
        self.call((Method::POST, "/applications"), Some(&body))
            .await
    }

    /// `PUT /servers/{id}/bots/{application}`
    pub async fn add_bot(&self, server: &str, application: &str) -> Result<Reply<()>, CallError> {
        let path = format!("/servers/{server}/bots/{application}");
        self.done((Method::PUT, &path), NO_BODY).await
    }

    async fn done<B: Serialize + Sync>(
        &self,
        route: (Method, &str),
        body: Option<&B>,
    ) -> Result<Reply<()>, CallError> {
        // Whatever the answer shows of the object is of no interest.
        let reply: Reply<serde::de::IgnoredAny> = self.call(route, body).await?;
        Ok(reply.map(|_| ()))
    }

    async fn call<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        (method, path): (Method, &str),
        body: Option<&B>,
    ) -> Result<Reply<T>, CallError> {
        let token = self.access_token().await;
        let first = self.0.api.call((method.clone(), path), Some(&token), body);
        match first.await {
            Err(error) if error.status() == 401 => {
                self.renew(&token).await?;
                let token = self.access_token().await;
                self.0.api.call((method, path), Some(&token), body).await
            }
            other => other,
        }
    }
}

async fn log_in(api: &Api, email: &str, password: &str) -> Result<Reply<Login>, CallError> {
    let body = json!({ "email": email, "password": password });
    api.call((Method::POST, "/auth/login"), None, Some(&body))
        .await
}

#[cfg(test)]
mod tests;
