//! I4: a session's numbers are 1, 2, 3 … over every RESUME, or op 9 says so.

use super::facts::{Facts, Fate, Kind, Seen, Stream};
use super::verdict::{Finding, Invariant, Verdict};
use crate::history::reader::Place;

pub(super) fn judge(facts: &Facts, verdict: &mut Verdict) {
    for stream in &facts.streams {
        verdict.judged.streams += 1;
        let findings = numbers(stream)
            .into_iter()
            .chain(resumes(stream))
            .chain(completeness(stream));
        for (invariant, s, what, places) in findings {
            verdict.add(Finding {
                invariant,
                session: Some(facts.names.text(stream.session).to_owned()),
                s,
                what,
                places,
            });
        }
        let counted = stream.seen.iter().filter(|seen| seen.kind != Kind::Shown);
        verdict.judged.dispatches += counted.count() as u64;
        let resumed = |seen: &&Seen| seen.kind == Kind::Resumed;
        verdict.judged.resumes += stream.seen.iter().filter(resumed).count() as u64;
    }
    verdict.judged.invalid_sessions = facts.invalid_sessions;
    for stray in &facts.strays {
        verdict.add(Finding {
            invariant: Invariant::I4,
            session: None,
            s: Some(stray.s),
            what: format!("a dispatch came outside any session: {:?}", stray.kind),
            places: [stray.place, stray.place],
        });
    }
}

type Fault = (Invariant, Option<u64>, String, [Place; 2]);

fn numbers(stream: &Stream) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut last = (0, stream.opened_at);
    for seen in &stream.seen {
        let wanted = match seen.kind {
            Kind::Shown => continue,
            Kind::Volatile | Kind::Resumed => last.0,
            _ => last.0 + 1,
        };
        let what = if seen.s != wanted {
            Some(fault_of(seen, wanted))
        } else if seen.s != last.0 && (seen.s == 1) != (seen.kind == Kind::Ready) {
            Some("READY must be the first dispatch and no other".to_owned())
        } else {
            None
        };
        if let Some(what) = what {
            faults.push((Invariant::I4, Some(seen.s), what, [last.1, seen.place]));
        }
        // Judged on from what came, so that one hole is one violation.
        last = (seen.s, seen.place);
    }
    faults
}

fn fault_of(seen: &Seen, wanted: u64) -> String {
    let got = seen.s;
    match seen.kind {
        Kind::Volatile => format!("a volatile dispatch must repeat s {wanted}"),
        Kind::Resumed => format!("RESUMED must repeat s {wanted}"),
        _ if got < wanted => format!("s repeats: {wanted} was due"),
        _ => format!("s has a gap: {wanted} was due"),
    }
}

/// The client must have claimed exactly what it had seen; otherwise the numbers prove nothing.
fn resumes(stream: &Stream) -> Vec<Fault> {
    let mut faults = Vec::new();
    for resume in &stream.resumes {
        let before = stream.seen[..resume.after].last();
        let (s, place) = before.map_or((0, stream.opened_at), |seen| (seen.s, seen.place));
        if resume.seq != s {
            let what = format!("the client resumed from {}, having seen {s}", resume.seq);
            faults.push((Invariant::History, None, what, [place, resume.place]));
        }
    }
    faults
}

/// A settled session that nobody ended: what it missed afterwards cannot be known.
fn completeness(stream: &Stream) -> Option<Fault> {
    let breaks_off = stream.fate == Fate::Unknown && stream.settled.is_some();
    let last = stream.nearest(u64::MAX);
    breaks_off.then(|| {
        let what = "the session has neither an end nor an op 9".to_owned();
        (Invariant::History, None, what, [stream.opened_at, last])
    })
}
