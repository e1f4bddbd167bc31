//! What is counted about requests. Labels are templates and names, never ids.

use std::time::Instant;

use http::{Method, StatusCode};
use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};

const REQUESTS: &str = "guildhall_http_requests_total";
const DURATION: &str = "guildhall_http_request_duration_seconds";

/// Describes the metrics of this crate to the recorder; once, at the start.
pub fn describe() {
    describe_counter!(REQUESTS, "HTTP requests by route, method and status.");
    describe_histogram!(
        DURATION,
        Unit::Seconds,
        "Time to answer an HTTP request, by route."
    );
}

/// A request that is being answered.
pub(crate) struct Measured {
    route: String,
    method: &'static str,
    began: Instant,
}

impl Measured {
    pub(crate) fn begin(route: Option<&str>, method: &Method) -> Self {
        Self {
            route: route.unwrap_or("unmatched").to_owned(),
            method: name(method),
            began: Instant::now(),
        }
    }

    pub(crate) fn end(self, status: StatusCode) {
        let status = status.as_str().to_owned();
        let took = self.began.elapsed();
        histogram!(DURATION, "route" => self.route.clone(), "method" => self.method).record(took);
        counter!(REQUESTS, "route" => self.route, "method" => self.method, "status" => status)
            .increment(1);
    }
}

/// Clients may send any word as a method; only known ones become labels.
fn name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
