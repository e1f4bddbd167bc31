//! A node in a directory of its own, people who call it, and answers that read alike in each run.

mod judge;
mod redact;

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, Request, Response};
use guildhall_app::session_starts::SessionStarts;
use guildhall_app::sessions::NewSession;
use guildhall_app::{App, Context, Parts, Presented, Registration};
use guildhall_auth::access::AccessConfig;
use guildhall_auth::password::{Cost, HasherConfig};
use guildhall_auth::{AccessTokens, FileLinks, Hasher, InteractionTokens};
use guildhall_embedded::directory::FileDirectory;
use guildhall_embedded::log::{Durability, LogConfig, SegmentLog, Topic};
use guildhall_embedded::snapshots::FileSnapshots;
use guildhall_embedded::sqlite::{Projection, Relational};
use guildhall_host::session::SessionHandle;
use guildhall_host::{HostConfig, Node, Stores};
use guildhall_model::Timestamp;
use guildhall_model::interaction::{InteractionClaim, Occasion};
use guildhall_ports::Env;
use guildhall_ports::fake::{FakeBlobs, FakeClock, FakeQuotas, FakeWay};
use guildhall_rest::{GatewayUrl, Limits, Settings, router};
use guildhall_wire::{FileUrls, Installation, Spelling};
use judge::Judge;
use parking_lot::Mutex;
use redact::redact;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

/// 2026-01-02T03:04:05.678Z
const NOW: Timestamp = Timestamp(1_767_323_045_678);
pub(crate) const ACCESS_LIFETIME_S: u32 = 900;
pub(crate) const LOGIN_LIFETIME_S: u32 = 30 * 24 * 3_600;
const INTERACTION_KEY: [u8; 32] = [9; 32];
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// A node that serves.
pub(crate) struct House {
    pub(crate) app: App,
    pub(crate) blobs: FakeBlobs,
    /// The way to accounts and guilds.
    pub(crate) way: FakeWay<Relational>,
    node: Node,
    pub(crate) env: Env,
    registration: Registration,
    pub(crate) clock: FakeClock,
    pub(crate) spelling: Spelling,
    pub(crate) installation: Installation,
    router: Router,
    judge: &'static Judge,
    names: Mutex<HashMap<String, String>>,
    _dir: TempDir,
}

