//! What of an object an audit entry shows: named values before and after, of which only those are
//! shown that differ.

use guildhall_model::audit::Turn;
use guildhall_model::event::Change;
use serde::Serialize;
use serde_json::Value;

/// Named values of an object, each name once.
pub(crate) type Facets = Vec<(&'static str, Value)>;

/// A value that differs. One side is absent where there was nothing or there is nothing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Differing {
    pub(crate) name: &'static str,
    pub(crate) before: Option<Value>,
    pub(crate) after: Option<Value>,
}

/// A value as it is written.
pub(crate) fn facet<T: Serialize>(name: &'static str, value: T) -> (&'static str, Value) {
    // Plain data has a JSON form; if it had none there would be nothing to show.
    (name, serde_json::to_value(value).unwrap_or(Value::Null))
}

/// What differs between an object before and after.
pub(crate) fn of_turn<T>(turn: &Turn<T>, facets: impl Fn(&T) -> Facets) -> Vec<Differing> {
    let side = |side: &Option<T>| side.as_ref().map(&facets).unwrap_or_default();
    differing(side(&turn.before), side(&turn.after))
}

/// What differs between the two sides of a change.
pub(crate) fn of_change<T>(change: &Change<T>, facets: impl Fn(&T) -> Facets) -> Vec<Differing> {
    differing(facets(&change.before), facets(&change.after))
}

/// What simply is so.
pub(crate) fn stated(facets: Facets) -> Vec<Differing> {
    differing(Facets::new(), facets)
}

fn differing(before: Facets, mut after: Facets) -> Vec<Differing> {
    let shown = |value: Value| Some(value).filter(|value| !value.is_null());
    let mut all = Vec::new();
    for (name, old) in before {
        let place = after.iter().position(|(other, _)| *other == name);
        let new = place.map_or(Value::Null, |place| after.remove(place).1);
        if old != new {
            all.push(Differing {
                name,
                before: shown(old),
                after: shown(new),
            });
        }
    }
    let made = after.into_iter().filter(|(_, new)| !new.is_null());
    all.extend(made.map(|(name, new)| Differing {
        name,
        before: None,
        after: Some(new),
    }));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_shown_and_nothing_is_not_a_value() {
        let before = vec![facet("name", "a"), facet("topic", "t"), facet("same", 1)];
        let after = vec![facet("same", 1), facet("topic", ()), facet("name", "b")];
        let shown = differing(before.clone(), after);
        let expected = [
            ("name", Some("a".into()), Some("b".into())),
            ("topic", Some("t".into()), None),
        ];
        let expected = expected.map(|(name, before, after)| Differing {
            name,
            before,
            after,
        });
        assert_eq!(shown, expected);
        assert_eq!(differing(before.clone(), before.clone()), []);
        assert_eq!(stated(vec![facet("none", ())]), []);
        assert_eq!(stated(before).len(), 3);
    }
}
