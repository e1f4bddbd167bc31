//! Bodies with files as they should not be.

use axum::body::Body;
use guildhall_model::limits::UPLOAD_FIELDS_MAX;
use serde_json::json;

use super::form::{FORM_TYPE, Form, PNG, refused, send, upload};
use crate::harness::House;

#[tokio::test]
async fn a_body_that_is_no_form_is_refused_for_what_it_is() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let (_, channel) = house.server(&ada).await;
    let whole = Form::default().file(0, "a.png", "image/png", PNG).end();
    let whole = || Body::from(whole.clone());
    for media_type in [
        "application/json",
        "multipart/mixed; boundary=XbX",
        "multipart/form-datax; boundary=XbX",
        "",
    ] {
        let outcome = send(&house, &ada, &channel, (media_type, whole())).await;
        refused(&house, outcome, 415, "unsupported_media_type");
    }
    let long = format!("multipart/form-data; boundary={}", "x".repeat(71));
    for media_type in [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=\"",
        "multipart/form-data; charset=utf-8",
        &long,
    ] {
        let outcome = send(&house, &ada, &channel, (media_type, whole())).await;
        refused(&house, outcome, 400, "invalid_form");
    }
}

#[tokio::test]
async fn a_broken_body_is_the_callers_fault_and_leaves_nothing() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let (_, channel) = house.server(&ada).await;
    let head = "Content-Disposition: form-data; name=\"files[1]\"; filename=\"b\"";
    let good = || Form::default().file(0, "a.png", "image/png", PNG);
    let long = format!("{head}\r\nX-Long: {}", "x".repeat(1_000_000));
    let many = format!("{head}{}", "\r\nX-Field: x".repeat(100));
    let endless = [&good().open()[..], b"--XbX\r\nX: ", &vec![b'x'; 1_000_000]].concat();
    for (name, body) in [
        ("empty", Vec::new()),
        ("no boundary", b"hello".to_vec()),
        ("another boundary", b"--other\r\n\r\n--other--\r\n".to_vec()),
        ("a preamble without end", vec![b'x'; 1_000_000]),
        ("without its end", good().open()),
        ("a head without its end", endless),
        ("a head that is long", good().part(&long, b"x").end()),
        ("a head of many fields", good().part(&many, b"x").end()),
        ("a head that is none", good().part("\0\x01\x02", b"x").end()),
        ("a field without a name", good().part(": x", b"x").end()),
        (
            "the end in the middle of a file",
            [
                &good().open()[..],
                b"--XbX\r\n",
                head.as_bytes(),
                b"\r\n\r\nby",
            ]
            .concat(),
        ),
        (
            "a boundary that goes on",
            [&good().open()[..], b"--XbXxxxx"].concat(),
        ),
        ("JSON twice", good().json(&json!({})).json(&json!({})).end()),
        ("JSON that is a list", good().json(&json!([])).end()),
        (
            "notes that are none",
            good().json(&json!({"attachments": [{"id": "x"}]})).end(),
        ),
    ] {
        let (status, body) = upload(&house, &ada, &channel, body).await.unwrap_err();
        assert_eq!(status, 400, "{name}: {body}");
        assert_eq!(body["code"], "invalid_form", "{name}: {body}");
        assert_eq!(house.blobs.keys(), [], "{name}");
    }
    let cut = Form::default().part(
        "Content-Disposition: form-data; name=\"payload_json\"",
        b"{",
    );
    let outcome = upload(&house, &ada, &channel, cut.end()).await;
    refused(&house, outcome, 400, "invalid_json");
}

#[tokio::test]
async fn ten_thousand_parts_are_not_read_to_their_end() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let (_, channel) = house.server(&ada).await;
    let parts = |n: usize| {
        let part = |form: Form, _| form.part("Content-Disposition: form-data; name=\"x\"", b"");
        (0..n).fold(Form::default(), part).end()
    };
    let outcome = upload(&house, &ada, &channel, parts(10_000)).await;
    let error = refused(&house, outcome, 400, "invalid_form");
    assert_eq!(error["errors"][0]["code"], "invalid_multipart");
    let few = upload(&house, &ada, &channel, parts(UPLOAD_FIELDS_MAX)).await;
    assert!(few.is_ok());
}

#[tokio::test]
async fn a_hostile_name_is_made_harmless() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let (_, channel) = house.server(&ada).await;
    let long = "n".repeat(4_096) + ".png";
    for (raw, stored) in [
        ("../../../etc/passwd", "passwd"),
        ("..\\..\\win.ini", "win.ini"),
        ("..", "unknown"),
        ("", "unknown"),
        ("%2e%2e%2fpasswd", "passwd"),
        ("a%00b.png", "ab.png"),
        ("%0d%0aSet-Cookie%3a%20x", "Set-Cookie__x"),
        ("gpj.\u{202E}exe", "gpj.exe"),
        ("<img src=x>.png", "_img_src_x_.png"),
        (&long, &("n".repeat(124) + ".png")),
    ] {
        let body = Form::default().file(0, raw, "image/png", PNG).end();
        let received = upload(&house, &ada, &channel, body).await.unwrap();
        assert_eq!(received.files[0].filename.as_str(), stored, "{raw:?}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_or_stalls_leaves_nothing() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let (_, channel) = house.server(&ada).await;
    let begun = || {
        let form = Form::default().file(0, "a", "text/plain", &vec![7; 300_000]);
        form.file(1, "b", "text/plain", &vec![7; 300_000]).open()
    };
    let broken = [Ok(begun()), Err(std::io::Error::other("gone"))];
    let broken = Body::from_stream(futures_util::stream::iter(broken));
    let outcome = upload(&house, &ada, &channel, broken).await;
    refused(&house, outcome, 400, "invalid_form");

    tokio::time::pause();
    let stalls = futures_util::stream::iter([Ok::<_, std::io::Error>(begun())]);
    let stalls = futures_util::StreamExt::chain(stalls, futures_util::stream::pending());
    let outcome = upload(&house, &ada, &channel, Body::from_stream(stalls)).await;
    refused(&house, outcome, 400, "invalid_form");
}

/// Whatever a byte is changed to, it is taken or refused, and what is refused leaves nothing.
#[tokio::test]
async fn no_change_of_a_body_makes_more_of_it_than_a_refusal() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let (_, channel) = house.server(&ada).await;
    let payload = json!({"content": "x", "attachments": [{"id": 0, "description": "d"}]});
    let body = Form::default()
        .file(0, "a.png", "image/png", PNG)
        .json(&payload)
        .end();
    let (mut taken, mut refused) = (0, 0);
    for at in 0..body.len() {
        for change in [b'\0', b'\r', b'\n', b'"', b'-', b'%', b'\xFF'] {
            let mut body = body.clone();
            body[at] = change;
            if at % 3 == 0 {
                body.remove(at);
            }
            let outcome = send(&house, &ada, &channel, (FORM_TYPE, body.into())).await;
            match outcome {
                Ok(received) => {
                    taken += 1;
                    house.app.uploads().discard(&received.files).await;
                }
                Err((status, body)) => {
                    refused += 1;
                    assert!((400..500).contains(&status), "{at} {change}: {body}");
                }
            }
            assert_eq!(house.blobs.keys(), [], "{at} {change}");
        }
    }
    assert!(taken > 100 && refused > 100, "{taken} {refused}");
}
