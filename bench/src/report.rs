//! How figures are shown: medians with their range, in tables of text.

use std::io::{self, Write, stdout};

/// A figure of several rounds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figure(Vec<f64>);

impl Figure {
    pub(crate) fn add(&mut self, value: f64) {
        self.0.push(value);
    }

    pub(crate) fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let upper = sorted.len() / 2;
        match sorted.get(upper) {
            None => f64::NAN,
            Some(middle) if sorted.len() % 2 == 1 => *middle,
            Some(middle) => f64::midpoint(sorted[upper - 1], *middle),
        }
    }

    /// The ratios to another figure, round by round.
    pub(crate) fn over(&self, floor: &Self) -> Self {
        Self(self.0.iter().zip(&floor.0).map(|(a, b)| a / b).collect())
    }

    /// Median, and the range in brackets.
    pub(crate) fn show(&self, decimals: usize) -> String {
        let least = self.0.iter().copied().fold(f64::INFINITY, f64::min);
        let most = self.0.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let median = self.median();
        format!("{median:.decimals$} ({least:.decimals$}-{most:.decimals$})")
    }
}

/// A table under construction; it prints as Markdown.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(columns: &[&str]) -> Self {
        let head = columns.iter().map(|name| (*name).to_owned()).collect();
        let rule = columns.iter().map(|_| "---".to_owned()).collect();
        Self {
            rows: vec![head, rule],
        }
    }

    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    pub(crate) fn print(&self) -> io::Result<()> {
        let mut out = stdout().lock();
        for row in &self.rows {
            writeln!(out, "| {} |", row.join(" | "))?;
        }
        writeln!(out)
    }
}

/// Prints a line.
pub(crate) fn say(line: &str) -> io::Result<()> {
    writeln!(stdout().lock(), "{line}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_taken_within_its_round() {
        let (mut ours, mut floor) = (Figure::default(), Figure::default());
        for (a, b) in [(4.0, 2.0), (30.0, 10.0), (4.0, 4.0)] {
            ours.add(a);
            floor.add(b);
        }
        assert_eq!(ours.over(&floor).show(1), "2.0 (1.0-3.0)");
        assert_eq!(floor.show(0), "4 (2-10)");
    }

    #[test]
    fn a_median_of_an_even_number_lies_between_the_middle_two() {
        let mut figure = Figure::default();
        assert!(figure.median().is_nan());
        for value in [9.0, 1.0, 2.0, 4.0] {
            figure.add(value);
        }
        assert!((figure.median() - 3.0).abs() < f64::EPSILON);
    }
}
