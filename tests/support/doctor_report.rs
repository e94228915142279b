//! What `doctor --json` prints, check by check.

use serde_json::Value;

/// One check of the report.
#[track_caller]
pub fn check<'r>(report: &'r Value, id: &str) -> &'r Value {
    let checks = report["checks"].as_array().expect("a report has checks");
    checks.iter().find(|check| check["id"] == id).unwrap_or_else(|| panic!("no check {id} in {report:#}"))
}

/// The check came out so: `pass`, `warn`, `fail` or `skipped`.
#[track_caller]
pub fn assert_outcome(report: &Value, id: &str, outcome: &str) {
    let check = check(report, id);
    assert_eq!(check["outcome"], outcome, "{check:#}");
}
