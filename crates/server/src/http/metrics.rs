//! Numbers in the Prometheus text format.

use std::fmt::{Display, Write};
use std::time::Duration;

/// Something that can say its numbers.
pub trait Measured: Send + Sync {
    /// Writes the numbers as they are now.
    fn measure(&self, out: &mut Exposition);
}

impl<F: Fn(&mut Exposition) + Send + Sync> Measured for F {
    fn measure(&self, out: &mut Exposition) {
        self(out);
    }
}

/// The text of one scrape. All names get the prefix `mixminus_`.
#[derive(Debug, Default)]
pub struct Exposition(String);

impl Exposition {
    /// What there is now.
    pub fn gauge(&mut self, name: &str, help: &str, value: u64) {
        self.head(name, help, "gauge");
        self.sample(name, "", value);
    }

    /// How long something takes now, on average.
    pub fn mean(&mut self, name: &str, help: &str, value: Duration) {
        self.head(name, help, "gauge");
        self.sample(name, "", value.as_secs_f64());
    }

    /// How long something took since the start, in all.
    pub fn total(&mut self, name: &str, help: &str, value: Duration) {
        self.head(name, help, "counter");
        self.sample(name, "", value.as_secs_f64());
    }

    /// What was counted since the start.
    pub fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.head(name, help, "counter");
        self.sample(name, "", value);
    }

    /// What there is now, apart for each value of one label.
    pub fn gauges<L: Display, V: Display>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (L, V)>,
    ) {
        self.head(name, help, "gauge");
        self.labelled(name, label, values);
    }

    /// What was counted since the start, apart for each value of one label.
    pub fn counters<V: Display>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (V, u64)>,
    ) {
        self.head(name, help, "counter");
        self.labelled(name, label, values);
    }

    /// What was counted since the start, apart for each combination of the values of some labels.
    pub fn counters_by<const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        labels: [&str; N],
        values: impl IntoIterator<Item = ([String; N], u64)>,
    ) {
        self.head(name, help, "counter");
        for (label_values, value) in values {
            let pairs = labels.iter().zip(label_values);
            let pairs: Vec<_> = pairs.map(|(label, value)| format!("{label}=\"{value}\"")).collect();
            self.sample(name, &format!("{{{}}}", pairs.join(",")), value);
        }
    }

    /// How often something took how long: `buckets` are upper bounds in
    /// microseconds and how many fell in each and no lower one; then come how
    /// many were beyond the last, and the sum of all.
    pub fn histogram(
        &mut self,
        name: &str,
        help: &str,
        buckets: &[(u64, u64)],
        (longer, sum): (u64, Duration),
    ) {
        self.head(name, help, "histogram");
        let mut total = 0;
        for (bound_us, count) in buckets {
            total += count;
            let bound_s = Duration::from_micros(*bound_us).as_secs_f64();
            self.sample(&format!("{name}_bucket"), &format!("{{le=\"{bound_s}\"}}"), total);
        }
        total += longer;
        self.sample(&format!("{name}_bucket"), "{le=\"+Inf\"}", total);
        self.sample(&format!("{name}_sum"), "", sum.as_secs_f64());
        self.sample(&format!("{name}_count"), "", total);
    }

    /// The text.
    pub fn into_text(self) -> String {
        self.0
    }

    fn head(&mut self, name: &str, help: &str, kind: &str) {
        writeln!(self.0, "# HELP mixminus_{name} {help}\n# TYPE mixminus_{name} {kind}")
            .expect("a String takes everything");
    }

    fn labelled<L: Display, V: Display>(
        &mut self,
        name: &str,
        label: &str,
        values: impl IntoIterator<Item = (L, V)>,
    ) {
        for (label_value, value) in values {
            self.sample(name, &format!("{{{label}=\"{label_value}\"}}"), value);
        }
    }

    fn sample(&mut self, name: &str, labels: &str, value: impl Display) {
        writeln!(self.0, "mixminus_{name}{labels} {value}").expect("a String takes everything");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_cumulative_and_in_seconds() {
        let mut out = Exposition::default();
        out.histogram("lateness_seconds", "Late.", &[(100, 3), (1000, 2)], (1, Duration::from_millis(5)));
        let expected = "\
# HELP mixminus_lateness_seconds Late.
# TYPE mixminus_lateness_seconds histogram
mixminus_lateness_seconds_bucket{le=\"0.0001\"} 3
mixminus_lateness_seconds_bucket{le=\"0.001\"} 5
mixminus_lateness_seconds_bucket{le=\"+Inf\"} 6
mixminus_lateness_seconds_sum 0.005
mixminus_lateness_seconds_count 6
";
        assert_eq!(out.into_text(), expected);
    }

    #[test]
    fn a_family_of_counters_has_one_head() {
        let mut out = Exposition::default();
        out.counters("http_requests_total", "Answered.", "status", [(200, 2), (404, 1)]);
        let text = out.into_text();
        assert_eq!(text.matches("# TYPE").count(), 1);
        assert!(text.ends_with("{status=\"200\"} 2\nmixminus_http_requests_total{status=\"404\"} 1\n"));
    }
}
