//! Positions of the log as places in a Kafka partition.
//!
//! A Kafka record holds the records of one or more appends. Its offset and the index in it make
//! the position: both rise together, so positions are total, rise with every record, and the
//! place just after a record finds the next one. Offsets are counted from one, because no record
//! of a log stands at [`Position::START`].

use guildhall_model::Position;

/// How many bits of a position are the index.
const INDEX_BITS: u32 = 12;
/// Records of one Kafka record at most.
pub(crate) const RECORDS_MAX: usize = 1 << INDEX_BITS;

/// A record's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// Of the Kafka record, from zero.
    pub(crate) offset: i64,
    /// Within it, below [`RECORDS_MAX`].
    pub(crate) index: usize,
}

impl Place {
    /// The first record at or after an offset.
    pub(crate) const fn of_offset(offset: i64) -> Self {
        Self { offset, index: 0 }
    }

    /// The place that a position means; positions below all records mean the first one.
    pub(crate) fn of(position: Position) -> Self {
        let above = position.0 >> INDEX_BITS;
        let Some(offset) = above.checked_sub(1) else {
            return Self::of_offset(0);
        };
        Self {
            // 52 bits fit.
            offset: i64::try_from(offset).unwrap_or(i64::MAX),
            index: usize::try_from(position.0 % RECORDS_MAX as u64).unwrap_or_default(),
        }
    }

    /// The first record of the Kafka record so many before this one's, each of which holds one
    /// record or more.
    pub(crate) fn back(self, kafka_records: u32) -> Self {
        let offset = self.offset.saturating_sub(kafka_records.into());
        Self::of_offset(offset.max(0))
    }

    /// Whether no other Kafka record lies between this place and `behind`, the place just behind a
    /// record. Offsets of a partition have no gaps: nothing is written in transactions, and nothing
    /// compacts the logs.
    pub(crate) fn follows(self, behind: Self) -> bool {
        // Behind the last index stands the next Kafka record's first.
        let is_within = i64::from(behind.index > 0);
        self.offset <= behind.offset.saturating_add(is_within)
    }

    /// The position, which saturates after 2^52 Kafka records of one partition: 1,000 a second
    /// for 140,000 years.
    pub(crate) fn position(self) -> Position {
        let above = u64::try_from(self.offset)
            .unwrap_or_default()
            .saturating_add(1)
            .min(u64::MAX >> INDEX_BITS);
        Position(above << INDEX_BITS | self.index as u64)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place() -> impl Strategy<Value = Place> {
        (0..1_i64 << 50, 0..RECORDS_MAX).prop_map(|(offset, index)| Place { offset, index })
    }

    proptest! {
        #[test]
        fn going_back_passes_as_many_kafka_records_as_there_are(place in place(), count: u32) {
            let passed = place.offset.min(count.into());
            let back = place.back(count);
            prop_assert_eq!(back, Place::of_offset(place.offset - passed));
            prop_assert!(back.position() <= place.position());
        }

        #[test]
        fn a_position_names_its_place(place in place()) {
            prop_assert_eq!(Place::of(place.position()), place);
            prop_assert!(Position::START < place.position());
        }

        #[test]
        fn positions_rise_as_places_do(one in place(), other in place()) {
            prop_assert_eq!(one.cmp(&other), one.position().cmp(&other.position()));
        }

        #[test]
        fn just_after_a_record_is_the_next_index_or_the_next_offset(place in place()) {
            let after = Place::of(Position(place.position().0 + 1));
            if place.index + 1 < RECORDS_MAX {
                prop_assert_eq!(after, Place { index: place.index + 1, ..place });
            } else {
                prop_assert_eq!(after, Place::of_offset(place.offset + 1));
            }
        }

        #[test]
        fn only_the_same_kafka_record_and_the_next_one_follow(place in place(), gap in 0..9_i64) {
            let behind = Place::of(Position(place.position().0 + 1));
            let later = Place::of_offset(place.offset + gap);
            prop_assert_eq!(later.follows(behind), gap <= 1);
        }

        #[test]
        fn any_number_is_a_place(position: u64) {
            let place = Place::of(Position(position));
            prop_assert!(0 <= place.offset && place.index < RECORDS_MAX);
        }
    }

    #[test]
    fn the_start_is_before_the_first_record() {
        let first = Place::of_offset(0);
        assert_eq!(Place::of(Position::START), first);
        assert!(Position::START < first.position());
        // Also just before the first record nothing else stands.
        assert_eq!(Place::of(Position(first.position().0 - 1)), first);
    }
}