/// Somebody with a token.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) id: String,
    /// The whole header.
    pub(crate) authorization: String,
    pub(crate) refresh_token: String,
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl House {
    pub(crate) async fn open() -> Self {
        Self::with(Registration::Open, Vec::new()).await
    }

    pub(crate) async fn with(registration: Registration, origins: Vec<&'static str>) -> Self {
        Self::build(registration, origins, Limits::default()).await
    }

    /// A node that limits how often it is called.
    pub(crate) async fn limited(limits: Limits) -> Self {
        Self::build(Registration::Open, Vec::new(), limits).await
    }

    async fn build(registration: Registration, origins: Vec<&'static str>, limits: Limits) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = FakeClock::at(NOW);
        let env = clock.env(4_711);
        let (stores, way) = stores(&dir).await;
        let config = HostConfig {
            event_partitions: 2,
            session_partitions: 1,
            ..HostConfig::default()
        };
        let node = Node::start(config, env.clone(), stores).await.unwrap();
        let blobs = FakeBlobs::new();
        let parts = parts(node.clone(), &env, registration, blobs.clone());
        let app = App::start(parts).await.unwrap();
        let spelling = Spelling::new(0x9_8765_4321_0FED);
        let urls = FileUrls::new("https://chat.example");
        let installation = Installation { spelling, urls };
        let mut settings = settings(installation.clone());
        settings.limits = limits;
        settings.origins = origins
            .into_iter()
            .map(|origin| origin.parse().unwrap())
            .collect();
        let router = router(app.clone(), settings);
        let judge = Judge::of(&router).await;
        Self {
            app,
            blobs,
            way,
            node,
            env,
            registration,
            clock,
            spelling,
            installation,
            router,
            judge,
            names: Mutex::default(),
            _dir: dir,
        }
    }

    /// A node beside this one, as far as limits are concerned, that counts together with others.
    pub(crate) fn beside(&self, limits: Limits, quotas: &FakeQuotas) -> Router {
        let mut settings = settings(self.installation.clone());
        settings.limits = limits;
        settings.quotas = Some(Arc::new(quotas.clone()));
        router(self.app.clone(), settings)
    }

    /// The id and the token of an interaction by somebody with an application's command.
    pub(crate) fn begun(
        &self,
        channel: &str,
        application: &str,
        user: &Caller,
    ) -> (String, String) {
        let id = self.node.mint();
        let claim = InteractionClaim {
            id,
            application_id: self.spelling.parse(application).unwrap(),
            channel_id: self.spelling.parse(channel).unwrap(),
            user_id: self.spelling.parse(&user.id).unwrap(),
            occasion: Occasion::Command("test".to_owned()),
        };
        let tokens = InteractionTokens::new(&INTERACTION_KEY);
        (id.to_string(), tokens.mint(&claim).0)
    }

    /// The use cases as they begin after a restart, on the same node.
    pub(crate) async fn app_again(&self) -> App {
        let (node, blobs) = (self.node.clone(), self.blobs.clone());
        let parts = parts(node, &self.env, self.registration, blobs);
        App::start(parts).await.unwrap()
    }

    /// Opens a gateway session, as a socket of this login would.
    pub(crate) async fn session(&self, caller: &Caller) -> SessionHandle {
        let ctx = self.ctx(caller).await;
        let new = NewSession {
            intents: None,
            large_threshold: 250,
            shard: None,
            status: None,
            version: 10,
        };
        self.app.open_session(&ctx, new).await.unwrap()
    }

    /// Registers a person.
    pub(crate) async fn person(&self, name: &str) -> Caller {
        let body = self
            .post(None, "/auth/register", registration(name))
            .await
            .expect(201);
        self.sign(name, &body)
    }

    /// Registers several people.
    pub(crate) async fn people<const N: usize>(&self, names: [&str; N]) -> [Caller; N] {
        let mut people = Vec::new();
        for name in names {
            people.push(self.person(name).await);
        }
        people.try_into().unwrap()
    }

    /// Signs a person in once more, as from another device.
    pub(crate) async fn login(&self, name: &str) -> Caller {
        let form = json!({"username": name, "password": PASSWORD});
        let body = self.post(None, "/auth/login", form).await.expect(200);
        self.sign(name, &body)
    }

    fn sign(&self, name: &str, session: &Value) -> Caller {
        let id = text(&session["user"]["id"]);
        self.names.lock().insert(id.clone(), format!("<{name}>"));
        Caller {
            id,
            authorization: format!("Bearer {}", text(&session["access_token"])),
            refresh_token: text(&session["refresh_token"]),
        }
    }

    /// Makes an application and gives its bot.
    pub(crate) async fn bot(&self, owner: &Caller, name: &str) -> Caller {
        let made = self
            .post(owner, "/applications", json!({"name": name}))
            .await
            .expect(201);
        let id = text(&made["bot"]["id"]);
        self.names.lock().insert(id.clone(), format!("<{name}>"));
        let authorization = format!("Bot {}", text(&made["bot_token"]));
        Caller {
            id,
            authorization,
            refresh_token: String::new(),
        }
    }

    /// Makes a public server and gives its id and that of its channel `general`.
    pub(crate) async fn server(&self, owner: &Caller) -> (String, String) {
        let form = json!({"name": "Tavern", "is_public": true});
        let server = self.post(owner, "/servers", form).await.expect(201);
        let id = text(&server["id"]);
        let channels = self
            .get(owner, &format!("/servers/{id}/channels"))
            .await
            .expect(200);
        let channel = text(&channels[0]["id"]);
        let mut names = self.names.lock();
        names.insert(id.clone(), "<tavern>".to_owned());
        names.insert(channel.clone(), "<general>".to_owned());
        (id, channel)
    }

    /// Makes a server private.
    pub(crate) async fn close(&self, owner: &Caller, server: &str) {
        let form = json!({"is_public": false});
        self.put(owner, &format!("/servers/{server}"), form)
            .await
            .expect(200);
    }

    pub(crate) async fn join(&self, caller: &Caller, server: &str) {
        self.post(caller, &format!("/servers/{server}/join"), json!({}))
            .await
            .expect(200);
    }

    /// Posts a message and gives its id.
    pub(crate) async fn say(&self, caller: &Caller, channel: &str, content: &str) -> String {
        let path = format!("/channels/{channel}/messages");
        let message = self
            .post(caller, &path, json!({"content": content}))
            .await
            .expect(201);
        text(&message["id"])
    }

    pub(crate) async fn get(&self, who: impl Into<Option<&Caller>>, path: &str) -> Answer {
        self.call(who.into(), "GET", path, None).await
    }

    pub(crate) async fn post(
        &self,
        who: impl Into<Option<&Caller>>,
        path: &str,
        body: Value,
    ) -> Answer {
        self.call(who.into(), "POST", path, Some(body)).await
    }

    pub(crate) async fn put(
        &self,
        who: impl Into<Option<&Caller>>,
        path: &str,
        body: Value,
    ) -> Answer {
        self.call(who.into(), "PUT", path, Some(body)).await
    }

    pub(crate) async fn delete(&self, who: impl Into<Option<&Caller>>, path: &str) -> Answer {
        self.call(who.into(), "DELETE", path, None).await
    }

    pub(crate) async fn call(
        &self,
        who: Option<&Caller>,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(caller) = who {
            request = request.header(AUTHORIZATION, &caller.authorization);
        }
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let bytes = body
            .as_ref()
            .map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let answer = self.send(request.body(bytes).unwrap()).await;
        if let Some(body) = body.filter(|_| answer.status < 300) {
            self.judge.accepted(method, path, &body);
        }
        answer
    }

    /// Sends a request. Whatever comes back is as `/openapi.json` describes it.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        self.send_to(&self.router, request).await
    }

    /// The same to a node that is [`Self::beside`] this one.
    pub(crate) async fn send_to(&self, node: &Router, request: Request<Body>) -> Answer {
        let (method, path) = (
            request.method().to_string(),
            request.uri().path().to_owned(),
        );
        let response = node.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            assert_eq!(parts.headers[CONTENT_TYPE], "application/json");
            serde_json::from_slice(&bytes).unwrap()
        };
        self.judge
            .answered(&method, &path, parts.status.as_u16(), &body);
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        }
    }

    /// Sends a request whose answer is no JSON.
    pub(crate) async fn fetch(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// Who calls, as the use cases are told.
    pub(crate) async fn ctx(&self, caller: &Caller) -> Context {
        let presented = Presented::parse(&caller.authorization).unwrap();
        self.app.authenticate(&presented).await.unwrap()
    }

    /// Status and body with ids, times and secrets replaced by what they mean.
    pub(crate) fn show(&self, answer: &Answer) -> String {
        let mut body = answer.body.clone();
        let mut names = self.names.lock().clone();
        redact(&mut body, &mut names);
        format!(
            "{}\n{}",
            answer.status,
            serde_json::to_string_pretty(&body).unwrap()
        )
    }
}

