//! `GET /cdn/attachments/{channel_id}/{attachment_id}/{filename}`

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use guildhall_model::attachment::Attachment;
use guildhall_model::{ChannelId, Id};
use guildhall_wire::FileUrls;

use crate::harness::{Caller, House};
use crate::uploads::form::{Form, PNG, channel_of, upload};

/// Somebody with a channel, who posts files.
struct Stage {
    house: House,
    ada: Caller,
    channel: String,
}

struct Fetched {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Stage {
    async fn set() -> Self {
        let house = House::open().await;
        let ada = house.person("ada").await;
        let (_, channel) = house.server(&ada).await;
        Self {
            house,
            ada,
            channel,
        }
    }

    fn channel(&self) -> ChannelId {
        channel_of(&self.house, &self.channel)
    }

    async fn upload(&self, name: &str, media_type: &str, content: &[u8]) -> Attachment {
        let body = Form::default().file(0, name, media_type, content).end();
        let received = upload(&self.house, &self.ada, &self.channel, body).await;
        received.unwrap().files.pop().unwrap()
    }

    /// Posts a file and gives its address from the path on.
    async fn post(&self, name: &str, media_type: &str, content: &[u8]) -> String {
        let file = self.upload(name, media_type, content).await;
        let files = std::slice::from_ref(&file);
        let uploads = self.house.app.uploads();
        let posted = uploads.posting(files, async { Ok(()) }, |()| true).await;
        posted.unwrap();
        self.address(&file)
    }

    fn address(&self, file: &Attachment) -> String {
        let urls = FileUrls::new("");
        urls.attachment(self.channel(), file).to_string()
    }

    async fn call(&self, method: &str, address: &str, headers: &[(&str, &str)]) -> Fetched {
        let mut request = Request::builder().method(method).uri(address);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.house.fetch(request.body(Body::empty()).unwrap()).await;
        let (parts, body) = response.into_parts();
        Fetched {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: to_bytes(body, usize::MAX).await.unwrap().to_vec(),
        }
    }

    async fn get(&self, address: &str) -> Fetched {
        self.call("GET", address, &[]).await
    }
}

impl Fetched {
    fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }
}

#[tokio::test]
async fn a_picture_is_shown_in_place_to_whoever_has_its_address() {
    let stage = Stage::set().await;
    let address = stage.post("my cat.png", "text/html", PNG).await;
    let fetched = stage.get(&address).await;
    assert_eq!(fetched.status, 200);
    assert_eq!(fetched.body, PNG);
    for (name, value) in [
        ("content-type", "image/png"),
        ("content-length", &PNG.len().to_string()),
        ("accept-ranges", "bytes"),
        ("cache-control", "public, max-age=31536000, immutable"),
        ("x-content-type-options", "nosniff"),
        ("cross-origin-resource-policy", "cross-origin"),
    ] {
        assert_eq!(fetched.header(name), value, "{name}");
    }
    assert!(fetched.header("content-disposition").starts_with("inline;"));
    assert!(
        fetched
            .header("content-security-policy")
            .starts_with("sandbox; default-src 'none'")
    );
    // What clients add for themselves changes nothing.
    let more = format!("{address}&width=64&format=webp");
    assert_eq!(stage.get(&more).await.body, PNG);
    let head = stage.call("HEAD", &address, &[]).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), PNG.len().to_string());
    assert_eq!(head.header("etag"), fetched.header("etag"));
}

#[tokio::test]
async fn what_could_run_is_a_download_of_text_or_bytes() {
    let stage = Stage::set().await;
    for (name, media_type, served) in [
        ("a.html", "text/html", "text/plain; charset=utf-8"),
        ("a.svg", "image/svg+xml", "text/plain; charset=utf-8"),
        ("a.js", "text/javascript", "text/plain; charset=utf-8"),
        ("a.png", "image/png", "application/octet-stream"),
        (
            "a.exe",
            "application/x-msdownload",
            "application/octet-stream",
        ),
    ] {
        let address = stage.post(name, media_type, b"<script>alert(1)").await;
        let fetched = stage.get(&address).await;
        assert_eq!(fetched.header("content-type"), served, "{name}");
        let disposition = fetched.header("content-disposition");
        assert!(disposition.starts_with("attachment;"), "{disposition}");
        assert_eq!(fetched.header("x-content-type-options"), "nosniff");
    }
}

#[tokio::test]
async fn a_download_has_its_name_in_any_language() {
    let stage = Stage::set().await;
    let address = stage.post("猫 1.txt", "text/plain", b"meow").await;
    let fetched = stage.get(&address).await;
    assert_eq!(
        fetched.header("content-disposition"),
        "attachment; filename=\"__1.txt\"; filename*=UTF-8''%E7%8C%AB%5F1%2Etxt"
    );
}

