//! Rows that take turns, and the tables of how long they took.

use std::time::Instant;

/// Something that is measured.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// What does each of the columns once, as many as there is something for.
    work: Vec<Box<dyn FnMut()>>,
    /// For each of them the nanoseconds of each round.
    times: Vec<Vec<f64>>,
}

impl Row {
    pub(crate) fn new(name: &'static str, work: Vec<Box<dyn FnMut()>>) -> Self {
        let times = vec![Vec::new(); work.len()];
        Self { name, work, times }
    }
}

/// Rows of which the same is measured.
pub(crate) struct Table {
    title: &'static str,
    /// What, and how often it is done in a round.
    columns: &'static [(&'static str, u32)],
    pub(crate) rows: Vec<Row>,
}

impl Table {
    pub(crate) fn new(
        title: &'static str,
        columns: &'static [(&'static str, u32)],
        rows: Vec<Row>,
    ) -> Self {
        Self {
            title,
            columns,
            rows,
        }
    }

    /// Each of the rows once.
    pub(crate) fn round(&mut self) {
        for row in &mut self.rows {
            let columns = row.work.iter_mut().zip(&mut row.times);
            for ((work, times), (_, often)) in columns.zip(self.columns) {
                let start = Instant::now();
                (0..*often).for_each(|_| work());
                times.push(start.elapsed().as_nanos() as f64 / f64::from(*often));
            }
        }
    }

    /// Prints a table of the quickest rounds and one of the medians.
    pub(crate) fn tell(&mut self) {
        let times = self.rows.iter_mut().flat_map(|row| &mut row.times);
        times.for_each(|times| times.sort_by(f64::total_cmp));
        self.tell_of("quickest round", |times| times[0]);
        self.tell_of("median round", |times| times[times.len() / 2]);
    }

    fn tell_of(&self, what: &str, figure: impl Fn(&[f64]) -> f64) {
        if self.rows.is_empty() {
            return;
        }
        let names: Vec<_> = self.columns.iter().map(|(name, _)| *name).collect();
        println!("| {}: {what}, ns | {} |", self.title, names.join(" | "));
        println!("|---|{}", "---:|".repeat(names.len()));
        for row in &self.rows {
            let figures = (0..names.len()).map(|column| match row.times.get(column) {
                Some(times) if !times.is_empty() => format!("{:.0}", figure(times)),
                _ => String::new(),
            });
            let figures: Vec<_> = figures.collect();
            println!("| {} | {} |", row.name, figures.join(" | "));
        }
        println!();
    }
}