impl Answer {
    /// The body, provided that the status is this one.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    /// Refuses every answer but this error.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.code()), (status, code), "{}", self.body);
    }

    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// Paths and codes of the fields that were refused.
    pub(crate) fn fields(&self) -> Vec<(String, String)> {
        let errors = self.body["errors"].as_array().cloned().unwrap_or_default();
        errors
            .iter()
            .map(|error| (text(&error["path"]), text(&error["code"])))
            .collect()
    }
}

pub(crate) fn registration(name: &str) -> Value {
    json!({"username": name, "email": format!("{name}@example.org"), "password": PASSWORD})
}

/// The text of a value that must be one.
#[track_caller]
pub(crate) fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
        .to_owned()
}

/// Without limits, and for no page of a browser.
fn settings(installation: Installation) -> Settings {
    Settings {
        installation,
        origins: Vec::new(),
        gateway: GatewayUrl::Fixed("wss://chat.example/gateway".to_owned()),
        limits: Limits::default(),
        quotas: None,
    }
}

fn parts(node: Node, env: &Env, registration: Registration, blobs: FakeBlobs) -> Parts {
    // Cheap hashes: what they cost is not what these tests are about.
    let hashing = HasherConfig {
        cost: Cost {
            memory_kib: 8,
            passes: 1,
            lanes: 1,
        },
        running_max: NonZeroUsize::MIN,
        waiting_max: 100,
    };
    let access = AccessConfig {
        issuer: "guildhall".to_owned(),
        audience: "guildhall".to_owned(),
        lifetime_s: ACCESS_LIFETIME_S,
    };
    Parts {
        node,
        hasher: Hasher::new(hashing, env.random.clone()).unwrap(),
        access_tokens: AccessTokens::new(&[7; 32], access),
        file_links: FileLinks::new(&[8; 32]),
        interaction_tokens: InteractionTokens::new(&INTERACTION_KEY),
        blobs: Arc::new(blobs),
        quotas: None,
        settings: guildhall_app::Settings {
            registration,
            login_lifetime_s: LOGIN_LIFETIME_S,
            session_starts: SessionStarts::DEFAULT,
        },
    }
}

async fn stores(dir: &TempDir) -> (Stores, FakeWay<Relational>) {
    let path = |name: &str| dir.path().join(name);
    let relational = Arc::new(Relational::open(&path("guildhall.db")).await.unwrap());
    let projection = Arc::new(Projection::open(&path("messages.db")).await.unwrap());
    let random = Env::system().random;
    let log = |name, topic| {
        let config = LogConfig {
            durability: Durability::Os,
            ..LogConfig::default()
        };
        Arc::new(SegmentLog::open(&path(name), topic, config, random.clone()).unwrap())
    };
    let way = FakeWay::to(relational.clone());
    let stores = Stores {
        accounts: Arc::new(way.clone()),
        guilds: Arc::new(way.clone()),
        commands: relational,
        messages: projection,
        events: log("events", Topic::Events),
        frames: log("frames", Topic::Frames),
        snapshots: Arc::new(FileSnapshots::open(path("snapshots")).unwrap()),
        directory: Arc::new(FileDirectory::open(path("directory")).unwrap()),
        relational: way.standing(),
    };
    (stores, way)
}
