//! Files that came through one node are there on all.

use guildhall_e2e::person::text;
use guildhall_e2e::{Person, Rest, Server};
use guildhall_engines::Engines;
use hyper::Method;
use tokio::runtime::Runtime;

use crate::{alone, migrate, nodes};

const FORM: &str = "multipart/form-data; boundary=XbX";

/// Posts a message with a file; the file's address from the path on.
async fn post(ada: &Person, channel: &str, content: &[u8]) -> String {
    let head = "--XbX\r\nContent-Disposition: form-data; name=\"files[0]\"; filename=\"song.ogg\"\r\n\
                Content-Type: audio/ogg\r\n\r\n";
    let body = [head.as_bytes(), content, b"\r\n--XbX--\r\n"].concat();
    let path = format!("/api/v10/channels/{channel}/messages");
    let posted = ada.rest.send(Method::POST, &path, Some(FORM), body).await;
    let address = text(&posted.expect(200), "/attachments/0/url");
    let origin = format!("http://{}", ada.rest.address());
    address
        .strip_prefix(&origin)
        .expect("it is one of ours")
        .to_owned()
}

#[test]
fn a_file_that_came_through_one_node_is_served_by_another_when_the_first_is_dead() {
    let Some(engines) = Engines::of_environment() else {
        return;
    };
    let _alone = alone();
    migrate(&engines);
    let runtime = Runtime::new().unwrap();
    runtime.block_on(serve_what_another_took(&engines));
}

async fn serve_what_another_took(engines: &Engines) {
    let both = nodes::start(engines, 1..=2).await;
    let [mut first, other] = <[Server; 2]>::try_from(both).expect("there are two");
    // The engines may know other people, of former runs.
    let ada = Person::register(&first, &format!("ada{}", std::process::id())).await;
    let (_, channel) = ada.found("Songs").await;
    let content: Vec<u8> = (0..300_001_u32)
        .flat_map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes())
        .collect();
    let path = post(&ada, &channel, &content).await;
    assert!(!first.data().join("files").exists());
    assert_is_served(&other.rest(), &path, &content).await;
    first.kill().await;
    assert_is_served(&other.rest(), &path, &content).await;
    nodes::stop(other).await;
}

async fn assert_is_served(rest: &Rest, path: &str, content: &[u8]) {
    let whole = rest.get(path).await;
    assert_eq!(whole.status, 200);
    assert!(whole.body == content, "{} bytes", whole.body.len());
    let part = rest.ranged("bytes=65530-131080").get(path).await;
    assert_eq!(part.status, 206);
    let range = format!("bytes 65530-131080/{}", content.len());
    assert_eq!(part.headers["content-range"], range);
    assert!(part.body == content[65_530..=131_080], "{:?}", part.headers);
}