#[tokio::test]
async fn a_range_is_answered_with_just_that() {
    let stage = Stage::set().await;
    let content: Vec<u8> = (0..=u8::MAX).cycle().take(200_000).collect();
    let address = stage.post("a.bin", "text/plain", &content).await;
    for (range, part, expected) in [
        ("bytes=0-0", "bytes 0-0/200000", 0..1),
        (
            "bytes=65530-65540",
            "bytes 65530-65540/200000",
            65_530..65_541,
        ),
        (
            "bytes=199990-",
            "bytes 199990-199999/200000",
            199_990..200_000,
        ),
        ("bytes=-5", "bytes 199995-199999/200000", 199_995..200_000),
        ("bytes=0-999999", "bytes 0-199999/200000", 0..200_000),
    ] {
        let fetched = stage.call("GET", &address, &[("range", range)]).await;
        assert_eq!(fetched.status, 206, "{range}");
        assert_eq!(fetched.header("content-range"), part);
        let length = expected.len().to_string();
        assert_eq!(fetched.header("content-length"), length);
        assert!(fetched.body == content[expected], "{range}");
    }
    for range in ["bytes=0-1,4-5", "bytes=9-3", "lines=1-2", "bytes=x-"] {
        let fetched = stage.call("GET", &address, &[("range", range)]).await;
        assert_eq!(
            (fetched.status, fetched.body.len()),
            (200, 200_000),
            "{range}"
        );
        assert_eq!(fetched.header("content-range"), "");
    }
    let beyond = [("range", "bytes=200000-")];
    let fetched = stage.call("GET", &address, &beyond).await;
    assert_eq!((fetched.status, fetched.body.len()), (416, 0));
    assert_eq!(fetched.header("content-range"), "bytes */200000");
}

#[tokio::test]
async fn who_has_the_file_is_told_so() {
    let stage = Stage::set().await;
    let address = stage.post("a.png", "image/png", PNG).await;
    let tag = stage.get(&address).await.header("etag").to_owned();
    let other = stage.post("a.png", "image/png", PNG).await;
    assert_ne!(stage.get(&other).await.header("etag"), tag);
    for known in [&tag, "*", &format!("W/{tag}"), &format!("\"x\", {tag}")] {
        let known = [("if-none-match", known)];
        let fetched = stage.call("GET", &address, &known).await;
        assert_eq!((fetched.status, fetched.body.len()), (304, 0), "{known:?}");
        assert_eq!(fetched.header("etag"), tag);
    }
    let stale = [("if-none-match", "\"x\"")];
    assert_eq!(stage.call("GET", &address, &stale).await.status, 200);
    for (condition, status) in [
        (&*tag, 206),
        ("\"x\"", 200),
        (&format!("W/{tag}"), 200),
        ("Sat, 28 Nov 2026 16:08:14 GMT", 200),
    ] {
        let headers = [("if-range", condition), ("range", "bytes=0-1")];
        let fetched = stage.call("GET", &address, &headers).await;
        assert_eq!(fetched.status, status, "{condition}");
    }
}

#[tokio::test]
async fn an_address_that_was_not_given_out_names_nothing() {
    let stage = Stage::set().await;
    let good = stage.post("a.png", "image/png", PNG).await;
    let waiting = stage.address(&stage.upload("b.png", "image/png", PNG).await);
    let deleted = stage.upload("c.png", "image/png", PNG).await;
    stage
        .house
        .app
        .uploads()
        .discard(std::slice::from_ref(&deleted))
        .await;
    let (path, query) = good.split_once('?').unwrap();
    let channel = stage.channel().to_string();
    let elsewhere: ChannelId = Id::new(stage.channel().get() + 1).unwrap();
    let mut flipped = good.clone();
    let last = flipped.pop().unwrap();
    flipped.push(if last == '0' { '1' } else { '0' });
    for address in [
        path.to_owned(),
        format!("{path}?hm="),
        format!("{path}?hm={}", "0".repeat(32)),
        format!("{path}?x={query}"),
        flipped,
        good.replace(&channel, &elsewhere.to_string()),
        good.replace("a.png", "a.exe"),
        good.replace("a.png", "b.png"),
        good.replace("a.png", "..%2Fa.png"),
        good.replace("a.png", "a%0D%0Ax.png"),
        good.replace("a.png", "%FF"),
        good.replace(&channel, "x"),
        format!("/cdn/attachments/{channel}/0/a.png?{query}"),
        waiting,
        stage.address(&deleted),
    ] {
        let fetched = stage.get(&address).await;
        assert_eq!(fetched.status, 404, "{address}");
        let body = String::from_utf8(fetched.body).unwrap();
        assert!(body.contains("unknown_route"), "{address}: {body}");
        assert_eq!(fetched.headers["cache-control"], "no-store");
    }
    assert_eq!(stage.get(&good).await.status, 200);
    let posted = stage.call("POST", &good, &[]).await;
    assert_eq!(posted.status, 405);
}
