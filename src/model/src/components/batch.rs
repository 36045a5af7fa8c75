//! The batch processor (otelcol processor/batchprocessor).

use std::time::Duration;

use crate::decode::Decoder;
use crate::problem::Code;
use crate::settings::settings;

settings! {
    /// Sends many items at once.
    pub struct Batch {
        /// Time after which a batch is sent whatever its size; 0 sends at once.
        timeout: Duration = Duration::from_millis(200),
        /// Items from which a batch is sent.
        send_batch_size: u32 = 8192,
        /// Most items of a batch; 0 is no limit.
        send_batch_max_size: u32 = 0,
        /// Request headers by whose values batches are kept apart.
        metadata_keys: Vec<String> = Vec::new(),
        /// Most combinations of those values.
        metadata_cardinality_limit: u32 = 1000,
    }
    check = batch;
}

fn batch(batch: &Batch, d: &mut Decoder) {
    if batch.send_batch_max_size != 0 && batch.send_batch_max_size < batch.send_batch_size {
        d.problem_at("send_batch_max_size", Code::InvalidValue, "is below send_batch_size");
    }
    let mut seen = std::collections::HashSet::new();
    for (index, key) in batch.metadata_keys.iter().enumerate() {
        if !seen.insert(key.to_ascii_lowercase()) {
            // Not the key itself: it may come from the environment.
            let message = format!("key {} stands twice, whatever its case", index + 1);
            d.problem_at("metadata_keys", Code::InvalidValue, message);
        }
    }
}
