//! A server between a client and the sandbox.

// No test uses all of it.
#![allow(dead_code)]

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State as Shared;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use venuekit_keys::Account;

use crate::common::World;

/// Passes calls on to a sandbox, but those that a test treats otherwise.
pub struct Between {
    target: String,
    http: reqwest::Client,
    /// What is answered in place of passing it on.
    choose: Choose,
    pub seen: Mutex<Vec<String>>,
    late: Option<Late>,
    held: Mutex<Option<reqwest::Request>>,
    /// What calls are answered that name this text, such as a key's id, in a header or in their body.
    of_key: Mutex<Option<(String, Fake)>>,
}

/// A status and a body in place of the venue's.
pub type Fake = (u16, &'static str);

/// The first call to one path gets no response, and is passed on late: when another path is called for the nth time.
#[derive(Clone, Copy)]
pub struct Late {
    pub call: &'static str,
    pub when: &'static str,
    pub nth: usize,
}

impl Between {
    /// From now on calls that name this text are answered so.
    pub fn answer_to(&self, text: &str, fake: Fake) {
        *self.of_key.lock().unwrap() = Some((text.to_owned(), fake));
    }

    fn fake_of(&self, headers: &HeaderMap, body: &[u8]) -> Option<Fake> {
        let (text, fake) = self.of_key.lock().unwrap().clone()?;
        let named = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains(&text);
        (headers.values().any(|value| named(value.as_bytes())) || named(body)).then_some(fake)
    }

    /// Passes on what is held back.
    pub async fn release(&self) {
        let held = self.held.lock().unwrap().take();
        if let Some(held) = held {
            assert!(self.http.execute(held).await.unwrap().status().is_success());
        }
    }
}

pub type Choose = Box<dyn Fn(&Method, &str, usize) -> Option<Fake> + Send + Sync>;

async fn pass_on(
    Shared(between): Shared<Arc<Between>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> axum::http::Response<Body> {
    let path = uri.path_and_query().map_or_else(String::new, ToString::to_string);
    let count = {
        let mut seen = between.seen.lock().unwrap();
        seen.push(format!("{method} {path}"));
        seen.iter().filter(|one| **one == format!("{method} {path}")).count()
    };
    let answer = |status: u16, body: Body| {
        let mut answer = axum::http::Response::new(body);
        *answer.status_mut() = StatusCode::from_u16(status).unwrap();
        answer.headers_mut().insert("content-type", "application/json".parse().unwrap());
        if answer.status().is_redirection() {
            answer.headers_mut().insert("location", "https://elsewhere.test/".parse().unwrap());
        }
        answer
    };
    let fake = (between.choose)(&method, &path, count).or_else(|| between.fake_of(&headers, &body));
    if let Some((status, body)) = fake {
        return answer(status, Body::from(body));
    }
    let request = between.http.request(method, format!("{}{path}", between.target)).headers(headers).body(body);
    let request = request.build().unwrap();
    if let Some(late) = between.late {
        if request.method() == Method::POST && path.ends_with(late.call) && count == 1 {
            *between.held.lock().unwrap() = Some(request);
            return answer(502, Body::empty());
        }
        if path.ends_with(late.when) && count == late.nth {
            between.release().await;
        }
    }
    let passed = between.http.execute(request).await.unwrap();
    let status = passed.status().as_u16();
    answer(status, Body::from(passed.bytes().await.unwrap()))
}

pub async fn answering(world: &World, choose: Choose) -> (Arc<Between>, Account) {
    start(world, choose, None).await
}

pub async fn start(world: &World, choose: Choose, late: Option<Late>) -> (Arc<Between>, Account) {
    let between = Arc::new(Between {
        target: world.sandbox.base_url(),
        http: reqwest::Client::builder().no_proxy().build().unwrap(),
        choose,
        seen: Mutex::default(),
        late,
        held: Mutex::default(),
        of_key: Mutex::default(),
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(pass_on).with_state(between.clone());
    tokio::spawn(axum::serve(listener, router).into_future());
    let base_url = world.base_url().replace(&world.sandbox.base_url(), &url);
    (between, world.account_at(&base_url))
}
