//! Flight SQL on a bound address.

use std::sync::Arc;

use partitura_net::{Bound, Http2, Listening, Patience, Tls};
use partitura_service::{Lobby, Secret, Service};
use tokio_util::sync::CancellationToken;

use crate::border::Border;

/// Serves Flight SQL, with TLS if there is a certificate. Its URI is as ADBC clients write it.
pub fn serve(bound: Bound, service: Arc<Service>, operator: Secret, tls: Option<Tls>) -> Listening {
    let uri = format!("grpc{}://{}", if tls.is_some() { "+tls" } else { "" }, bound.address());
    let settings = service.settings();
    let patience = Patience { idle: settings.idle_timeout, stall: settings.stall_timeout };
    let connections_max = settings.connections_max;
    let lobby = Lobby { loopback: bound.is_loopback(), operator };
    let border = Arc::new(Border::new(service, lobby));
    let answer = move |request| {
        let border = Arc::clone(&border);
        async move { border.answer(request).await }
    };
    partitura_net::serve(bound, uri, Http2::new(answer, tls, patience), connections_max, CancellationToken::new())
}
