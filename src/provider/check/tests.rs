use std::net::TcpListener;
use std::time::Instant;

use super::test_support::{MESSAGE, provider, response, serve};
use super::*;

const KEY: &str = "sk-canary-0123456789";

fn try_at(base: &str, auth: Auth) -> Verdict {
    check(&Endpoint::new(base, auth, Some("glm-5.2[1m]")), &KEY.into(), &Network::default(), TIMEOUT)
}

fn verdict_on(status: &str, body: &str) -> Verdict {
    let (base, server) = serve([response(status, body)]);
    let verdict = try_at(&base, Auth::Bearer);
    server.join().unwrap();
    verdict
}

#[test]
fn the_request_is_a_small_message_with_the_key_where_it_belongs() {
    let (base, server) = serve([response("200 OK", MESSAGE)]);
    assert_eq!(try_at(&format!("{base}/api/anthropic/"), Auth::Bearer), Verdict::Accepted);
    let [request] = server.join().unwrap();
    assert!(request.starts_with("post /api/anthropic/v1/messages http/1.1\r\n"), "{request}");
    for part in [
        "\r\nanthropic-version: 2023-06-01\r\n",
        &format!("\r\nauthorization: bearer {KEY}\r\n"),
        r#""model":"glm-5.2""#,
        r#""max_tokens":1"#,
    ] {
        assert!(request.contains(part), "{part} is not in {request}");
    }
    assert!(!request.contains("x-api-key"));

    let (base, server) = serve([response("200 OK", MESSAGE)]);
    assert_eq!(try_at(&base, Auth::XApiKey), Verdict::Accepted);
    let [request] = server.join().unwrap();
    assert!(request.contains(&format!("\r\nx-api-key: {KEY}\r\n")), "{request}");
    assert!(!request.contains("authorization"));

    let (base, server) = serve([response("200 OK", MESSAGE)]);
    assert_eq!(try_at(&base, Auth::None), Verdict::Accepted);
    assert!(!server.join().unwrap()[0].contains(KEY));
}

#[test]
fn only_401_and_403_count_against_the_key() {
    assert_eq!(verdict_on("401 Unauthorized", "{}"), Verdict::Rejected { status: 401 });
    assert_eq!(verdict_on("403 Forbidden", "{}"), Verdict::Rejected { status: 403 });
    for status in ["400 Bad Request", "404 Not Found", "429 Too Many Requests", "500 Internal Server Error"] {
        assert_eq!(verdict_on(status, "<html>"), Verdict::Unclear { answer: format!("HTTP {status}") });
    }
    assert_eq!(verdict_on("529 Overloaded", ""), Verdict::Unclear { answer: "HTTP 529".to_owned() });
}

#[test]
fn a_good_status_alone_says_nothing_of_the_key() {
    for body in ["<html>log in to the network</html>", "", "{}", r#"{"code": 1, "msg": "no"}"#] {
        let verdict = verdict_on("200 OK", body);
        let Verdict::Unclear { answer } = verdict else { panic!("{body}: {verdict:?}") };
        assert!(answer.starts_with("HTTP 200 OK, "), "{answer}");
    }
    assert_eq!(verdict_on("200 OK", MESSAGE), Verdict::Accepted);
}

#[test]
fn an_error_message_is_told_unless_it_quotes_the_key() {
    let answer = |message: &str| {
        let body = serde_json::json!({"type": "error", "error": {"message": message}}).to_string();
        let Verdict::Unclear { answer } = verdict_on("404 Not Found", &body) else { panic!("not unclear") };
        answer
    };
    assert_eq!(answer("no model\n`x`"), "HTTP 404 Not Found: no model `x`");
    assert_eq!(answer(&format!("no {KEY}")), "HTTP 404 Not Found");
    assert_eq!(answer("no key …56789"), "HTTP 404 Not Found");
    assert_eq!(answer(&"x".repeat(999)).len(), "HTTP 404 Not Found: ".len() + ANSWER_LENGTH);
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    for status in ["302 Found", "307 Temporary Redirect"] {
        let location = elsewhere.local_addr().unwrap();
        let head = format!("HTTP/1.1 {status}\r\nlocation: http://{location}/\r\ncontent-length: 0\r\n\r\n");
        let (base, server) = serve([head]);
        let verdict = try_at(&base, Auth::Bearer);
        server.join().unwrap();
        assert!(
            matches!(verdict, Verdict::Unclear { answer } if answer.starts_with(&format!("HTTP {status}")))
        );
    }
    let connection = elsewhere.accept().map(|_| ()).unwrap_err();
    assert_eq!(connection.kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn a_server_that_does_not_answer_is_given_up_in_time() {
    // The system completes the connection; nobody ever answers on it.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let endpoint = Endpoint::new(&base, Auth::Bearer, None);
    let start = Instant::now();
    let verdict = check(&endpoint, &KEY.into(), &Network::default(), Duration::from_millis(200));
    let Verdict::Unreachable { why } = verdict else { panic!("{verdict:?}") };
    assert!(why.ends_with("within 0.2 s"), "{why}");
    assert!(start.elapsed() < TIMEOUT);
}

#[test]
fn a_port_that_nobody_listens_on_is_unreachable() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let verdict = try_at(&format!("http://127.0.0.1:{port}"), Auth::Bearer);
    let Verdict::Unreachable { why } = verdict else { panic!("{verdict:?}") };
    assert!(why.starts_with(&format!("no connection to 127.0.0.1:{port}: ")), "{why}");
}

#[test]
fn a_server_without_tls_is_unreachable_by_https() {
    let (base, server) = serve([response("200 OK", MESSAGE)]);
    let verdict = try_at(&base.replace("http:", "https:"), Auth::Bearer);
    assert!(matches!(verdict, Verdict::Unreachable { .. }), "{verdict:?}");
    assert!(server.join().is_err(), "nothing that reads as a request may be sent");
}

#[test]
fn a_key_that_no_header_can_carry_is_not_sent() {
    let endpoint = Endpoint::new("http://127.0.0.1:1", Auth::XApiKey, None);
    let verdict = check(&endpoint, &"sk-\u{1b}[200~canary".into(), &Network::default(), TIMEOUT);
    let Verdict::Unclear { answer } = verdict else { panic!("{verdict:?}") };
    assert!(!answer.contains("canary"));
}

#[test]
fn the_name_containers_have_for_this_machine_is_localhost_here() {
    let url = |base| Endpoint::new(base, Auth::Bearer, None).url;
    assert_eq!(url("http://host.docker.internal:11434"), "http://localhost:11434/v1/messages");
    assert_eq!(
        url("http://host.docker.internal.example/x/"),
        "http://host.docker.internal.example/x/v1/messages"
    );
}

#[test]
fn the_key_of_a_provider_without_an_address_goes_nowhere_unless_it_is_anthropics() {
    assert_eq!(Endpoint::of(&provider("acme", None)), None);
    let claude = Endpoint::of(&provider("claude", None)).unwrap();
    assert_eq!(
        (claude.url.as_str(), claude.model.as_str()),
        ("https://api.anthropic.com/v1/messages", FALLBACK_MODEL)
    );
}

#[test]
fn an_answer_to_a_request_without_a_key_is_told_in_full() {
    let body = r#"{"error": {"message": "no such model"}}"#;
    assert_eq!(Answer::new(404, body, &"".into()).shown(), "HTTP 404 Not Found: no such model");
}
