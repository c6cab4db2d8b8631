//! The seam between the generated methods and the transport.

use reqwest::Request;
use venuekit_transport::client::{ClientHooks, ClientInfo, OperationInfo};
use venuekit_transport::{Error, Response, Session};

use crate::Client;

impl ClientHooks<Session> for Client {
    async fn exec(&self, request: Request, info: &OperationInfo) -> Result<Response, Error> {
        self.inner().exec(self.client(), request, info).await
    }
}
