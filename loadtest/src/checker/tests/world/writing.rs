//! Writes down what the world's clients saw: the numbers are given here, after any mutation.

use std::collections::BTreeMap;

use super::{CLOSED, OPEN, Session, Told, World, channel_id, message_id, user_id};
use crate::history::{Dispatch, Entry, Line, Page, Stored};

impl World {
    /// The history: file 0 holds the calls, and each user's sessions stand in a file of their own.
    pub(in crate::checker::tests) fn lines(&self) -> Vec<Vec<Line<'static>>> {
        let mut files: BTreeMap<usize, Vec<Line<'static>>> = BTreeMap::new();
        let rest = files.entry(0).or_default();
        rest.extend(self.rest.iter().map(|(at, what)| Line {
            at: *at,
            what: what.clone(),
        }));
        rest.extend(self.pages());
        for (index, session) in self.sessions.iter().enumerate() {
            let file = files.entry(1 + session.user).or_default();
            file.extend(self.session_lines(index, session));
        }
        files.into_values().collect()
    }

    fn pages(&self) -> impl Iterator<Item = Line<'static>> {
        [OPEN, CLOSED].into_iter().flat_map(|channel| {
            let rows = self.rows.iter().enumerate().rev();
            let stored = rows.filter(|(_, row)| row.channel == channel && !row.is_deleted);
            let messages = stored
                .map(|(message, row)| Stored {
                    id: message_id(message).into(),
                    tag: Some(row.tag.clone().into()),
                })
                .collect();
            let channel = channel_id(channel);
            let page = Entry::Page(Page {
                channel: channel.clone().into(),
                messages,
            });
            let end = Entry::PagesEnd {
                channel: channel.into(),
            };
            [page, end].map(|what| Line { at: self.now, what })
        })
    }

    fn session_lines(&self, index: usize, session: &Session) -> Vec<Line<'static>> {
        let client = u32::try_from(index).unwrap();
        let id = format!("session-{index}");
        let open = Entry::Open {
            client,
            session: id.clone().into(),
            user: user_id(session.user).into(),
        };
        let mut lines = vec![
            Line {
                at: session.identified,
                what: Entry::Identify { client },
            },
            Line {
                at: session.identified,
                what: open,
            },
        ];
        let mut s: u64 = 0;
        let mut numbered = 0;
        for (at, told) in &session.told {
            if matches!(told, Told::Numbered(_)) {
                s += 1;
                numbered += 1;
                if let Some((_, _, by)) = self
                    .skew
                    .filter(|(skewed, from, _)| *skewed == index && *from == numbered)
                {
                    s = s.checked_add_signed(by).unwrap();
                }
            }
            lines.push(Line {
                at: *at,
                what: entry(&id, s, told),
            });
        }
        lines
    }
}

fn entry(session: &str, s: u64, told: &Told) -> Entry<'static> {
    let id = || session.to_owned().into();
    let dispatch = |t: &'static str| Dispatch {
        session: id(),
        s,
        t: t.into(),
        channel: None,
        message: None,
        nonce: None,
        tag: None,
        shows: vec![],
    };
    match told {
        Told::Numbered(tale) => Entry::Dispatch(Dispatch {
            channel: tale.channel.map(|channel| channel_id(channel).into()),
            message: tale.message.map(|message| message_id(message).into()),
            tag: tale.mark.clone().map(Into::into),
            shows: tale
                .shows
                .iter()
                .map(|one| channel_id(*one).into())
                .collect(),
            ..dispatch(tale.t)
        }),
        Told::Typing(channel) => Entry::Dispatch(Dispatch {
            channel: Some(channel_id(*channel).into()),
            ..dispatch("TYPING_START")
        }),
        Told::Resume => Entry::Resume {
            session: id(),
            seq: s,
        },
        Told::Resumed => Entry::Dispatch(dispatch("RESUMED")),
        Told::Settle => Entry::Settle { session: id() },
        Told::Invalid => Entry::Invalid {
            session: Some(id()),
            resumable: false,
        },
        Told::End => Entry::End { session: id() },
    }
}
