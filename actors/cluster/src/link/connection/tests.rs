//! Frames, pings and silence, with time that is not waited for.

use std::collections::VecDeque;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, duplex, simplex};

use super::super::batch::Message;
use super::super::bounds::FRAME_BYTES_MAX;
use super::*;

/// Messages that wait.
#[derive(Default)]
struct Waiting {
    messages: Mutex<VecDeque<Message>>,
    bell: Notify,
}

impl Source for Waiting {
    fn fill(&self, batch: &mut Batch) {
        for message in self.messages.lock().drain(..) {
            batch.add(&message);
        }
    }

    fn bell(&self) -> &Notify {
        &self.bell
    }
}

fn told(body: &'static str) -> Message {
    Message::Tell {
        body: Bytes::from(body),
    }
}

async fn next<R: AsyncRead>(frames: &mut Frames<R>) -> Result<Vec<Message>, Ended> {
    let mut messages = frames.next().await?;
    let mut read = Vec::new();
    while let Some(message) = messages.next()? {
        read.push(message);
    }
    Ok(read)
}

#[tokio::test(start_paused = true)]
async fn who_has_nothing_to_say_is_heard_every_second() {
    let (near, far) = duplex(1024);
    let (waiting, sent_bytes) = (Waiting::default(), Counter::noop());
    let mut frames = Frames::new(far, Counter::noop());
    let hears = async {
        let began = Instant::now();
        for second in 1..=10 {
            assert_eq!(next(&mut frames).await.unwrap(), []);
            assert_eq!(began.elapsed().as_secs(), second);
        }
        waiting.messages.lock().push_back(told("something"));
        waiting.bell.notify_one();
        assert_eq!(next(&mut frames).await.unwrap(), [told("something")]);
        assert_eq!(began.elapsed().as_secs(), 10, "at once");
    };
    tokio::select! {
        ended = write_frames(near, &waiting, &sent_bytes) => panic!("{ended}"),
        () = hears => {}
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_silent_for_three_seconds_is_given_up() {
    let (mut near, far) = duplex(1024);
    let mut frames = Frames::new(far, Counter::noop());
    write_frame(&mut near, Batch::new(0).into_bytes())
        .await
        .unwrap();
    assert_eq!(next(&mut frames).await.unwrap(), []);
    let heard = Instant::now();
    assert!(matches!(next(&mut frames).await, Err(Ended::Silent)));
    let silence = heard.elapsed();
    assert!(SILENCE_MAX <= silence && silence < SILENCE_MAX + Duration::from_millis(10));
}

#[tokio::test(start_paused = true)]
async fn a_large_frame_may_take_long_as_long_as_it_goes_on() {
    let (mut near, far) = duplex(1024);
    let mut batch = Batch::new(0);
    let message = Message::Tell {
        body: Bytes::from(vec![7; 20_000]),
    };
    batch.add(&message);
    let bytes = batch.into_bytes();
    let writes = async {
        near.write_u32(bytes.len().try_into().unwrap())
            .await
            .unwrap();
        for part in bytes.chunks(1024) {
            tokio::time::advance(Duration::from_secs(2)).await;
            near.write_all(part).await.unwrap();
        }
    };
    let mut frames = Frames::new(far, Counter::noop());
    let began = Instant::now();
    let (read, ()) = tokio::join!(next(&mut frames), writes);
    assert_eq!(read.unwrap(), [message]);
    assert!(began.elapsed() > SILENCE_MAX * 10);
}

#[tokio::test]
async fn a_frame_that_is_too_large_is_not_waited_for() {
    let (reader, mut writer) = simplex(1024);
    let length = u32::try_from(FRAME_BYTES_MAX + 1).unwrap();
    writer.write_u32(length).await.unwrap();
    let ended = next(&mut Frames::new(reader, Counter::noop())).await;
    assert!(ended.unwrap_err().is_violation());
}

#[tokio::test]
async fn a_connection_that_ends_within_a_frame_has_ended() {
    let cut = [0, 0, 0, 9, 0].as_slice();
    let ended = next(&mut Frames::new(cut, Counter::noop())).await;
    assert!(matches!(ended, Err(Ended::Io(_))));
    let ended = next(&mut Frames::new([].as_slice(), Counter::noop())).await;
    assert!(matches!(ended, Err(Ended::Closed)));
}

#[tokio::test]
async fn what_waits_together_is_written_together() {
    let (mut far, near) = duplex(1024);
    let (waiting, sent_bytes) = (Waiting::default(), Counter::noop());
    for body in ["one", "two", "three"] {
        waiting.messages.lock().push_back(told(body));
    }
    let reads = async {
        let length = far.read_u32().await.unwrap();
        let mut frame = vec![0; length as usize];
        far.read_exact(&mut frame).await.unwrap();
        let mut messages = Messages::of(&frame, 0).unwrap();
        let read: Vec<_> = std::iter::from_fn(|| messages.next().unwrap()).collect();
        assert_eq!(read, [told("one"), told("two"), told("three")]);
    };
    tokio::select! {
        ended = write_frames(near, &waiting, &sent_bytes) => panic!("{ended}"),
        () = reads => {}
    }
}
