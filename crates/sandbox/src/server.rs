//! The HTTP server under every simulator. It speaks to the socket itself, so that a fault can really cut a connection.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use axum::response::Response;
use http::Request;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;
use url::Url;

use crate::books::Calls;
use crate::clock::SimClock;
use crate::control::{self, Control};
use crate::faults::{self, Cut, Faults};
use crate::hooks::HookSender;
use crate::vendor::Vendor;

/// The largest request body taken: more than any vendor takes.
const MAX_BODY: usize = 256 * 1024 * 1024;

/// How often a vendor's work moves on by itself.
const TICK: Duration = Duration::from_millis(50);

/// What a simulator is given to work with.
#[derive(Clone)]
pub struct Tools {
    /// Where the simulator is reached, for the links it hands out. Ends with `/`.
    pub base_url: Url,
    pub clock: SimClock,
    pub hooks: HookSender,
}

/// A running simulator. It stops when this is dropped.
pub struct Running {
    base_url: Url,
    control: Arc<Control>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Running {
    /// Scheme, host and port, with a `/` behind.
    pub fn base_url(&self) -> &Url {
        &self.base_url
    }

    /// The same as the endpoints under `/_sandbox/`, for tests in the same process.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// Closes every connection and waits until nothing of the simulator runs any more.
    pub async fn shutdown(self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Starts the vendor that `make` builds, on 127.0.0.1 and this port (0: a free one).
pub async fn start<V: Vendor>(port: u16, clock: SimClock, make: impl FnOnce(Tools) -> V) -> io::Result<Running> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let base_url = format!("http://{}/", listener.local_addr()?);
    let base_url = Url::parse(&base_url).map_err(io::Error::other)?;
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let hooks = HookSender::start(&tasks, &stop);
    let vendor = Arc::new(make(Tools { base_url: base_url.clone(), clock: clock.clone(), hooks: hooks.clone() }));

    let control = Arc::new(Control {
        vendor: Arc::clone(&vendor) as Arc<dyn Vendor>,
        faults: Faults::default(),
        calls: Calls::default(),
        clock,
        hooks,
    });
    let front = Front {
        vendor: Arc::clone(&vendor).router().layer(DefaultBodyLimit::max(MAX_BODY)),
        desk: control::router(Arc::clone(&control)).layer(DefaultBodyLimit::max(MAX_BODY)),
        control: Arc::clone(&control),
        tasks: tasks.clone(),
        stop: stop.clone(),
    };
    tasks.spawn(stop.clone().run_until_cancelled_owned(accept(listener, front, tasks.clone(), stop.clone())));
    tasks.spawn(stop.clone().run_until_cancelled_owned(tick(vendor)));
    tasks.close();
    Ok(Running { base_url, control, tasks, stop })
}

async fn tick(vendor: Arc<impl Vendor>) {
    let mut interval = tokio::time::interval(TICK);
    loop {
        interval.tick().await;
        vendor.tick();
    }
}

async fn accept(listener: TcpListener, front: Front, tasks: TaskTracker, stop: CancellationToken) {
    loop {
        match listener.accept().await {
            Ok((socket, _)) => {
                tasks.spawn(stop.clone().run_until_cancelled_owned(converse(socket, front.clone())));
            }
            // Out of file handles, or a caller that left again: the next one may fare better.
            Err(error) => {
                tracing::warn!(error = %error, "a connection to a simulator could not be taken");
                tokio::time::sleep(TICK).await;
            }
        }
    }
}

async fn converse(socket: TcpStream, front: Front) {
    let _ = socket.set_nodelay(true);
    let service = service_fn(move |request| front.clone().answer(request));
    // An error here is a connection that was cut, by a fault or by the caller.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
}

/// What stands between the socket and the vendor.
#[derive(Clone)]
struct Front {
    vendor: Router,
    desk: Router,
    control: Arc<Control>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Front {
    async fn answer(self, request: Request<Incoming>) -> Result<Response, Cut> {
        let (head, body) = request.into_parts();
        // The whole request is read before anything else, so that a cut never depends on how much was sent by then.
        let body = Limited::new(body, MAX_BODY).collect().await.map_err(|_| Cut)?.to_bytes();
        let path = head.uri.path().to_owned();
        let method = head.method.clone();
        let request = Request::from_parts(head, Body::from(body));
        if path.starts_with("/_sandbox/") {
            return self.desk.oneshot(request).await.map_err(|never| match never {});
        }

        let operation = self.control.vendor.classify(&method, &path);
        self.control.calls.count(operation);
        let fault = self.control.faults.take(operation);
        // A task of its own: a vendor goes on with its work when the caller hangs up.
        let work = async {
            let work = self.stop.run_until_cancelled_owned(self.vendor.oneshot(request));
            let answer = self.tasks.spawn(work).await.ok().flatten().ok_or(Cut)?;
            answer.map_err(|never| match never {})
        };
        match fault {
            None => work.await,
            Some(fault) => faults::apply(&fault, |status| self.control.vendor.error_body(status), work).await,
        }
    }
}
