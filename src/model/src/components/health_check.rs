//! The health_check extension (contrib extension/healthcheckextension).

use super::network::ServerTls;
use crate::settings::{ListenAddress, settings};

settings! {
    /// Answers whether the collector runs.
    pub struct HealthCheck {
        /// Address to listen on.
        endpoint: ListenAddress = ListenAddress::new("localhost", 13133),
        /// Path of the answer.
        path: String = "/".into(),
        /// TLS; without it the port speaks plain HTTP.
        tls: Option<ServerTls> = None,
        /// What is answered.
        response_body: Option<ResponseBody> = None,
    }
}

settings! {
    /// What is answered.
    pub struct ResponseBody {
        /// While the collector runs.
        healthy: String = String::new(),
        /// While it does not.
        unhealthy: String = String::new(),
    }
}
